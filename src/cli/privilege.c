/* SPDX-License-Identifier: Apache-2.0 */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#define GROUPS_MAX 256

static void find_account(uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *account = getpwnam(PRIVILEGE_USER);

	if (!account || account->pw_uid == 0)
		account = getpwnam(PRIVILEGE_USER_ELSE);
	*ret_uid = account && account->pw_uid ? account->pw_uid : PRIVILEGE_ID_DEFAULT;
	*ret_gid = account && account->pw_gid ? account->pw_gid : PRIVILEGE_ID_DEFAULT;
}

static bool has(cap_value_t capability)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t own = cap_get_proc();

	if (own && cap_get_flag(own, capability, CAP_EFFECTIVE, &value) < 0)
		value = CAP_CLEAR;
	cap_free(own);
	return value == CAP_SET;
}

bool privilege_can_load(void)
{
	return geteuid() == 0 ||
	       (has(CAP_NET_ADMIN) && (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))));
}

void privilege_account(unsigned int *ret_uid, unsigned int *ret_gid)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0)
		find_account(&uid, &gid);
	*ret_uid = uid;
	*ret_gid = gid;
}

/* Every capability this kernel knows; needs CAP_SETPCAP, so before the rest goes. Who is not root
 * and lacks it has no use for the set either: no_new_privs keeps exec() from giving what is in it.
 */
static int empty_bounding_set(void)
{
	if (geteuid() != 0 && !has(CAP_SETPCAP))
		return 0;
	for (int c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

/* root's group among the others would open what root's files open to it; too many: cannot tell. */
static bool in_group_of_root(void)
{
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);

	for (int i = 0; i < count; i++)
		if (groups[i] == 0)
			return true;
	return count < 0;
}

/* Started as an account of its own, with ambient capabilities: stays that account. */
static int change_account(void)
{
	uid_t uid;
	gid_t gid;

	if (getuid() != 0 && geteuid() != 0)
		return in_group_of_root() ? -EPERM : 0;
	find_account(&uid, &gid);
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

/* Whoever has none may be forbidden to ask for fewer (the server's unit does so). */
static int empty_capability_sets(void)
{
	cap_t none = cap_init(), own = cap_get_proc();
	int r = none && own ? 0 : -ENOMEM;

	if (!r && cap_compare(own, none) && cap_set_proc(none) < 0)
		r = -errno;
	cap_free(own);
	cap_free(none);
	if (!r && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

/* What must fail now: a way back would mean that all of the above was for nothing. */
static int check_no_way_back(void)
{
	return setuid(0) == 0 || setgid(0) == 0 || geteuid() == 0 || getegid() == 0 ? -EPERM : 0;
}

int privilege_drop(struct error *ret_error)
{
	int r = empty_bounding_set();

	if (!r)
		r = change_account();
	if (!r)
		r = empty_capability_sets();
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (!r && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = -errno;
	if (!r)
		r = check_no_way_back();
	if (r < 0)
		return error_set(ret_error, r,
				 "cannot give up root: %s; start as root with CAP_SETUID, "
				 "CAP_SETGID and CAP_SETPCAP, or as another account that is not in "
				 "root's group",
				 strerror(-r));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* After privilege_drop() /proc/self/status shows nothing left, and nothing can be had back. */
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "privilege.h"

/* The first words behind "Name:" in /proc/self/status, tabs as blanks. */
static int status_is(const char *name, const char *expected)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int same = 0;

	while (status && fgets(line, sizeof(line), status)) {
		char *value = line + strlen(name);

		if (strncmp(line, name, strlen(name)) || *value != ':')
			continue;
		value += 1 + strspn(value + 1, "\t ");
		value[strcspn(value, "\n")] = '\0';
		for (char *tab = value; (tab = strchr(tab, '\t'));)
			*tab = ' ';
		same = !strncmp(value, expected, strlen(expected)) &&
		       (*expected || !value[strspn(value, " ")]);
		if (!same)
			fprintf(stderr, "%s: \"%s\", expected \"%s\"\n", name, value, expected);
	}
	if (status)
		fclose(status);
	return same;
}

static const char *const empty[] = {"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"};

/* In a child: a test program must stay what it is. Returns which check failed, 0: none. */
static int check_dropped(void)
{
	struct error error = {0};

	if (privilege_drop(&error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	for (int i = 0; i < 5; i++)
		if (!status_is(empty[i], "0000000000000000"))
			return 10 + i;
	if (!status_is("NoNewPrivs", "1") || !status_is("Groups", ""))
		return 2;
	if (status_is("Uid", "0 ") || status_is("Gid", "0 "))
		return 3;
	if (seteuid(0) == 0 || setuid(0) == 0 || access("/proc/1/environ", R_OK) == 0)
		return 4;
	return 0;
}

static void assert_child(int (*check)(void))
{
	int status;
	pid_t child;

	if (geteuid() != 0) {
		print_message("skip: giving up root needs root\n");
		skip();
	}
	child = fork();
	if (child == 0)
		_exit(check());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void leaves_nothing(void **state)
{
	assert_child(check_dropped);
}

/* Becomes another account that has just these capabilities, as systemd starts it. */
static int become(const cap_value_t *capabilities, int count)
{
	cap_t own = cap_init();
	int r;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		return -1;
	cap_set_flag(own, CAP_PERMITTED, count, capabilities, CAP_SET);
	cap_set_flag(own, CAP_EFFECTIVE, count, capabilities, CAP_SET);
	cap_set_flag(own, CAP_INHERITABLE, count, capabilities, CAP_SET);
	r = cap_set_proc(own);
	for (int i = 0; i < count && !r; i++)
		r = cap_set_ambient(capabilities[i], CAP_SET);
	cap_free(own);
	return r;
}

static int check_account_with_capabilities(void)
{
	static const cap_value_t loading[] = {CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN};
	struct error error = {0};

	if (become(loading, 3) < 0 || !privilege_can_load())
		return 1;
	if (privilege_drop(&error) < 0)
		return 2;
	for (int i = 0; i < 4; i++)
		if (!status_is(empty[i], "0000000000000000"))
			return 10 + i;
	if (!status_is("Uid", "65534 ") || !status_is("NoNewPrivs", "1"))
		return 3;
	return privilege_can_load() ? 4 : 0;
}

static void an_account_with_capabilities_loses_them(void **state)
{
	assert_child(check_account_with_capabilities);
}

static int check_account_without(void)
{
	return become(NULL, 0) < 0 || privilege_can_load() ? 1 : 0;
}

static void an_account_without_cannot_load(void **state)
{
	assert_child(check_account_without);
}

static int check_group_of_root(void)
{
	static const gid_t root = 0;
	struct error error = {0};

	if (setgroups(1, &root) < 0 || setresgid(65534, 65534, 65534) < 0 ||
	    setresuid(65534, 65534, 65534) < 0)
		return 1;
	return privilege_drop(&error) < 0 && strstr(error.text, "root's group") ? 0 : 2;
}

static void the_group_of_root_is_refused(void **state)
{
	assert_child(check_group_of_root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_nothing),
		cmocka_unit_test(an_account_with_capabilities_loses_them),
		cmocka_unit_test(an_account_without_cannot_load),
		cmocka_unit_test(the_group_of_root_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

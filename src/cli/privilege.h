/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up root for good, once the kernel side is loaded and the port is bound.
 *
 * After privilege_drop() the process is an unprivileged account without groups, without a single
 * capability in any set, and cannot gain any: the bounding set is empty and no_new_privs is set.
 * Nobody of the same account can read or trace it (not dumpable). Memory, sockets and BPF objects
 * that are open stay usable: what needs them needs no capability.
 *
 * Started as root it becomes the account below. Started as another account with ambient
 * capabilities (the unit of systemd does so) it stays that account; the bounding set is left alone
 * then unless CAP_SETPCAP is there, since no_new_privs takes its meaning away.
 *
 * Call it before there are threads: capabilities belong to each thread.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

#define PRIVILEGE_USER       "millrace" /* this account if there is one, else nobody */
#define PRIVILEGE_USER_ELSE  "nobody"
#define PRIVILEGE_ID_DEFAULT 65534

/* What loading cannot do without: CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN; and CAP_NET_ADMIN.
 * Root is let through, since the kernel's refusal tells which one is missing.
 */
bool privilege_can_load(void);
/* The account that privilege_drop() changes to; who is not root stays who he is. */
void privilege_account(unsigned int *ret_uid, unsigned int *ret_gid);

int privilege_drop(struct error *ret_error);

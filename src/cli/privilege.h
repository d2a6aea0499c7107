/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up root for good, once the kernel side is loaded and the port is bound.
 *
 * After privilege_drop() the process is an unprivileged account without groups, without a single
 * capability in any set, and cannot gain any: the bounding set is empty and no_new_privs is set.
 * Nobody of the same account can read or trace it (not dumpable). Memory, sockets and BPF objects
 * that are open stay usable: what needs them needs no capability.
 *
 * Call it before there are threads: capabilities belong to each thread.
 */
#pragma once

#include "base/error.h"

#define PRIVILEGE_USER       "millrace" /* this account if there is one, else nobody */
#define PRIVILEGE_USER_ELSE  "nobody"
#define PRIVILEGE_ID_DEFAULT 65534

int privilege_drop(struct error *ret_error);

/* For who was not started as root: gives up what capabilities there are, and any way to more. */
int privilege_drop_rest(struct error *ret_error);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adoption, the agent's half: runs the kernel's walks over what was open before (bpf/adopt.h), over
 * the open files once and over the TCP sockets of each network namespace. Needs root.
 */
#pragma once

#include "base/error.h"

struct probe;

int adopt_open_sockets(struct probe *p, struct error *ret_error);

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The address of a kernel object as a number.
 *
 * The verifier lets nobody calculate with a pointer, but the difference of two pointers is a
 * number. So one fixed object's address is read out once, by the only helper that can, and every
 * other address is that plus a difference: two instructions instead of a call.
 */
#pragma once

#include "kernel.h"

__u64 mr_origin;         /* any object that stays where it is */
__u64 mr_origin_address; /* where that is; 0 until address_learn() */

static __always_inline void address_learn(void)
{
	void *volatile origin = &mr_origin;

	bpf_probe_read_kernel(&mr_origin_address, sizeof(mr_origin_address), (const void *)&origin);
}

static __always_inline u64 address_of(const void *object)
{
	u64 distance = (u64)object;

	asm volatile("%0 -= %1" : "+r"(distance) : "r"(&mr_origin));
	return mr_origin_address + distance;
}

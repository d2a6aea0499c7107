/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's reasons for freeing a packet, by their names: numbers differ from kernel to kernel,
 * so names are read from the running one's BTF, and a reason that we have never heard of counts
 * under the name it has there.
 *
 * Pure: names in, names out.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../bpf/flow.h"

#define DROP_REASON_NAME_MAX 63

struct drop_reasons {
	char name[MR_DROP_REASONS][DROP_REASON_NAME_MAX + 1]; /* "NETFILTER_DROP"; "": no such */
	uint8_t ignored[MR_DROP_REASONS];                     /* 1: no drop */
};

/* No reason is known: all are ignored. */
void drop_reasons_init(struct drop_reasons *r);

/* A reason as the kernel calls it: "SKB_DROP_REASON_NETFILTER_DROP". Those above
 * MR_DROP_REASONS are left out. */
void drop_reasons_add(struct drop_reasons *r, uint32_t number, const char *kernel_name);

/* The name of a reason, never NULL. */
const char *drop_reasons_name(const struct drop_reasons *r, uint32_t number);

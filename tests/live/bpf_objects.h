/* SPDX-License-Identifier: Apache-2.0 */
/* Which BPF objects named mr_* the kernel holds: by bpf(2), without any library. */
#pragma once

#include <stdint.h>

#define BPF_OBJECTS_MAX 512

struct bpf_objects {
	unsigned int count;
	struct {
		char kind; /* 'p'rogram, 'm'ap, 'l'ink */
		uint32_t id;
		char name[16];
	} object[BPF_OBJECTS_MAX];
};

void bpf_objects_read(struct bpf_objects *ret);
/* Those of `of` that are not in `without` and still exist; 0: all gone. */
unsigned int bpf_objects_left(const struct bpf_objects *of, const struct bpf_objects *without);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What addresses are called where they were asked for: by machine and network namespace, as agents
 * told. The newest name of an address stays until another is told.
 *
 * Bounded: the one unused for longest makes room. Names come from the network: only printable ASCII
 * of at most NAME_TEXT_MAX bytes is taken.
 */
#pragma once

#include <stdint.h>

#include "base/lru.h"

#define NAME_TEXT_MAX 255

struct names {
	struct lru *entries;
};

int names_init(struct names *n, uint32_t max); /* -ENOMEM */
void names_done(struct names *n);              /* accepts an all-zero one */

/* 1: it is news, else 0. -EINVAL: no name that can be shown. */
int names_learn(struct names *n, uint32_t machine, uint32_t netns, const uint8_t address[16],
		const char *name);

/* NULL: not known. Good until the next names_learn(). */
const char *names_find(const struct names *n, uint32_t machine, uint32_t netns,
		       const uint8_t address[16]);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of bytes under small numbers, each once: the strings and the addresses of a batch on their
 * way out. Grows in an arena with what is put in; whoever puts in bounds it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct intern_piece {
	const void *data; /* borrowed */
	size_t size;
	uint32_t hash;
};

struct intern {
	struct arena *arena; /* borrowed */
	struct intern_piece *pieces;
	size_t count, bytes; /* pieces, and all of theirs */
	uint32_t *slots;     /* index of a piece and one; 0: free */
	size_t slot_count;   /* a power of two, at least twice as many as pieces */
};

/* The index of the piece equal to this one, from 0; put in if there was none. data must outlive the
 * table. -ENOMEM. */
int intern_add(struct intern *t, const void *data, size_t size, uint32_t *ret_index);

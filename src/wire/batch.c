/* SPDX-License-Identifier: Apache-2.0 */
/* Batches and answers are born and die here; see batch.h. */
#include "wire/batch.h"

const char *wire_transport_name(uint8_t transport)
{
	return transport == WIRE_TRANSPORT_UDP ? "udp" : "tcp";
}

struct wire_batch *wire_batch_new(void)
{
	struct arena *arena = arena_new();
	struct wire_batch *b = arena ? arena_alloc(arena, sizeof(*b)) : NULL;

	if (!b) {
		arena_free(arena);
		return NULL;
	}
	b->arena = arena;
	return b;
}

struct wire_batch *wire_batch_free(struct wire_batch *b)
{
	if (b)
		arena_free(b->arena);
	return NULL;
}

struct wire_answer *wire_answer_new(void)
{
	struct arena *arena = arena_new();
	struct wire_answer *a = arena ? arena_alloc(arena, sizeof(*a)) : NULL;

	if (!a) {
		arena_free(arena);
		return NULL;
	}
	a->arena = arena;
	return a;
}

struct wire_answer *wire_answer_free(struct wire_answer *a)
{
	if (a)
		arena_free(a->arena);
	return NULL;
}

struct histogram *wire_histogram(struct arena *a, struct histogram **h)
{
	if (!*h)
		*h = arena_alloc(a, sizeof(**h));
	return *h;
}

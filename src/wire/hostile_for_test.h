/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as a stranger may send them, and what becomes of them. Every helper fails the test when
 * something goes wrong. */
#pragma once

#include "millrace.pb-c.h"
#include "wire/decode.h"

struct hostile_bytes {
	uint8_t *data; /* owned, for free() */
	size_t size;
};

/* A small batch with rows of every kind. */
struct wire_batch *hostile_batch(void);

struct hostile_bytes hostile_encode(const struct wire_batch *b);
/* What is in a frame, and a frame of that. */
struct hostile_bytes hostile_content(struct hostile_bytes frame);
struct hostile_bytes hostile_frame(const void *content, size_t size);
/* A frame of the batch's messages after a change. */
struct hostile_bytes hostile_change(const struct wire_batch *b, void (*how)(Millrace__Batch *m));

/* Decodes bytes at the end of their memory; what is refused has a reason, what is not a batch. */
int hostile_decode(const uint8_t *data, size_t size, const struct wire_limits *limits,
		   struct wire_batch **ret, struct error *error);
/* With this code, and these words in its line. */
void hostile_hold_refused(const uint8_t *data, size_t size, const struct wire_limits *limits,
			  int code, const char *reason);

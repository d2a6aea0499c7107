/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches as agents really send them, to be sent by a test: caught in place of a server, made
 * different, and posted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.h"

/* A request to /api/v1/batches. */
struct caught {
	char now[32];  /* header Millrace-Now; "": it was not there */
	uint8_t *body; /* owned */
	size_t size;
};

/*
 * Runs an agent on the node, with this name, against a server that is none: what it posts first is
 * caught, and nothing of it answered. The agent is killed. NULL-safe to free with caught_free().
 */
bool agent_catch(struct cluster_node *n, const char *name, bool other_machine, struct caught *ret);
void caught_free(struct caught *k);

/* What a frame holds, and the frame of something. Owned; NULL: not possible. */
uint8_t *frame_open(const uint8_t *frame, size_t size, size_t *ret_size);
uint8_t *frame_make(const uint8_t *content, size_t size, bool says_size, size_t *ret_size);

/* One POST. "" or NULL: without that header. Its status, -1: none; the start of the answer. */
struct post {
	const char *path, *token, *now, *type;
	const void *body;
	size_t size;
	bool chunked;
};
int post_send(const struct millrace *server, const struct post *p, char *answer,
	      size_t answer_size);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where top's answers come from: a thread that asks the server, so that a slow one never holds up
 * the keys.
 *
 * It asks as soon as the question has changed, else once an interval. One answer at a time waits to
 * be taken; a file descriptor becomes readable when there is one.
 */
#pragma once

#include "base/error.h"
#include "command.h"
#include "top_view.h"

struct top_source;

/* Asks once, and waits for it; what `--once` shows. -EINVAL: the server refused the question, or
 * the span is too short to hold a window. */
int top_ask(const struct server_access *server, const struct top_question *q, struct top_table *ret,
	    struct error *ret_error);

/* One answer, or why there is none. */
struct top_news {
	int r;
	struct top_table table; /* when r is 0 */
	struct error error;     /* when it is not */
	uint32_t number;        /* of the question */
};

int top_source_start(struct top_source **ret, const struct server_access *server,
		     const struct top_question *q);
struct top_source *top_source_stop(struct top_source *s); /* always NULL; accepts NULL */
int top_source_fd(const struct top_source *s);

/* Asks this from now on; at once if its number is new. */
void top_source_set(struct top_source *s, const struct top_question *q);

/* Takes what waits; false: nothing does. */
bool top_source_take(struct top_source *s, struct top_news *ret);

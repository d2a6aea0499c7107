/* SPDX-License-Identifier: Apache-2.0 */
/* The store as /api/v1/agents and /healthz tell of it. */
#include <stdio.h>

#include "server/api.h"

static void emit_levels(struct emit *e, const struct store_status *s)
{
	emit_array_begin(e, "levels");
	for (unsigned int i = 0; i < LEVEL_COUNT; i++) {
		emit_object_begin(e, NULL);
		emit_string(e, "level", store_level_kinds[i].name);
		emit_seconds(e, "oldest", s->levels[i].oldest_ns);
		emit_seconds(e, "closed", s->levels[i].closed_ns);
		emit_counter(e, "cut_rows", s->levels[i].cut_rows);
		emit_object_end(e);
	}
	emit_array_end(e);
}

void api_emit_store(struct emit *e, const struct api *a)
{
	struct store_status s;

	if (!a->keep || !a->keep->store) {
		emit_null(e, "store");
		return;
	}
	store_status(a->keep->store, &s);
	emit_object_begin(e, "store");
	emit_string(e, "path", s.path);
	emit_counter(e, "bytes", s.bytes);
	emit_counter(e, "bytes_max", s.bytes_max);
	emit_integer(e, "waiting", (int64_t)s.queued);
	emit_seconds(e, "waiting_since", s.queued_since_ns);
	emit_counter(e, "errors", s.errors);
	emit_string(e, "error", s.error);
	emit_counter(e, "tidy_errors", s.tidy_errors);
	emit_string(e, "tidy_error", s.tidy_error);
	emit_counter(e, "lost_batches", a->keep->lost);
	emit_counter(e, "late_blocks", s.late_blocks);
	emit_counter(e, "cuts_ignored", s.cuts_ignored);
	emit_counter(e, "damaged_blocks", s.damaged_blocks);
	emit_levels(e, &s);
	emit_object_end(e);
}

void api_healthz(void *userdata, struct http_request *r)
{
	struct api *a = userdata;
	char text[400];
	struct store_status s;

	if (a->keep && a->keep->store) {
		store_status(a->keep->store, &s);
		if (s.error[0]) {
			snprintf(text, sizeof(text),
				 "the store cannot be written, agents keep what they have: %s\n",
				 s.error);
			http_reply_text(r, 503, text);
			return;
		}
	}
	http_reply_text(r, 200, "ok\n");
}

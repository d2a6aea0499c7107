/* SPDX-License-Identifier: Apache-2.0 */
/* See reader.h: rows of the file as structs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/reader_internal.h"
#include "wire/numbers.h"

/* --- blocks --------------------------------------------------------------------------------- */

static void name_losses(const struct reader *r, struct reader_block *b)
{
	for (unsigned int i = 0; i < BLOCK_CAUSES_MAX; i++)
		if (b->block.loss[i] && r->causes.place[i])
			b->loss[r->causes.place[i] - 1] += b->block.loss[i];
}

static int read_block(struct reader *r, sqlite3_stmt *s, struct reader_block *ret)
{
	int e;

	*ret = (struct reader_block){.reporter = db_u64(s, 0),
				     .start_ns = db_u64(s, 1),
				     .end_ns = db_u64(s, 2),
				     .merged = db_u64(s, 3)};
	e = block_unpack(r->zip, sqlite3_column_blob(s, 4), (size_t)sqlite3_column_bytes(s, 4),
			 &ret->block);
	if (!e)
		name_losses(r, ret);
	return e;
}

static int take_block(struct reader *r, sqlite3_stmt *s, reader_block_fn each, void *userdata)
{
	struct reader_block b;
	int e = read_block(r, s, &b);

	if (!e)
		e = each(userdata, &b);
	block_done(&b.block);
	return e;
}

int reader_block(struct reader *r, uint64_t id, struct reader_block *ret)
{
	sqlite3_stmt *s = reader_statement(r, READ_BLOCK);
	int e;

	*ret = (struct reader_block){0};
	db_bind_u64(s, 1, id);
	e = db_row(s);
	if (e <= 0)
		return e < 0 ? e : -ENOENT;
	e = read_block(r, s, ret);
	sqlite3_reset(s);
	return e;
}

int reader_blocks(struct reader *r, const struct reader_piece *piece, reader_block_fn each,
		  void *userdata, uint64_t *ret_damaged)
{
	sqlite3_stmt *s = reader_statement(r, READ_BLOCKS);
	int e;

	db_bind_u64(s, 1, piece->level);
	db_bind_u64(s, 2, piece->from_ns);
	db_bind_u64(s, 3, piece->to_ns);
	while ((e = db_row(s)) > 0) {
		e = take_block(r, s, each, userdata);
		*ret_damaged += e == -EUCLEAN;
		if (e < 0 && e != -EUCLEAN)
			break;
	}
	sqlite3_reset(s);
	return e;
}

int reader_gauges(struct reader *r, uint64_t reporter, uint64_t at_ns, struct gauge_list *ret,
		  uint64_t *ret_end_ns)
{
	sqlite3_stmt *s = reader_statement(r, READ_GAUGES);
	int e;

	*ret_end_ns = 0;
	ret->count = 0;
	db_bind_u64(s, 1, reporter);
	db_bind_u64(s, 2, at_ns);
	e = db_row(s);
	if (e <= 0)
		return e;
	*ret_end_ns = db_u64(s, 0);
	e = gauge_list_read(ret, sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1));
	sqlite3_reset(s);
	return e;
}

/* --- dictionaries --------------------------------------------------------------------------- */

static void read_address(sqlite3_stmt *s, int column, uint8_t ret[16])
{
	memset(ret, 0, 16);
	if (sqlite3_column_bytes(s, column) == 16)
		memcpy(ret, sqlite3_column_blob(s, column), 16);
}

static const char *read_text(sqlite3_stmt *s, int column, struct arena *arena)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return arena_strdup(arena, text ? text : "");
}

static int read_flow(struct reader *r, uint64_t id, struct store_flow *ret)
{
	sqlite3_stmt *s = reader_statement(r, READ_FLOW);
	int e;

	db_bind_u64(s, 1, id);
	e = db_row(s);
	if (e <= 0)
		return e < 0 ? e : -ENOENT;
	*ret = (struct store_flow){.id = id,
				   .reporter = db_u64(s, 0),
				   .machine = (uint32_t)db_u64(s, 1),
				   .actor = db_u64(s, 2),
				   .netns = (uint32_t)db_u64(s, 3),
				   .port = (uint16_t)db_u64(s, 4),
				   .via_port = (uint16_t)db_u64(s, 5),
				   .transport = (uint8_t)db_u64(s, 6),
				   .role = (uint8_t)db_u64(s, 7),
				   .coarse = db_u64(s, 8) & 1,
				   .unresolved = db_u64(s, 8) >> 1 & 1,
				   .first_ns = db_u64(s, 12),
				   .last_ns = db_u64(s, 13)};
	read_address(s, 9, ret->local);
	read_address(s, 10, ret->remote);
	read_address(s, 11, ret->via);
	sqlite3_reset(s);
	return 0;
}

/* Questions about the past ask for the same flows again and again. Without memory they are read. */
static void remember_flow(struct reader *r, const struct store_flow *flow)
{
	uint32_t place = (uint32_t)r->known_flows.count;

	if (place == READER_FLOWS_MAX) {
		idmap_done(&r->known_flows);
		place = 0;
	}
	if (!r->flows)
		r->flows = malloc(READER_FLOWS_MAX * sizeof(*r->flows));
	if (r->flows && !idmap_put(&r->known_flows, flow->id, place))
		r->flows[place] = *flow;
}

int reader_flow(struct reader *r, uint64_t id, struct store_flow *ret)
{
	uint32_t place;
	int e;

	if (idmap_get(&r->known_flows, id, &place)) {
		*ret = r->flows[place];
		return 0;
	}
	e = read_flow(r, id, ret);
	if (!e)
		remember_flow(r, ret);
	return e;
}

int reader_actor(struct reader *r, uint64_t id, struct arena *arena, struct store_actor *ret)
{
	sqlite3_stmt *s = reader_statement(r, READ_ACTOR);
	int e;

	db_bind_u64(s, 1, id);
	e = db_row(s);
	if (e <= 0)
		return e < 0 ? e : -ENOENT;
	*ret = (struct store_actor){.id = id,
				    .reporter = db_u64(s, 0),
				    .pid = (uint32_t)db_u64(s, 1),
				    .other = db_u64(s, 2),
				    .process = read_text(s, 3, arena),
				    .unit = read_text(s, 4, arena),
				    .container = read_text(s, 5, arena),
				    .pod = read_text(s, 6, arena),
				    .cgroup = read_text(s, 7, arena),
				    .first_ns = db_u64(s, 8),
				    .last_ns = db_u64(s, 9)};
	sqlite3_reset(s);
	return ret->process && ret->unit && ret->container && ret->pod && ret->cgroup ? 0 : -ENOMEM;
}

/* Each row of a statement through a function that reads it and hands it on. */
typedef int (*read_fn)(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata);

static int for_each(sqlite3_stmt *s, read_fn read, struct arena *arena, reader_row_fn each,
		    void *userdata)
{
	int e;

	while ((e = db_row(s)) > 0) {
		e = read(s, arena, each, userdata);
		if (e < 0)
			break;
	}
	sqlite3_reset(s);
	return e;
}

static void read_losses(sqlite3_stmt *s, int column, uint64_t ret[WIRE_LOSS_COUNT])
{
	const uint8_t *bytes = sqlite3_column_blob(s, column);
	int size = sqlite3_column_bytes(s, column);
	struct row_reader r = {bytes, bytes + size, 0};

	while (size && row_more(&r)) {
		int place = wire_number_find(&wire_loss_numbers, row_read_number(&r));
		uint64_t count = row_more(&r) ? row_read_number(&r) : 0;

		if (place >= 0)
			ret[place] = count;
	}
}

static int read_reporter(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	struct store_reporter a = {.id = db_u64(s, 0),
				   .machine = (uint32_t)db_u64(s, 1),
				   .node = read_text(s, 2, arena),
				   .boot_id = read_text(s, 3, arena),
				   .version = read_text(s, 4, arena),
				   .kernel = read_text(s, 5, arena),
				   .hooks = read_text(s, 6, arena),
				   .zone = read_text(s, 7, arena),
				   .region = read_text(s, 8, arena),
				   .cgroup = read_text(s, 9, arena),
				   .started_ns = db_u64(s, 10),
				   .started_wall_ns = db_u64(s, 11),
				   .last_seen_ns = db_u64(s, 12),
				   .last_window_ns = db_u64(s, 13),
				   .window_ns = db_u64(s, 14),
				   .sequence = db_u64(s, 15),
				   .batches = db_u64(s, 16)};

	if (sqlite3_column_bytes(s, 17) == STORE_HASH_SIZE)
		memcpy(a.hash, sqlite3_column_blob(s, 17), STORE_HASH_SIZE);
	read_losses(s, 18, a.loss);
	if (!a.node || !a.boot_id || !a.version || !a.kernel || !a.hooks || !a.zone || !a.region ||
	    !a.cgroup)
		return -ENOMEM;
	return each(userdata, &a);
}

int reader_reporters(struct reader *r, struct arena *arena, reader_row_fn each, void *userdata)
{
	return for_each(reader_statement(r, READ_REPORTERS), read_reporter, arena, each, userdata);
}

static int read_ref(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	const struct reader_ref ref = {.id = db_u64(s, 0),
				       .reporter = db_u64(s, 1),
				       .start_ns = db_u64(s, 2),
				       .end_ns = db_u64(s, 3),
				       .merged = db_u64(s, 4)};

	return each(userdata, &ref);
}

int reader_refs(struct reader *r, const struct reader_piece *piece, reader_row_fn each,
		void *userdata)
{
	sqlite3_stmt *s = reader_statement(r, READ_REFS);

	db_bind_u64(s, 1, piece->level);
	db_bind_u64(s, 2, piece->from_ns);
	db_bind_u64(s, 3, piece->to_ns);
	return for_each(s, read_ref, NULL, each, userdata);
}

static int read_reason(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	const struct store_reason reason = {(uint32_t)db_u64(s, 0),
					    (const char *)sqlite3_column_text(s, 1)};

	return reason.name ? each(userdata, &reason) : 0;
}

int reader_reasons(struct reader *r, reader_row_fn each, void *userdata)
{
	return for_each(reader_statement(r, READ_REASONS), read_reason, NULL, each, userdata);
}

static int read_name(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	struct store_name n = {.machine = (uint32_t)db_u64(s, 0),
			       .netns = (uint32_t)db_u64(s, 1),
			       .name = (const char *)sqlite3_column_text(s, 3)};

	read_address(s, 2, n.address);
	return n.name ? each(userdata, &n) : 0;
}

int reader_names(struct reader *r, uint32_t max, reader_row_fn each, void *userdata)
{
	sqlite3_stmt *s = reader_statement(r, READ_NAMES);

	db_bind_u64(s, 1, max);
	return for_each(s, read_name, NULL, each, userdata);
}

static int read_event(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	const struct store_event e = {.first_ns = db_u64(s, 0),
				      .last_ns = db_u64(s, 1),
				      .actor = db_u64(s, 2),
				      .reporter = db_u64(s, 3),
				      .pid = (uint32_t)db_u64(s, 4),
				      .count = (uint32_t)db_u64(s, 5),
				      .kind = (uint8_t)db_u64(s, 6),
				      .scope = (uint8_t)db_u64(s, 7),
				      .code = (uint8_t)db_u64(s, 8),
				      .oom = db_u64(s, 9) & 1,
				      .child = db_u64(s, 9) >> 1 & 1};

	return each(userdata, &e);
}

int reader_events(struct reader *r, uint64_t from_ns, uint64_t to_ns, uint32_t max,
		  reader_row_fn each, void *userdata)
{
	sqlite3_stmt *s = reader_statement(r, READ_EVENTS);

	db_bind_u64(s, 1, from_ns);
	db_bind_u64(s, 2, to_ns);
	db_bind_u64(s, 3, max);
	return for_each(s, read_event, NULL, each, userdata);
}

static int read_listener(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	struct store_listener l = {.actor = db_u64(s, 0),
				   .netns = (uint32_t)db_u64(s, 1),
				   .port = (uint16_t)db_u64(s, 3),
				   .transport = (uint8_t)db_u64(s, 4),
				   .queue_max = (uint32_t)db_u64(s, 5)};

	read_address(s, 2, l.address);
	return each(userdata, &l);
}

int reader_listeners(struct reader *r, uint64_t reporter, reader_row_fn each, void *userdata)
{
	sqlite3_stmt *s = reader_statement(r, READ_LISTENERS);

	db_bind_u64(s, 1, reporter);
	return for_each(s, read_listener, NULL, each, userdata);
}

static int read_cover(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	struct store_cover c = {.netns = (uint32_t)db_u64(s, 0)};

	read_address(s, 1, c.address);
	return each(userdata, &c);
}

int reader_covers(struct reader *r, uint64_t reporter, reader_row_fn each, void *userdata)
{
	sqlite3_stmt *s = reader_statement(r, READ_COVERS);

	db_bind_u64(s, 1, reporter);
	return for_each(s, read_cover, NULL, each, userdata);
}

static int read_life(sqlite3_stmt *s, struct arena *arena, reader_row_fn each, void *userdata)
{
	const struct reader_life life = {db_u64(s, 0), db_u64(s, 1), db_u64(s, 2)};

	return each(userdata, &life);
}

int reader_lives(struct reader *r, uint64_t from_ns, uint64_t to_ns, reader_row_fn each,
		 void *userdata)
{
	sqlite3_stmt *s = reader_statement(r, READ_LIVES);

	db_bind_u64(s, 1, from_ns);
	db_bind_u64(s, 2, to_ns);
	return for_each(s, read_life, NULL, each, userdata);
}

int reader_numbers(struct reader *r, struct reader_numbers *ret)
{
	sqlite3_stmt *s = reader_statement(r, READ_NUMBERS);
	int e = db_row(s);

	if (e > 0)
		*ret = (struct reader_numbers){db_u64(s, 0), db_u64(s, 1), db_u64(s, 2) >> 1,
					       (uint32_t)(sqlite3_column_int64(s, 3) + 1)};
	sqlite3_reset(s);
	return e < 0 ? e : 0;
}

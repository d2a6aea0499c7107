/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves: what is kept is what came in. A core filled from the store answers as the one that took
 * the batches in, for any range by the borders of its slots, at every level, with gauges, over
 * restarts of agents and late windows; numbers go on after a restart; a full disk loses nothing;
 * retention by age and size; older schemas are brought up to date, newer and foreign ones refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/core.h"
#include "server/fill.h"
#include "server/store/store.h"
#include "server/store/writer.h"
#include "server/world_for_test.h"

#define AGENTS 3
#define FLOWS  12 /* of each agent */
#define HOUR   (3600 * WORLD_SECOND)

struct kept {
	char folder[64], path[96];
	struct world w[AGENTS];
	struct writer writer;
	uint64_t random;
};

static uint64_t random64(struct kept *k)
{
	k->random ^= k->random << 13;
	k->random ^= k->random >> 7;
	k->random ^= k->random << 17;
	return k->random;
}

/* Keeps every window as it came, so that it can be asked for any range. */
static const struct core_config everything = {
	.history_bytes_max = 1 << 30, .fine_ns = 1000 * HOUR, .retain_ns = 1000 * HOUR};

static void open_writer(struct kept *k, const struct writer_limits *limits)
{
	struct error error = {""};

	if (writer_open(&k->writer, k->path, limits, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(db_run(k->writer.db, "PRAGMA synchronous = OFF"), 0); /* thousands */
}

static void define(struct world *w, unsigned int agent)
{
	char address[32], remote[32];

	world_actor(w, 1, "wrk", "user.scope");
	world_actor(w, 2, "nginx", "nginx.service");
	for (unsigned int i = 0; i < FLOWS; i++) {
		snprintf(address, sizeof(address), "10.%u.0.1", agent);
		snprintf(remote, sizeof(remote), "10.%u.0.%u", (agent + 1) % AGENTS, i % 4 + 1);
		if (i % 3)
			world_client(w, i + 1, 1, 7, address, remote, (uint16_t)(80 + i));
		else
			world_server(w, i + 1, 2, 7, address, remote, (uint16_t)(80 + i));
	}
}

static void start(struct kept *k, const struct writer_limits *limits)
{
	static const char *const names[] = {"", "node-b", "node-c"};

	*k = (struct kept){.random = 88172645463325252u};
	strcpy(k->folder, "/tmp/millrace-store-XXXXXX");
	assert_non_null(mkdtemp(k->folder));
	snprintf(k->path, sizeof(k->path), "%s/millrace.db", k->folder);
	world_init(&k->w[0], &everything);
	for (unsigned int i = 1; i < AGENTS; i++)
		world_join(&k->w[i], &k->w[0], names[i]);
	core_news_want(k->w[0].core);
	open_writer(k, limits);
	for (unsigned int i = 0; i < AGENTS; i++)
		define(&k->w[i], i);
}

static void stop(struct kept *k)
{
	char command[128];

	writer_close(&k->writer);
	for (unsigned int i = AGENTS; i--;)
		world_done(&k->w[i]);
	snprintf(command, sizeof(command), "rm -rf %s", k->folder);
	assert_int_equal(system(command), 0);
}

static struct store_item *take(struct kept *k, unsigned int agent)
{
	struct store_item *item;

	assert_int_equal(core_news_take(k->w[0].core, world_wall(&k->w[agent]), &item), 0);
	return item;
}

static void tidy_all(struct kept *k)
{
	int r;

	while ((r = writer_tidy(&k->writer)) > 0)
		;
	assert_int_equal(r, 0);
}

static void measure(struct world *w, struct wire_update *u, uint32_t rtt_us)
{
	if (!u->rtt_us)
		u->rtt_us = arena_alloc(w->batch->arena, sizeof(*u->rtt_us));
	histogram_add(u->rtt_us, rtt_us);
}

static void move(struct kept *k, struct world *w)
{
	for (uint32_t flow = 1; flow <= FLOWS; flow++) {
		struct wire_update *u;

		if (random64(k) % 4)
			continue;
		u = world_traffic(w, flow, random64(k) % 5000, random64(k) % 100000,
				  random64(k) % 2);
		u->counter[MR_ATTEMPTED] = 1 + random64(k) % 2;
		for (uint64_t n = random64(k) % 5; n--;)
			measure(w, u, (uint32_t)(random64(k) % 100000));
	}
}

/* One window of one agent; late: it is delivered when others have gone on. */
static void window(struct kept *k, unsigned int agent)
{
	struct world *w = &k->w[agent];
	struct store_item *item;

	move(k, w);
	world_send(w);
	item = take(k, agent);
	assert_int_equal(writer_commit(&k->writer, item), 0);
	store_item_free(item);
}

/* Some of each; an agent may begin a new life. */
static void live(struct kept *k, unsigned int windows, double window_s)
{
	while (windows--) {
		for (unsigned int i = 0; i < AGENTS; i++) {
			k->w[i].window_ns = (uint64_t)(window_s * 1e9);
			if (random64(k) % 200 == 0) {
				world_restart(&k->w[i]);
				define(&k->w[i], i);
			}
			window(k, i);
		}
		tidy_all(k);
	}
}

/* --- comparing ------------------------------------------------------------------------------ */

struct answers {
	struct arena *arena;
	struct query_graph kept, asked;
};

static struct core *core_from(struct kept *k, const struct reader_range *range, bool sums,
			      struct fill_result *ret)
{
	const struct fill_request request = {.range = *range, .sums = sums};
	struct core_config config = everything;
	struct error error = {""};
	struct reader reader;
	struct core *c;

	if (reader_open(&reader, k->path, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(core_new(&c, &config), 0);
	assert_int_equal(reader_begin(&reader), 0);
	assert_int_equal(core_fill(c, &reader, &request, ret), 0);
	reader_end(&reader);
	reader_close(&reader);
	assert_int_equal(ret->damaged, 0);
	return c;
}

static void ask(struct core *c, const struct query_range *range, struct arena *arena,
		struct query_graph *ret)
{
	struct query_graph_request request = {.range = *range, .now_ns = range->to_ns};

	assert_int_equal(query_group_parse(&request.group, "process", NULL), 0);
	assert_int_equal(query_graph(c, &request, arena, ret), 0);
}

static const struct query_edge *find_edge(const struct query_graph *g, const char *id)
{
	for (size_t i = 0; i < g->edge_count; i++)
		if (!strcmp(g->edges[i].id, id))
			return &g->edges[i];
	return NULL;
}

/* The smallest and largest value may be known less exactly, of what was forgotten. */
static void assert_same_measures(const struct query_measures *a, const struct query_measures *b)
{
	assert_memory_equal(a->counter, b->counter, sizeof(a->counter));
	assert_memory_equal(&a->rtt_us, &b->rtt_us, sizeof(a->rtt_us));
	assert_memory_equal(&a->connect_us, &b->connect_us, sizeof(a->connect_us));
	assert_int_equal(a->wire_bytes_to_server, b->wire_bytes_to_server);
}

static void assert_same(const struct query_graph *kept, const struct query_graph *live)
{
	for (size_t i = 0; i < live->edge_count; i++) {
		const struct query_edge *l = &live->edges[i], *p = find_edge(kept, l->id);

		if (!p && !l->last_seen_ns) /* only open, and not known to be */
			continue;
		if (!p)
			fail_msg("%s is not kept", l->id);
		assert_same_measures(&p->measures, &l->measures);
		assert_int_equal(p->measures.active, l->measures.active);
		assert_int_equal(p->measures.pending, l->measures.pending);
		assert_int_equal(p->first_seen_ns, l->first_seen_ns);
		assert_true(!p->server_view == !l->server_view);
		if (p->server_view)
			assert_same_measures(p->server_view, l->server_view);
	}
	for (size_t i = 0; i < kept->edge_count; i++)
		if (!find_edge(live, kept->edges[i].id))
			fail_msg("%s is not live", kept->edges[i].id);
	for (size_t i = 0; i < kept->completeness.loss_count; i++)
		assert_int_equal(kept->completeness.losses[i].count,
				 live->completeness.losses[i].count);
}

/* Asks both for a range, by its borders at that resolution. */
static void compare_once(struct kept *k, uint64_t from_ns, uint64_t to_ns, unsigned int finest,
			 unsigned int coarsest, bool sums)
{
	const struct reader_range range = {from_ns, to_ns, finest, coarsest};
	struct fill_result result;
	struct core *c = core_from(k, &range, sums, &result);
	struct query_range aligned = {result.from_ns, result.to_ns};
	struct arena *arena = arena_new();
	struct query_graph kept, live;

	ask(c, &aligned, arena, &kept);
	ask(k->w[0].core, &aligned, arena, &live);
	assert_same(&kept, &live);
	arena_free(arena);
	core_free(c);
}

/* As windows, and added up. */
static void compare(struct kept *k, uint64_t from_ns, uint64_t to_ns, unsigned int finest,
		    unsigned int coarsest)
{
	compare_once(k, from_ns, to_ns, finest, coarsest, false);
	compare_once(k, from_ns, to_ns, finest, coarsest, true);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void test_any_range_at_any_level(void **state)
{
	struct kept k;
	uint64_t begin, end;

	start(&k, &(struct writer_limits){0});
	begin = world_wall(&k.w[0]);
	live(&k, 500, 0.7);
	live(&k, 1500, 5);
	live(&k, 2200, 50);
	live(&k, 30, 1);
	end = world_wall(&k.w[0]);
	assert_true(k.writer.levels[LEVEL_DAYS].closed_ns > begin);
	assert_true(k.writer.levels[LEVEL_TENS].forgotten_ns > begin);
	compare(&k, begin, end, LEVEL_FINE, LEVEL_DAYS);
	compare(&k, begin, end, LEVEL_HOURS, LEVEL_DAYS);
	compare(&k, begin, end, LEVEL_HOURS, LEVEL_HOURS);
	for (unsigned int i = 0; i < 60; i++) {
		uint64_t from = begin + random64(&k) % (end - begin);
		uint64_t to = i % 4 ? from + random64(&k) % (end - from + 1) : end;
		unsigned int finest = random64(&k) % LEVEL_COUNT;
		unsigned int coarsest = finest + random64(&k) % (LEVEL_COUNT - finest);

		compare(&k, from, to, finest, coarsest);
	}
	print_message("%llu blocks came late\n", (unsigned long long)k.writer.late_blocks);
	stop(&k);
}

/* An agent that was cut off delivers hours later, when all slots are closed. */
static void test_late(void **state)
{
	struct kept k;
	uint64_t begin, end;

	start(&k, &(struct writer_limits){0});
	begin = world_wall(&k.w[0]);
	for (unsigned int round = 0; round < 3; round++) {
		live(&k, 20, 1);
		for (unsigned int i = 0; i < 2000; i++) {
			k.w[0].window_ns = k.w[1].window_ns = 10 * WORLD_SECOND;
			window(&k, 0);
			window(&k, 1);
			tidy_all(&k);
		}
		for (unsigned int i = 0; i < 200; i++) { /* the clock of the third stood behind */
			k.w[2].window_ns = 100 * WORLD_SECOND;
			window(&k, 2);
		}
		tidy_all(&k);
	}
	end = world_wall(&k.w[0]);
	assert_true(k.writer.late_blocks > 100);
	for (unsigned int finest = 0; finest < LEVEL_COUNT; finest++)
		compare(&k, begin, end, finest, LEVEL_DAYS);
	stop(&k);
}

/* A server that begins anew goes on as if it had never ended. */
static void restart(uint64_t down_ns)
{
	struct kept k;
	struct fill_result result;
	struct error error;
	struct reader reader;
	struct core *c;
	struct fill_request request = {.continues = true, .now = true};
	struct core_config config = everything;
	struct arena *arena = arena_new();
	struct query_graph before, after;
	struct query_range range;
	uint64_t newest;

	start(&k, &(struct writer_limits){0});
	world_listener(&k.w[0], 2, 7, "0.0.0.0", 80);
	world_name(&k.w[0], 7, "10.1.0.2", "db.example");
	world_event(&k.w[0], 2);
	live(&k, 303, 1);
	k.writer.now_ns += down_ns;
	tidy_all(&k);
	assert_int_equal(reader_open(&reader, k.path, &error), 0);
	assert_int_equal(reader_begin(&reader), 0);
	assert_int_equal(reader_newest(&reader, &newest), 0);
	request.range = reader_last(newest, newest, LEVEL_TENS);
	assert_int_equal(core_new(&c, &config), 0);
	assert_int_equal(core_fill(c, &reader, &request, &result), 0);
	reader_end(&reader);
	reader_close(&reader);

	range = (struct query_range){0, world_wall(&k.w[0])};
	ask(k.w[0].core, &range, arena, &before);
	ask(c, &range, arena, &after);
	assert_same(&after, &before);
	assert_int_equal(after.node_count, before.node_count);
	assert_int_equal(c->listeners.count, k.w[0].core->listeners.count);
	assert_int_equal(events_count(&c->events), events_count(&k.w[0].core->events));
	assert_int_equal(c->reporter_count, AGENTS);
	assert_int_equal(c->reporters[AGENTS - 1].sequence, k.w[0].sequence); /* the newest first */
	assert_true(c->flows.last_permanent == k.w[0].core->flows.last_permanent);
	assert_true(c->actors.last_permanent == k.w[0].core->actors.last_permanent);
	assert_int_equal(c->machine_count, k.w[0].core->machine_count);
	core_free(c);
	arena_free(arena);
	stop(&k);
}

static void test_restart(void **state)
{
	restart(0);
}

/* By its clock what came last lies in slots that are closed by now. */
static void test_restart_later(void **state)
{
	restart(HOUR);
}

static void test_full_disk(void **state)
{
	struct writer_limits limits = {0};
	struct store_item *item;
	struct kept k;
	int r = 0;

	start(&k, &limits);
	live(&k, 5, 1);
	assert_int_equal(db_run(k.writer.db, "PRAGMA max_page_count = 60"), 0);
	for (unsigned int i = 0; i < 5000 && !r; i++) {
		move(&k, &k.w[0]);
		world_send(&k.w[0]);
		item = take(&k, 0);
		r = writer_commit(&k.writer, item);
		if (!r)
			store_item_free(item);
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(writer_commit(&k.writer, item), -ENOSPC); /* again: nothing happened */
	compare(&k, 0, world_wall(&k.w[0]) - WORLD_SECOND, LEVEL_FINE, LEVEL_FINE);
	assert_int_equal(db_run(k.writer.db, "PRAGMA max_page_count = 1000000"), 0);
	assert_int_equal(writer_commit(&k.writer, item), 0);
	store_item_free(item);
	compare(&k, 0, world_wall(&k.w[0]), LEVEL_FINE, LEVEL_FINE);
	stop(&k);
}

static int64_t number(struct kept *k, const char *sql)
{
	int64_t n;

	assert_int_equal(db_number(k->writer.db, sql, 0, &n), 0);
	return n;
}

static void test_retention(void **state)
{
	const struct writer_limits limits = {.retain_ns = 2 * HOUR};
	struct kept k;
	uint64_t now;

	start(&k, &limits);
	live(&k, 600, 60);
	now = world_wall(&k.w[0]);
	assert_true(number(&k, "SELECT min(end_ns) FROM blocks WHERE level=1") >=
		    (int64_t)(now - 2 * HOUR - 120 * WORLD_SECOND));
	assert_true(number(&k, "SELECT min(end_ns) FROM blocks WHERE level=2") >=
		    (int64_t)(now - 4 * HOUR));
	assert_true(number(&k, "SELECT count(*) FROM gauges") < 3 * 240);
	assert_int_equal(number(&k, "SELECT sum(cut_rows) FROM levels"), 0);
	/* what only older blocks named is gone; with it who it was */
	k.w[2].now_ns += 48 * HOUR;
	k.w[0].now_ns += 48 * HOUR;
	for (unsigned int i = 0; i < 300; i++) {
		k.w[0].window_ns = 60 * WORLD_SECOND;
		window(&k, 0);
		tidy_all(&k);
	}
	assert_int_equal(number(&k, "SELECT count(DISTINCT reporter) FROM flows"), 1);
	assert_int_equal(number(&k, "SELECT count(DISTINCT reporter) FROM actors"), 1);
	compare(&k, world_wall(&k.w[0]) - HOUR, world_wall(&k.w[0]), LEVEL_FINE, LEVEL_DAYS);
	stop(&k);
}

static void test_size(void **state)
{
	const struct writer_limits limits = {.bytes_max = 1 << 20};
	uint64_t bytes;
	struct kept k;

	start(&k, &limits);
	live(&k, 3000, 2);
	assert_int_equal(writer_bytes(&k.writer, &bytes), 0);
	assert_true(bytes <= limits.bytes_max);
	assert_true(number(&k, "SELECT cut_rows FROM levels WHERE level=0") > 0);
	assert_true(number(&k, "SELECT cut_rows FROM levels WHERE level=1") > 0);
	assert_true(number(&k, "SELECT count(*) FROM blocks WHERE level=2") > 0);
	assert_true(number(&k, "PRAGMA page_count") * 8192 < 2 << 20);
	compare(&k, world_wall(&k.w[0]) - 60 * WORLD_SECOND, world_wall(&k.w[0]), LEVEL_FINE,
		LEVEL_DAYS);
	stop(&k);
}

/* --- versions ------------------------------------------------------------------------------- */

static void test_newer_is_refused(void **state)
{
	const struct writer_limits limits = {0};
	struct error error = {""};
	struct writer again;
	struct kept k;

	start(&k, &limits);
	assert_int_equal(db_run(k.writer.db, "PRAGMA user_version = 1000"), 0);
	assert_int_equal(writer_open(&again, k.path, &limits, &error), -EPROTO);
	assert_non_null(strstr(error.text, "a newer millrace wrote it"));
	assert_non_null(strstr(error.text, "--data"));
	assert_int_equal(number(&k, "PRAGMA user_version"), 1000);
	stop(&k);
}

static void test_foreign_is_refused(void **state)
{
	const struct writer_limits limits = {0};
	struct error error = {""};
	struct writer w;
	char path[] = "/tmp/millrace-foreign-XXXXXX";
	sqlite3 *db;
	int fd = mkstemp(path);

	close(fd);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(db_run(db, "CREATE TABLE cats (name TEXT)"), 0);
	db_close(db);
	assert_int_equal(writer_open(&w, path, &limits, &error), -EPROTO);
	assert_non_null(strstr(error.text, "not of millrace"));
	unlink(path);
}

static void test_one_server_a_folder(void **state)
{
	char folder[] = "/tmp/millrace-lock-XXXXXX", command[64];
	struct store_config config = {.folder = folder};
	struct store *first, *second;
	struct error error = {""};

	assert_non_null(mkdtemp(folder));
	assert_int_equal(store_open(&first, &config, &error), 0);
	assert_int_equal(store_open(&second, &config, &error), -EBUSY);
	assert_non_null(strstr(error.text, "another millrace server"));
	store_free(first);
	assert_int_equal(store_open(&second, &config, &error), 0);
	store_free(second);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_range_at_any_level),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_restart_later),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_retention),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_newer_is_refused),
		cmocka_unit_test(test_foreign_is_refused),
		cmocka_unit_test(test_one_server_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keep.h"

#include <errno.h>
#include <time.h>

#include "server/core.h"
#include "server/fill.h"

static uint64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* What was last is what a server that was just started is asked for. */
static int restore(struct keep *k, struct reader *reader)
{
	struct fill_request request = {.continues = true, .now = true};
	uint64_t span = k->core->config.retain_ns;
	struct fill_result result;
	uint64_t newest;
	int r = reader_begin(reader);

	if (r < 0)
		return r;
	r = reader_newest(reader, &newest);
	request.range = reader_last(newest, span, LEVEL_TENS);
	if (!r)
		r = core_fill(k->core, reader, &request, &result);
	reader_end(reader);
	return r;
}

int keep_open(struct keep *k, const struct store_config *config, struct core *core,
	      struct error *ret_error)
{
	struct reader reader;
	int r;

	k->core = core;
	r = store_open(&k->store, config, ret_error);
	if (!r)
		r = reader_open(&reader, store_path(k->store), ret_error);
	if (r < 0) {
		keep_close(k);
		return r;
	}
	r = restore(k, &reader);
	if (r < 0) {
		error_set(ret_error, r, "cannot read %s: %s", store_path(k->store),
			  sqlite3_errmsg(reader.db));
		keep_close(k);
	}
	reader_close(&reader);
	if (!r)
		core_news_want(core);
	return r;
}

static void on_result(void *userdata, uint64_t ticket, int r)
{
	struct keep *k = userdata;

	k->on_durable(k->userdata, ticket, r);
}

int keep_start(struct keep *k, uv_loop_t *loop)
{
	return k->store ? store_start(k->store, loop, on_result, k) : 0;
}

void keep_stop(struct keep *k)
{
	if (k->store)
		store_stop(k->store);
}

void keep_close(struct keep *k)
{
	k->store = store_free(k->store);
}

void keep_batch(struct keep *k, uint64_t ticket, uint64_t now_ns)
{
	struct store_item *item;
	int r;

	if (!k->store)
		return;
	r = core_news_take(k->core, now_ns, &item);
	if (!r) {
		item->ticket = ticket;
		r = store_submit(k->store, item);
		if (r < 0)
			store_item_free(item);
	}
	k->lost += r < 0 && r != -ENOENT;
}

bool keep_has_room(const struct keep *k)
{
	return !k->store || store_has_room(k->store);
}

/* --- for batches that wait until they are durable -------------------------------------------- */

static int ready(void *userdata)
{
	struct keep *k = userdata;

	if (!k->store)
		return 0;
	return store_works(k->store) && store_has_room(k->store) ? 0 : -EAGAIN;
}

static void persist(void *userdata, const struct reporter *r, const struct wire_batch *b,
		    uint64_t ticket)
{
	keep_batch(userdata, ticket, wall_clock_ns());
}

const struct intake_store *keep_door(struct keep *k)
{
	k->door = (struct intake_store){.ready = ready, .persist = persist, .userdata = k};
	return &k->door;
}

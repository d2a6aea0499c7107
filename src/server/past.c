/* SPDX-License-Identifier: Apache-2.0 */
/* See past.h. */
#include "server/past.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/core.h"
#include "server/fill.h"

#define FRESH_PART      500 /* a range into now may be older than this part of itself */
#define NOW_NS          (2 * LEVEL_SECOND)
#define FLOWS_MAX       262144
#define ACTORS_MAX      65536
#define EVERYTHING_NS   (UINT64_C(1) << 62)
#define EVERYTHING_SIZE (SIZE_MAX / 4)

/* What a core was filled for: equal questions get the same one. */
struct key {
	enum past_mode mode;
	unsigned int finest, coarsest;
	uint64_t from_ns, to_ns; /* to_ns 0: now */
};

struct filled {
	struct key key;
	struct core *core; /* owned; NULL: free */
	struct query_range range;
	uint64_t loaded_ns, used; /* wall clock; a count */
};

struct waiter {
	struct key key;
	struct query_range range;
	past_ready_fn ready;
	void *userdata, *request;
};

struct past {
	uv_loop_t *loop;
	uv_work_t work;
	struct core *live;
	char path[512];
	struct filled cores[PAST_CORES];
	uint64_t uses;
	struct waiter waiters[PAST_WAITERS_MAX];
	size_t waiter_count;
	bool loading, closing;
	/* the worker's, while it loads */
	struct reader reader; /* opened by the first load */
	struct filled load;
	struct reader_range wanted;
	uint64_t now_ns;
	int r;
};

int past_new(struct past **ret, uv_loop_t *loop, const char *path, struct core *live)
{
	struct past *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->live = live;
	p->work.data = p;
	snprintf(p->path, sizeof(p->path), "%s", path);
	*ret = p;
	return 0;
}

void past_close(struct past *p)
{
	p->closing = true;
	p->waiter_count = 0;
}

struct past *past_free(struct past *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < PAST_CORES; i++)
		core_free(p->cores[i].core);
	reader_close(&p->reader);
	free(p);
	return NULL;
}

/* --- at which resolution -------------------------------------------------------------------- */

/* About 60 to 200 slots of that level, with those of coarser ones in their place far fewer. */
static unsigned int finest_for_sums(uint64_t span_ns)
{
	if (span_ns < 480 * LEVEL_SECOND)
		return LEVEL_FINE;
	if (span_ns < 2 * LEVEL_HOUR)
		return LEVEL_TENS;
	if (span_ns < 12 * LEVEL_HOUR)
		return LEVEL_MINUTES;
	return span_ns < 90 * LEVEL_DAY ? LEVEL_HOURS : LEVEL_DAYS;
}

static unsigned int level_for_steps(uint64_t span_ns)
{
	if (span_ns < 480 * LEVEL_SECOND)
		return LEVEL_FINE;
	if (span_ns < LEVEL_HOUR)
		return LEVEL_TENS;
	if (span_ns < 6 * LEVEL_HOUR)
		return LEVEL_MINUTES;
	return span_ns < 15 * LEVEL_DAY ? LEVEL_HOURS : LEVEL_DAYS;
}

static struct key key_of(enum past_mode mode, const struct query_range *range, uint64_t now_ns)
{
	uint64_t span = range->to_ns - range->from_ns, width;
	struct key k = {.mode = mode};

	k.finest = mode == PAST_SUMS ? finest_for_sums(span) : level_for_steps(span);
	k.coarsest = mode == PAST_SUMS ? LEVEL_DAYS : k.finest;
	width = k.finest ? level_width(k.finest) : LEVEL_SECOND;
	k.from_ns = range->from_ns - range->from_ns % width;
	if (range->to_ns + NOW_NS < now_ns)
		k.to_ns = range->to_ns - range->to_ns % width;
	return k;
}

static bool same_key(const struct key *a, const struct key *b)
{
	return a->mode == b->mode && a->finest == b->finest && a->coarsest == b->coarsest &&
	       a->from_ns == b->from_ns && a->to_ns == b->to_ns;
}

/* --- the worker ----------------------------------------------------------------------------- */

static int fill_core(struct past *p, struct core *c)
{
	struct fill_request request = {.range = p->wanted, .rows_max = PAST_ROWS_MAX};
	struct fill_result result;
	int r = reader_begin(&p->reader);

	if (r < 0)
		return r;
	request.now = !p->load.key.to_ns;
	request.sums = p->load.key.mode == PAST_SUMS;
	r = core_fill(c, &p->reader, &request, &result);
	reader_end(&p->reader);
	if (r < 0)
		return r;
	p->load.range = (struct query_range){result.from_ns, result.to_ns};
	return 0;
}

static void load(uv_work_t *work)
{
	struct past *p = work->data;
	struct core_config config = p->live->config;
	struct error error;

	config.history_bytes_max = EVERYTHING_SIZE;
	config.fine_ns = config.retain_ns = EVERYTHING_NS;
	config.flows_max = FLOWS_MAX;
	config.actors_max = ACTORS_MAX;
	p->load.core = NULL;
	p->r = p->reader.db ? 0 : reader_open(&p->reader, p->path, &error);
	if (!p->r)
		p->r = core_new(&p->load.core, &config);
	if (!p->r)
		p->r = fill_core(p, p->load.core);
	if (p->r < 0)
		p->load.core = core_free(p->load.core);
}

/* --- the loop's side ------------------------------------------------------------------------ */

/* Lends what is the same for all, and takes it back. */
static void exchange(struct core *past, struct core *live)
{
	struct layout *layout = past->layout;
	struct names names = past->names;

	past->layout = live->layout;
	past->names = live->names;
	live->layout = layout;
	live->names = names;
}

static void answer(struct past *p, const struct waiter *w, struct filled *f, int r)
{
	if (!f) {
		w->ready(w->userdata, w->request, NULL, &w->range, r);
		return;
	}
	f->used = ++p->uses;
	exchange(f->core, p->live);
	w->ready(w->userdata, w->request, f->core, &f->range, 0);
	exchange(f->core, p->live);
}

static bool is_fresh(const struct filled *f, uint64_t now_ns)
{
	uint64_t span = now_ns - f->key.from_ns;

	return f->key.to_ns || now_ns < f->loaded_ns + span / FRESH_PART;
}

static struct filled *find(struct past *p, const struct key *key, uint64_t now_ns)
{
	for (size_t i = 0; i < PAST_CORES; i++)
		if (p->cores[i].core && same_key(&p->cores[i].key, key) &&
		    is_fresh(&p->cores[i], now_ns))
			return &p->cores[i];
	return NULL;
}

static struct filled *keep(struct past *p)
{
	struct filled *oldest = &p->cores[0];

	for (size_t i = 0; i < PAST_CORES; i++) {
		if (same_key(&p->cores[i].key, &p->load.key)) {
			oldest = &p->cores[i];
			break;
		}
		if (p->cores[i].used < oldest->used)
			oldest = &p->cores[i];
	}
	core_free(oldest->core);
	*oldest = p->load;
	p->load.core = NULL;
	return oldest;
}

static void load_next(struct past *p);

/* Those that asked for the same get it, too. */
static void on_loaded(uv_work_t *work, int status)
{
	struct past *p = work->data;
	struct filled *f;
	size_t i = 0;

	p->loading = false;
	if (p->closing) {
		p->load.core = core_free(p->load.core);
		return;
	}
	f = p->r < 0 ? NULL : keep(p);
	while (i < p->waiter_count) {
		struct waiter w = p->waiters[i];

		if (!same_key(&w.key, &p->load.key)) {
			i++;
			continue;
		}
		memmove(&p->waiters[i], &p->waiters[i + 1],
			(--p->waiter_count - i) * sizeof(*p->waiters));
		answer(p, &w, f, p->r);
	}
	load_next(p);
}

static void load_next(struct past *p)
{
	const struct waiter *w = p->waiters;

	if (p->loading || !p->waiter_count)
		return;
	p->load = (struct filled){.key = w->key, .loaded_ns = p->now_ns};
	p->wanted = (struct reader_range){.from_ns = w->range.from_ns,
					  .to_ns = w->range.to_ns,
					  .finest = w->key.finest,
					  .coarsest = w->key.coarsest};
	p->loading = !uv_queue_work(p->loop, &p->work, load, on_loaded);
}

int past_ask(struct past *p, enum past_mode mode, const struct query_range *range, uint64_t now_ns,
	     past_ready_fn ready, void *userdata, void *request)
{
	struct waiter w = {.range = *range, .ready = ready, .userdata = userdata};
	struct filled *f;

	w.request = request;
	w.key = key_of(mode, range, now_ns);
	p->now_ns = now_ns;
	f = find(p, &w.key, now_ns);
	if (f) {
		answer(p, &w, f, 0);
		return 0;
	}
	if (p->closing || p->waiter_count == PAST_WAITERS_MAX)
		return -EAGAIN;
	p->waiters[p->waiter_count++] = w;
	load_next(p);
	return p->loading ? 0 : -EAGAIN;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See life.h. */
#include "server/life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/text.h"
#include "server/watch.h"

uint64_t life_wall(const struct learn *in, uint64_t agent_ns)
{
	uint64_t age = in->batch->sent_ns > agent_ns ? in->batch->sent_ns - agent_ns : 0;

	return in->now_ns > age ? in->now_ns - age : 0;
}

int life_refuse(struct core *c, enum loss cause, int code)
{
	c->loss[cause]++;
	return code;
}

static uint32_t node_hash(const struct core *c, const char *node)
{
	return hashindex_hash(c->actors.seed, node, strlen(node));
}

bool life_is_known(const struct core *c, const struct reporter *r)
{
	return r->index < c->reporter_count && !r->vacant;
}

/* Which places something still refers to: flows, actors, windows, events, addresses. */
static void mark_used(const struct core *c, bool *used)
{
	for (uint32_t i = 0; i < flow_table_used(&c->flows); i++)
		if (flow_at(&c->flows, i))
			used[flow_id(&c->flows, flow_at(&c->flows, i))->reporter] = true;
	for (uint32_t i = 0; i < c->actors.used_max; i++)
		if (c->actors.actors[i].references)
			used[c->actors.actors[i].reporter] = true;
	for (size_t i = 0; i < history_count(&c->history); i++)
		used[history_at(&c->history, i)->reporter] = true;
	for (size_t i = 0; i < events_count(&c->events); i++)
		if (events_at(&c->events, i)->scope == EVENT_AGENT)
			used[events_at(&c->events, i)->reporter] = true;
	endpoint_mark_reporters(&c->endpoints, used);
}

static void vacate(struct core *c, struct reporter *r)
{
	uint32_t index = r->index;

	hashindex_remove(&c->reporters_by_node, node_hash(c, r->node), index);
	reporter_done(r);
	*r = (struct reporter){.index = index, .vacant = true};
}

void life_vacate(struct core *c)
{
	bool *used = calloc(c->config.agents_max, sizeof(*used));

	if (!used)
		return;
	mark_used(c, used);
	for (uint32_t i = 0; i < c->reporter_count; i++)
		if (c->reporters[i].given_back && !used[i])
			vacate(c, &c->reporters[i]);
	free(used);
}

static struct reporter *find_vacant(struct core *c)
{
	for (uint32_t i = 0; i < c->reporter_count; i++)
		if (c->reporters[i].vacant)
			return &c->reporters[i];
	return NULL;
}

struct reporter *life_find_reporter(struct core *c, const char *node)
{
	char clean[sizeof(c->reporters[0].node)];
	struct hashindex_cursor at;
	uint32_t i;

	text_clean(clean, sizeof(clean), node);
	at = hashindex_begin(node_hash(c, clean));
	while (hashindex_next(&c->reporters_by_node, &at, &i))
		if (!strcmp(c->reporters[i].node, clean))
			return &c->reporters[i];
	if (c->reporter_count == c->config.agents_max)
		return find_vacant(c);
	c->reporters[c->reporter_count].index = c->reporter_count;
	return &c->reporters[c->reporter_count]; /* counted once a batch of it is taken */
}

bool life_is_of_boot(const struct reporter *r, const struct wire_batch *b)
{
	char clean[sizeof(r->boot_id)];

	text_clean(clean, sizeof(clean), b->boot_id);
	return !strcmp(r->boot_id, clean);
}

/* Agents of one boot of one kernel are on one machine. */
static void find_machine(struct core *c, struct reporter *r, const struct wire_batch *b)
{
	uint32_t machine = UINT32_MAX;

	r->shares_machine = false;
	for (uint32_t i = 0; i < c->reporter_count; i++) {
		struct reporter *other = &c->reporters[i];

		if (other == r || other->vacant || !life_is_of_boot(other, b))
			continue;
		machine = other->machine;
		other->shares_machine = r->shares_machine = true;
	}
	r->machine = r->shares_machine ? machine : c->machine_count++;
}

/* The life before is over: what was open then is gone, or will be adopted again. */
static int end_gauges(struct core *c, uint32_t reporter, struct row_writer *w, uint32_t *ret_rows)
{
	int r = fold_write_losses(w, (uint64_t[LOSS_COUNT]){0});

	*ret_rows = 0;
	for (uint32_t i = 0; !r && i < flow_table_used(&c->flows); i++) {
		const struct flow *f = flow_at(&c->flows, i);
		static const uint64_t none[MR_COUNTER_COUNT];
		struct row_source lost = {.counter = none};

		if (!f || (!f->active && !f->pending) ||
		    flow_id(&c->flows, f)->reporter != reporter)
			continue;
		lost.active_lost = f->active;
		lost.pending_lost = f->pending;
		r = row_write(w, i, &lost);
		++*ret_rows;
	}
	return r;
}

static void zero_gauges(struct core *c, uint32_t reporter, uint64_t at_ns)
{
	for (uint32_t i = 0; i < flow_table_used(&c->flows); i++) {
		struct flow *f = flow_at(&c->flows, i);

		if (!f || (!f->active && !f->pending) ||
		    flow_id(&c->flows, f)->reporter != reporter)
			continue;
		f->active = f->pending = 0;
		if (f->last_seen_ns < at_ns)
			f->last_seen_ns = at_ns;
	}
}

int life_end(struct core *c, struct reporter *reporter, uint64_t at_ns)
{
	struct window w = {.start_ns = at_ns, .end_ns = at_ns, .reporter = reporter->index};
	struct learn in = {.core = c, .reporter = reporter};
	struct row_writer writer = {0};
	int r = end_gauges(c, reporter->index, &writer, &w.rows);

	w.data = writer.data;
	w.size = writer.size;
	if (!r && w.rows)
		r = history_append(&c->history, &w);
	if (!r && w.rows)
		news_window(c, &w);
	if (r < 0 || !w.rows)
		free(writer.data);
	if (r < 0)
		return r;
	zero_gauges(c, reporter->index, at_ns);
	learn_forget_handles(&in);
	learn_forget_covers(&in);
	listener_table_clear(&c->listeners, reporter->index);
	reporter->listeners_untold = reporter->covers_untold = true;
	return 0;
}

int life_count_reporter(struct core *c, struct reporter *r, const char *node)
{
	int e;

	text_clean(r->node, sizeof(r->node), node);
	e = hashindex_insert(&c->reporters_by_node, node_hash(c, r->node), r->index);
	if (e < 0)
		return e;
	r->permanent = ++c->last_reporter;
	c->reporter_count += !r->vacant;
	r->vacant = false;
	return 0;
}

static int begin_life(struct learn *in)
{
	struct reporter *r = in->reporter;
	struct core *c = in->core;
	bool first = !life_is_known(c, r);
	bool rebooted = first || !life_is_of_boot(r, in->batch);
	uint64_t began_ns = life_wall(in, in->batch->started_ns);
	int e = first ? life_count_reporter(c, r, in->batch->node) : life_end(c, r, began_ns);

	if (e < 0)
		return e;
	if (rebooted)
		find_machine(c, r, in->batch);
	r->covered = false;
	r->started_ns = in->batch->started_ns;
	r->started_wall_ns = began_ns;
	r->sequence = r->defined_for = 0;
	r->sample_count = r->sample_next = 0;
	memset(r->loss, 0, sizeof(r->loss));
	watch_heard(c, r, true, in->now_ns);
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

size_t life_cuts(void *userdata, uint64_t from_ns, uint64_t to_ns, uint64_t *ret)
{
	const struct core *c = userdata;
	size_t count = 0;

	for (uint32_t i = 0; i < c->reporter_count; i++) {
		const struct coverage *coverage = &c->reporters[i].coverage;

		for (uint32_t k = 0; k < 2 * coverage->count && count < HISTORY_CUTS_MAX; k++) {
			const struct coverage_life *life = &coverage->lives[k / 2];
			uint64_t at = k % 2 ? life->to_ns : life->from_ns;

			if (at > from_ns && at < to_ns)
				ret[count++] = at;
		}
	}
	qsort(ret, count, sizeof(*ret), by_time);
	return count;
}

int life_check(struct learn *in)
{
	struct reporter *r = in->reporter;
	struct core *c = in->core;
	const struct wire_batch *b = in->batch;
	bool known = life_is_known(c, r);
	bool same = known && life_is_of_boot(r, b);

	if (same && b->started_ns < r->started_ns)
		return life_refuse(c, LOSS_STALE, -ESTALE);
	if (!same || b->started_ns != r->started_ns)
		return begin_life(in);
	if (b->sequence <= r->sequence)
		return life_refuse(c, LOSS_DUPLICATES, -EALREADY);
	return 0;
}

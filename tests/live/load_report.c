/* SPDX-License-Identifier: Apache-2.0 */
#include "load_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

/* What is compared, end by end. */
static const enum mr_counter compared[] = {
	MR_ATTEMPTED,
	MR_OPENED,
	MR_ADOPTED,
	MR_CLOSED,
	MR_RESET_BY_CLIENT,
	MR_RESET_BY_SERVER,
	MR_BROKEN,
	MR_FAILED_REFUSED,
	MR_FAILED_TIMED_OUT,
	MR_FAILED_UNREACHABLE,
	MR_FAILED_RESET,
	MR_FAILED_ABORTED,
	MR_FAILED_OTHER,
	MR_BYTES_TO_SERVER,
	MR_BYTES_TO_CLIENT,
	MR_ADOPTED_BYTES_TO_SERVER,
	MR_ADOPTED_BYTES_TO_CLIENT,
	MR_UNACKED_TO_SERVER,
	MR_UNACKED_TO_CLIENT,
};
#define COMPARED (sizeof(compared) / sizeof(*compared))

#define COUNTER_NAME(id, name) name,
static const char *const names[] = {MR_COUNTERS(COUNTER_NAME)};

static bool is_reset(enum mr_counter c)
{
	return c == MR_RESET_BY_CLIENT || c == MR_RESET_BY_SERVER;
}

static uint64_t shape_sum(const struct load *load, unsigned int shape, int role, enum mr_counter c)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < load->shared->tally_count; i++) {
		const struct tally *t = &load->shared->tally[i];

		if (t->shape == shape && t->role == role)
			sum += t->counter[c];
	}
	return sum;
}

static void examined_sum(const struct load *load, int shape, uint64_t *ret_examined,
			 uint64_t *ret_disagreed)
{
	*ret_examined = *ret_disagreed = 0;
	for (uint32_t i = 0; i < load->shared->tally_count; i++) {
		const struct tally *t = &load->shared->tally[i];

		if (shape >= 0 && t->shape != shape)
			continue;
		*ret_examined += t->examined;
		*ret_disagreed += t->disagreed;
	}
}

static bool shape_ran(const struct load *load, unsigned int i)
{
	const struct outcome *o = &load->shared->outcome[i];

	return o->start_ns || o->failed[0];
}

static void shape_check(struct live *l, const struct load *load, unsigned int i)
{
	const struct outcome *o = &load->shared->outcome[i];
	uint64_t examined, disagreed;

	if (o->skipped[0])
		say("skipped shape %s: %s", load_shapes[i].name, o->skipped);
	if (o->failed[0])
		check(l, false, "shape %s: %s", load_shapes[i].name, o->failed);
	examined_sum(load, (int)i, &examined, &disagreed);
	if (disagreed)
		check(l, false,
		      "shape %s: program and TCP_INFO differ on %" PRIu64 " of %" PRIu64
		      " ends: %s",
		      load_shapes[i].name, disagreed, examined, o->differed);
}

bool load_check(struct live *l, struct load *load)
{
	uint64_t examined, disagreed;
	int before = l->failures;

	for (unsigned int i = 0; i < load_shape_count; i++)
		shape_check(l, load, i);
	examined_sum(load, -1, &examined, &disagreed);
	check(l, disagreed == 0, "programs and TCP_INFO after the end agree on %" PRIu64 " ends",
	      examined);
	return l->failures == before;
}

static void ends_all(const json_t *answer, struct load *load, struct ends *got)
{
	for (uint32_t i = 0; i < load->shared->tally_count; i++) {
		const struct tally *t = &load->shared->tally[i];

		ends_sum(answer, t->role, t->process, t->port, &got[i]);
	}
}

/* How many counters differ between a tally and the API. */
static unsigned int tally_differs(const struct tally *t, const struct ends *got)
{
	unsigned int n = 0;

	for (size_t c = 0; c < COMPARED; c++)
		if (!(t->resets_open && is_reset(compared[c])))
			n += t->counter[compared[c]] != got->counter[compared[c]];
	return n;
}

struct waiting {
	struct load *load;
	const struct millrace *millrace;
	struct ends got[LOAD_TALLIES_MAX];
	double asked; /* wall clock */
};

static bool all_equal(void *userdata)
{
	struct waiting *w = userdata;
	json_t *answer = api_ends(w->millrace);
	unsigned int differ = 0;

	w->asked = clock_wall();
	ends_all(answer, w->load, w->got);
	json_decref(answer);
	for (uint32_t i = 0; i < w->load->shared->tally_count; i++)
		differ += tally_differs(&w->load->shared->tally[i], &w->got[i]);
	return differ == 0;
}

static void tally_print(const struct tally *t, const struct ends *got)
{
	say("differs: shape %s, %s end, process %s, port %u", load_shapes[t->shape].name,
	    t->role == LOAD_CLIENT ? "client" : "server", t->process, t->port);
	for (size_t c = 0; c < COMPARED; c++)
		if (t->counter[compared[c]] != got->counter[compared[c]])
			say("    %-26s expected %12" PRIu64 " got %12" PRIu64
			    " difference %+" PRId64,
			    names[compared[c]], t->counter[compared[c]], got->counter[compared[c]],
			    (int64_t)(got->counter[compared[c]] - t->counter[compared[c]]));
}

static uint64_t got_sum(const struct waiting *w, unsigned int shape, int role, enum mr_counter c)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < w->load->shared->tally_count; i++) {
		const struct tally *t = &w->load->shared->tally[i];

		if (t->shape == shape && t->role == role)
			sum += w->got[i].counter[c];
	}
	return sum;
}

static int64_t difference(const struct waiting *w, unsigned int shape, int role)
{
	int64_t sum = 0;

	for (size_t c = 0; c < COMPARED; c++) {
		int64_t d = (int64_t)(got_sum(w, shape, role, compared[c]) -
				      shape_sum(w->load, shape, role, compared[c]));

		sum += d < 0 ? -d : d;
	}
	return sum;
}

static uint64_t connections_of(const struct load *load, unsigned int i, int role)
{
	return shape_sum(load, i, role, MR_OPENED) + shape_sum(load, i, role, MR_ADOPTED);
}

static void table_row(const struct waiting *w, unsigned int i)
{
	const struct outcome *o = &w->load->shared->outcome[i];

	say("%-15s %6" PRIu64 "/%-6" PRIu64 " %11" PRIu64 "/%-11" PRIu64 " %11" PRIu64
	    "/%-11" PRIu64 " %6" PRId64 "/%-6" PRId64 " %5.1f s",
	    load_shapes[i].name, connections_of(w->load, i, LOAD_CLIENT),
	    connections_of(w->load, i, LOAD_SERVER),
	    shape_sum(w->load, i, LOAD_CLIENT, MR_BYTES_TO_SERVER),
	    shape_sum(w->load, i, LOAD_SERVER, MR_BYTES_TO_SERVER),
	    shape_sum(w->load, i, LOAD_CLIENT, MR_BYTES_TO_CLIENT),
	    shape_sum(w->load, i, LOAD_SERVER, MR_BYTES_TO_CLIENT), difference(w, i, LOAD_CLIENT),
	    difference(w, i, LOAD_SERVER), (double)(o->end_ns - o->start_ns) / 1e9);
}

static void table_print(const struct waiting *w)
{
	say("%-15s %13s %23s %23s %13s  time", "expected", "connections", "bytes to server",
	    "bytes to client", "difference");
	say("%-15s %13s %23s %23s %13s", "by shape", "client/server", "client/server end",
	    "client/server end", "client/server");
	for (unsigned int i = 0; i < load_shape_count; i++)
		if (shape_ran(w->load, i))
			table_row(w, i);
}

/* Everything in the answer that belongs to a process of the load. */
static void total_check(struct live *l, const struct waiting *w, const json_t *answer,
			enum mr_counter c)
{
	uint64_t expected = load_sum(w->load, c, 0), got = 0;
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(answer, "flows"), i, row) {
		const char *end = api_string(row, "seen_by");
		const char *own = api_string(json_object_get(row, end), "process");

		if (!l->whole_machine || strncmp(own, "mix", 3) == 0)
			got += (uint64_t)api_counter(row, c);
	}
	check_equal(l, names[c], expected, got);
}

static void totals_check(struct live *l, const struct waiting *w)
{
	json_t *answer = api_ends(w->millrace);

	say("sums over everything the API shows, both ends:");
	for (size_t c = 0; c < COMPARED; c++)
		if (!is_reset(compared[c]) || !w->load->net->mptcp)
			total_check(l, w, answer, compared[c]);
	json_decref(answer);
}

/* True once the API's answers are of a later time than the last comparison: nothing came after. */
static bool later(void *userdata)
{
	const struct waiting *w = userdata;

	return clock_wall() > w->asked + 1.2;
}

void load_compare(struct live *l, struct load *load, const struct millrace *m)
{
	struct waiting w = {.load = load, .millrace = m};
	uint64_t start = clock_ns();
	bool equal = wait_until(all_equal, &w, patience(l, 12000));
	double settled = (double)(clock_ns() - start) / 1e9;
	char losses[512];

	if (equal && wait_until(later, &w, 10000))
		equal = all_equal(&w);
	table_print(&w);
	for (uint32_t i = 0; i < load->shared->tally_count; i++)
		if (tally_differs(&load->shared->tally[i], &w.got[i]))
			tally_print(&load->shared->tally[i], &w.got[i]);
	check(l, equal,
	      "%" PRIu64 " connections, %u ends by process and port, %zu counters each: equal, "
	      "%.1f s after the load",
	      load_connections(load), load->shared->tally_count, COMPARED, settled);
	totals_check(l, &w);
	check(l, api_losses(m, losses, sizeof(losses)) == 0, "completeness: nothing lost %s",
	      losses);
}

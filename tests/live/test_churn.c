/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Churn of processes, cgroups, network namespaces, connections and UDP peers: at the end every sum
 * is what the programs counted; meanwhile the kernel's own counters agree and nothing grows.
 *
 * What may grow after warm-up, from the middle of its first quarter to that of its last:
 *  - descriptors: 4, which are the test's own questions on their way;
 *  - memory of maps: nothing, they are of fixed size; 64 KB is what the kernel's rounding may add;
 *  - the process, less the history that the server accounts for: 1 KB for each flow that it did
 *    not know before (its places in the tables of agent and server), and 3 MB, which is what the
 *    allocator keeps of windows and answers of different sizes: 1 to 2 MB from run to run. A leak
 *    of 30 bytes a connection or one a datagram would be more within ten minutes.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "churn.h"
#include "millrace.h"
#include "run.h"
#include "tracer.h"
#include "watch.h"

#define SECONDS            600
#define SECONDS_SHORT      60
#define WARM_UP            0.3
#define GROWTH_OWN         (3 << 20)
#define GROWTH_OWN_SHORT   (8 << 20) /* a minute is warm-up still */
#define GROWTH_FLOW        1024
#define GROWTH_MAPS        (64 << 10)
#define GROWTH_DESCRIPTORS 4
#define VERIFY_EACH_MS     10000
#define NAT_OVERRUNS       "nat_overruns "
#define UNTOLD_BYTES       1400 /* of one datagram: none that finds the queue full is larger */

struct soak {
	struct live *live;
	struct millrace millrace; /* sees the churn only: whose totals and growth count */
	struct millrace whole;    /* sees the whole machine, as `verify` needs it, and may look at
				   * once when it is asked */
	struct churn churn;
	struct watch watch;
	struct tracer queue_full;
	struct churn_totals got;
	unsigned int verified,
		whole_equal;   /* runs of verify; all namespaces of the machine equal */
	unsigned int compared; /* namespaces of cells in them */
	uint64_t next_verify_ns;
	uint64_t untold;
};

static const enum mr_counter compared[2][20] = {
	{MR_ATTEMPTED, MR_OPENED, MR_ADOPTED, MR_CLOSED, MR_RESET_BY_CLIENT, MR_RESET_BY_SERVER,
	 MR_BROKEN, MR_FAILED_REFUSED, MR_FAILED_TIMED_OUT, MR_FAILED_UNREACHABLE, MR_FAILED_RESET,
	 MR_FAILED_ABORTED, MR_FAILED_OTHER, MR_BYTES_TO_SERVER, MR_BYTES_TO_CLIENT,
	 MR_UNACKED_TO_SERVER, MR_UNACKED_TO_CLIENT, MR_COUNTER_COUNT},
	{MR_DATAGRAMS_TO_SERVER, MR_DATAGRAMS_TO_CLIENT, MR_BYTES_TO_SERVER, MR_BYTES_TO_CLIENT,
	 MR_DROPPED_TO_SERVER, MR_DROPPED_TO_CLIENT, MR_COUNTER_COUNT},
};

#define COUNTER_NAME(id, name) name,
static const char *const names[] = {MR_COUNTERS(COUNTER_NAME)};

static void sum_row(const json_t *row, struct churn_totals *into)
{
	int udp = !strcmp(api_string(row, "transport"), "udp");
	int server = !strcmp(api_string(row, "seen_by"), "server");

	for (int i = 0; i < MR_COUNTER_COUNT; i++) {
		long long value = api_counter(row, (enum mr_counter)i);

		into->counter[udp][server][i] += value > 0 ? (uint64_t)value : 0;
	}
}

/* Drops at a full queue that are told to no tracer stand as received; the others' drops on this
 * machine only make fewer of them allowed. Everything else has to be equal. */
static void allow_untold(struct soak *s)
{
	const uint64_t *told = s->churn.shared->totals.counter[1][1];
	uint64_t *seen = s->got.counter[1][1];
	uint64_t untold = told[MR_DROPPED_TO_SERVER] - seen[MR_DROPPED_TO_SERVER];

	if (seen[MR_DROPPED_TO_SERVER] > told[MR_DROPPED_TO_SERVER] ||
	    untold > tracer_untold(&s->queue_full, told[MR_DROPPED_TO_SERVER]) ||
	    seen[MR_DATAGRAMS_TO_SERVER] - told[MR_DATAGRAMS_TO_SERVER] != untold ||
	    seen[MR_BYTES_TO_SERVER] - told[MR_BYTES_TO_SERVER] > untold * UNTOLD_BYTES)
		return;
	s->untold = untold;
	seen[MR_DROPPED_TO_SERVER] = told[MR_DROPPED_TO_SERVER];
	seen[MR_DATAGRAMS_TO_SERVER] = told[MR_DATAGRAMS_TO_SERVER];
	seen[MR_BYTES_TO_SERVER] = told[MR_BYTES_TO_SERVER];
}

static bool totals_equal(void *userdata)
{
	struct soak *s = userdata;
	json_t *answer = api_ends(&s->millrace), *row;
	bool equal = true;
	size_t i;

	s->got = (struct churn_totals){0};
	json_array_foreach (json_object_get(answer, "flows"), i, row)
		sum_row(row, &s->got);
	json_decref(answer);
	allow_untold(s);
	for (int udp = 0; udp < 2; udp++)
		for (int role = 0; role < 2; role++)
			for (const enum mr_counter *c = compared[udp]; *c != MR_COUNTER_COUNT; c++)
				equal &= s->got.counter[udp][role][*c] ==
					 s->churn.shared->totals.counter[udp][role][*c];
	return equal;
}

static void totals_check(struct soak *s)
{
	char what[96];

	wait_until(totals_equal, s, patience(s->live, 20000));
	if (s->untold)
		say("%" PRIu64 " of these drops at a full queue the kernel told no tracer: they "
		    "stand as received",
		    s->untold);
	for (int udp = 0; udp < 2; udp++)
		for (int role = 0; role < 2; role++)
			for (const enum mr_counter *c = compared[udp]; *c != MR_COUNTER_COUNT;
			     c++) {
				uint64_t told = s->churn.shared->totals.counter[udp][role][*c];
				uint64_t seen = s->got.counter[udp][role][*c];

				snprintf(what, sizeof(what), "%s, %s end: %s", udp ? "UDP" : "TCP",
					 role ? "server" : "client", names[*c]);
				if (told || seen)
					check_equal(s->live, what, told, seen);
			}
}

/* A namespace's figures that differ; how many. */
static unsigned int differences(const json_t *row, char *text, size_t size)
{
	unsigned int count = 0;
	const char *name;
	json_t *figure;

	json_object_foreach ((json_t *)row, name, figure) {
		long long d = json_integer_value(json_object_get(figure, "difference"));

		if (!d || !strcmp(name, "datagrams_dropped")) /* see allow_untold() */
			continue;
		snprintf(text, size, "%s %lld of %lld", name, d,
			 (long long)json_integer_value(json_object_get(figure, "ours")));
		count++;
	}
	return count;
}

/* The cells' namespaces, those that were there before or are now. */
static void verify_rows(struct soak *s, const struct churn_shared *before, const json_t *answer)
{
	char text[128];
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(answer, "namespaces"), i, row) {
		uint32_t netns = (uint32_t)json_integer_value(json_object_get(row, "netns"));

		if (!churn_has_netns(before, netns) && !churn_has_netns(s->churn.shared, netns))
			continue;
		s->compared++;
		if (differences(row, text, sizeof(text)))
			check(s->live, false, "verify: namespace %u: %s", netns, text);
	}
}

/* What others do on this machine meanwhile is not judged. */
static void verify(struct soak *s)
{
	static char out[1 << 20];
	struct churn_shared before = *s->churn.shared;
	int r = millrace_command(&s->whole, (const char *const[]){"verify", "--json", NULL}, out,
				 sizeof(out));
	const char *begin = strchr(out, '{');
	json_t *answer = begin ? json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

	if (!answer)
		check(s->live, false, "millrace verify: status %d: %.300s", r, out);
	verify_rows(s, &before, answer);
	json_decref(answer);
	s->verified++;
	s->whole_equal += r == 0;
}

static void verify_step(struct soak *s)
{
	if (clock_ns() < s->next_verify_ns)
		return;
	verify(s);
	s->next_verify_ns = clock_ns() + VERIFY_EACH_MS * 1000000ull;
}

static void growth_check(struct soak *s, int64_t allowed)
{
	const struct watch_sample *last = watch_last(&s->watch);
	int64_t own = watch_growth(&s->watch, WATCH_OWN, WARM_UP);
	int64_t maps = watch_growth(&s->watch, WATCH_MAPS, WARM_UP);
	int64_t descriptors = watch_growth(&s->watch, WATCH_DESCRIPTORS, WARM_UP);
	int64_t flows = watch_growth(&s->watch, WATCH_FLOWS, WARM_UP);
	char text[256];

	watch_write(&s->watch, WATCH_OWN, 1024, text, sizeof(text));
	say("memory less history from start to end, KB:%s", text);
	watch_write(&s->watch, WATCH_FLOWS, 1, text, sizeof(text));
	say("flows known from start to end:%s", text);
	say("%zu samples; the server knows %" PRId64 " flows, %" PRId64 " actors, %" PRId64
	    " KB of history",
	    s->watch.count, last->flows, last->actors, last->history >> 10);
	check(s->live, own <= allowed + (flows > 0 ? flows : 0) * GROWTH_FLOW,
	      "memory less history: %" PRId64 " KB at most, grew by %" PRId64
	      " KB after warm-up, with %" PRId64 " more flows known",
	      watch_most(&s->watch, WATCH_OWN) >> 10, own >> 10, flows);
	check(s->live, maps <= GROWTH_MAPS && watch_most(&s->watch, WATCH_MAPS) > 0,
	      "maps in the kernel: %" PRId64 " KB at most, grew by %" PRId64 " KB",
	      watch_most(&s->watch, WATCH_MAPS) >> 10, maps >> 10);
	check(s->live, descriptors <= GROWTH_DESCRIPTORS,
	      "descriptors: %" PRId64 " at most, grew by %" PRId64,
	      watch_most(&s->watch, WATCH_DESCRIPTORS), descriptors);
}

static void churn_run(struct soak *s, unsigned int seconds)
{
	uint64_t end = clock_ns() + seconds * 1000000000ull;

	while (clock_ns() < end && !s->churn.shared->failed[0] && millrace_alive(&s->millrace)) {
		churn_step(&s->churn);
		watch_step(&s->watch, 1000);
		verify_step(s);
		pause_us(20000);
	}
}

static void soak(struct soak *s, unsigned int seconds)
{
	const struct churn_shared *c = s->churn.shared;
	const char *nat;
	char losses[512];
	uint64_t lost;

	s->next_verify_ns = clock_ns() + VERIFY_EACH_MS * 1000000ull;
	churn_run(s, seconds);
	check(s->live, churn_settle(&s->churn, patience(s->live, 60000)) && !c->failed[0],
	      "seed %" PRIu64 ": %u cells came to their end%s%s", s->churn.seed, s->churn.cells,
	      c->failed[0] ? ": " : "", c->failed);
	say("%u s: %u namespaces, %u cgroups, %" PRIu64 " processes, %" PRIu64
	    " connections, %" PRIu64 " datagrams",
	    seconds, 2 * s->churn.cells, s->churn.cells, c->processes, c->connections,
	    c->datagrams);
	growth_check(s, seconds < SECONDS ? GROWTH_OWN_SHORT : GROWTH_OWN);
	totals_check(s);
	verify(s);
	check(s->live, s->compared > 0,
	      "verify: %u times, %u times a cell's namespace; %u times all of this machine's equal",
	      s->verified, s->compared, s->whole_equal);
	lost = api_losses(&s->millrace, losses, sizeof(losses));
	nat = strstr(losses, NAT_OVERRUNS); /* of others: nothing here is translated */
	lost -= nat ? strtoull(nat + strlen(NAT_OVERRUNS), NULL, 10) : 0;
	check(s->live, lost == 0, "completeness: nothing lost %s", losses);
}

static bool start(struct soak *s)
{
	struct live *l = s->live;
	bool whole = l->whole_machine, started;

	l->whole_machine = true;
	started = millrace_start(&s->whole, l, (const char *const[]){"--cpu-budget", "10", NULL});
	l->whole_machine = false;
	started = started && millrace_start(&s->millrace, l, NULL);
	l->whole_machine = whole;
	return started;
}

enum verdict test_churn(struct live *l)
{
	unsigned int seconds = l->seconds ? l->seconds : l->is_short ? SECONDS_SHORT : SECONDS;
	struct soak *s = calloc(1, sizeof(*s));

	if (!s)
		return skip(l, "no memory");
	s->live = l;
	s->watch.millrace = &s->millrace;
	tracer_open(&s->queue_full, TRACER_QUEUE_FULL, NULL);
	if (check(l, churn_open(&s->churn, l) == 0, "the churn starts") && start(s)) {
		soak(s, seconds);
		churn_close(&s->churn);
		check_equal(l, "exit status after SIGTERM", 0,
			    (uint64_t)millrace_stop(&s->millrace, SIGTERM));
		millrace_stop(&s->whole, SIGTERM);
	}
	churn_close(&s->churn);
	tracer_close(&s->queue_full);
	free(s);
	return verdict(l);
}

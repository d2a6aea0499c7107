/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that live longer than the agent: what they carried before it came is "adopted", what
 * they carry after is exact, and no stop, kill or start counts a byte twice or leaves anything in
 * the kernel. The connections are the load's shape "stay", which moves in phases.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "bpf_objects.h"
#include "load.h"
#include "load_report.h"
#include "millrace.h"
#include "run.h"

#define STAY 40 /* connections of the shape */

static const char *const fast[] = {"--window", "50ms", "--cpu-budget", "100", NULL};

/* What one end has carried when a phase is over, and what millrace must say of it. */
struct expected {
	uint64_t adopted, closed;
	uint64_t before[2]; /* carried before the agent: to server, to client */
	uint64_t after[2];
	bool mixed; /* it came in the middle: only the sum of both is known */
};

struct stay {
	struct live *live;
	struct load load;
	struct millrace millrace;
	struct expected expected[2]; /* client end, server end */
	struct ends got[2];
	struct bpf_objects before, during;
};

static const struct tally *tally_of(const struct stay *s, int end)
{
	return load_tally(&s->load, end ? LOAD_SERVER : LOAD_CLIENT,
			  end ? "mixserver" : "mixclient");
}

static uint64_t carried(const struct stay *s, int end, int direction)
{
	return tally_of(s, end)->counter[direction ? MR_BYTES_TO_CLIENT : MR_BYTES_TO_SERVER];
}

static bool end_right(const struct expected *e, const struct ends *got)
{
	const uint64_t *c = got->counter;
	bool right = c[MR_ADOPTED] == e->adopted && c[MR_CLOSED] == e->closed && c[MR_OPENED] == 0;

	for (int d = 0; d < 2; d++) {
		uint64_t before = c[d ? MR_ADOPTED_BYTES_TO_CLIENT : MR_ADOPTED_BYTES_TO_SERVER];
		uint64_t after = c[d ? MR_BYTES_TO_CLIENT : MR_BYTES_TO_SERVER];

		if (e->mixed)
			right = right && before + after == e->before[d] + e->after[d];
		else
			right = right && before == e->before[d] && after == e->after[d];
	}
	return right;
}

static bool stay_right(void *userdata)
{
	struct stay *s = userdata;
	json_t *answer = api_ends(&s->millrace);

	for (int end = 0; end < 2; end++) {
		const struct tally *t = tally_of(s, end);

		ends_sum(answer, t->role, t->process, t->port, &s->got[end]);
	}
	json_decref(answer);
	return end_right(&s->expected[0], &s->got[0]) && end_right(&s->expected[1], &s->got[1]);
}

static void stay_print(const struct stay *s, int end)
{
	const struct expected *e = &s->expected[end];
	const uint64_t *c = s->got[end].counter;

	say("    %s end: adopted %" PRIu64 " (%" PRIu64 " wanted), opened %" PRIu64
	    ", closed %" PRIu64 " (%" PRIu64 "), bytes before %" PRIu64 "+%" PRIu64 " (%" PRIu64
	    "+%" PRIu64 "), after %" PRIu64 "+%" PRIu64 " (%" PRIu64 "+%" PRIu64 ")%s",
	    end ? "server" : "client", c[MR_ADOPTED], e->adopted, c[MR_OPENED], c[MR_CLOSED],
	    e->closed, c[MR_ADOPTED_BYTES_TO_SERVER], c[MR_ADOPTED_BYTES_TO_CLIENT], e->before[0],
	    e->before[1], c[MR_BYTES_TO_SERVER], c[MR_BYTES_TO_CLIENT], e->after[0], e->after[1],
	    e->mixed ? " (sums count)" : "");
}

static void stay_check(struct stay *s, const char *what)
{
	uint64_t start = clock_ns();
	bool right = wait_until(stay_right, s, patience(s->live, 8000));

	check(s->live, right, "%s: as TCP_INFO says, %.1f s later", what,
	      (double)(clock_ns() - start) / 1e9);
	stay_print(s, 0);
	stay_print(s, 1);
}

/* The agent starts now: all that was carried is "before". */
static bool agent_start(struct stay *s, bool moving)
{
	bpf_objects_read(&s->before);
	if (!millrace_start(&s->millrace, s->live, fast))
		return false;
	bpf_objects_read(&s->during);
	for (int end = 0; end < 2; end++) {
		s->expected[end] = (struct expected){.adopted = STAY, .mixed = moving};
		for (int d = 0; d < 2; d++)
			s->expected[end].before[d] = carried(s, end, d);
	}
	return true;
}

static bool objects_gone(void *userdata)
{
	struct stay *s = userdata;

	return bpf_objects_left(&s->during, &s->before) == 0;
}

static void agent_stop(struct stay *s, int sig)
{
	int status = millrace_stop(&s->millrace, sig);
	bool gone = wait_until(objects_gone, s, 15000);

	check(s->live, status == (sig == SIGKILL ? 128 + sig : 0), "signal %d: status %d", sig,
	      status);
	check(s->live, gone && s->during.count > s->before.count,
	      "of %u programs, maps and links named mr_* nothing is left",
	      s->during.count - s->before.count);
}

static bool phase(struct stay *s, bool expect)
{
	load_phase_begin(&s->load);
	if (!check(s->live, load_phase_wait(&s->load, patience(s->live, 60000)),
		   "the next phase of the load ends"))
		return false;
	for (int end = 0; end < 2 && expect; end++)
		for (int d = 0; d < 2; d++)
			s->expected[end].after[d] = carried(s, end, d) - s->expected[end].before[d];
	return true;
}

static void stopped_and_started(struct stay *s)
{
	if (!agent_start(s, false))
		return;
	stay_check(s, "first start: all is adopted");
	if (!phase(s, true))
		return;
	stay_check(s, "first start, more traffic");
	agent_stop(s, SIGTERM);
	if (!phase(s, false) || !agent_start(s, false))
		return;
	stay_check(s, "second start: what was carried meanwhile, too");
	if (!phase(s, true))
		return;
	stay_check(s, "second start, more traffic");
}

/* The long phase runs while the agent is killed and started again. */
static void killed_in_the_middle(struct stay *s)
{
	load_phase_begin(&s->load);
	agent_stop(s, SIGKILL);
	if (!agent_start(s, true))
		return;
	if (!check(s->live, load_phase_wait(&s->load, patience(s->live, 60000)),
		   "the long phase ends"))
		return;
	for (int end = 0; end < 2; end++)
		for (int d = 0; d < 2; d++)
			s->expected[end].after[d] = carried(s, end, d) - s->expected[end].before[d];
	stay_check(s, "killed and started in the middle of traffic");
	load_phase_begin(&s->load);
	load_wait(&s->load, patience(s->live, 30000));
	s->expected[0].closed = s->expected[1].closed = STAY;
	stay_check(s, "all closed");
	agent_stop(s, SIGTERM);
}

enum verdict test_adopt(struct live *l)
{
	static struct stay s;

	s = (struct stay){.live = l,
			  .load = {.net = &l->net, .seed = l->seed, .scale = 1, .only = "stay"}};
	if (!check(l, load_start(&s.load) == 0, "the load starts"))
		goto out;
	load_go(&s.load);
	/* the first phase runs by itself: both ends report it, then wait for the second */
	if (!check(l, load_phase_wait(&s.load, patience(l, 20000)),
		   "the first phase of the load ends"))
		goto out;
	stopped_and_started(&s);
	if (l->failures == 0 || s.millrace.pid)
		killed_in_the_middle(&s);
	load_check(l, &s.load);
out:
	load_free(&s.load);
	return verdict(l);
}

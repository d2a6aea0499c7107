/* SPDX-License-Identifier: Apache-2.0 */
/* query_events, and the words for what happened. */
#include "server/events_query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/dress.h"
#include "server/gather.h"
#include "server/resolve.h"

#define CONTAINER_SHORT 12
#define LIMIT_DEFAULT   1000

static const char *const kind_names[EVENT_KIND_COUNT] = {
	[WIRE_EVENT_STARTED] = "started", [WIRE_EVENT_RESTARTED] = "restarted",
	[WIRE_EVENT_EXITED] = "exited",   [WIRE_EVENT_FAILED] = "failed",
	[WIRE_EVENT_KILLED] = "killed",   [EVENT_SILENT] = "silent",
	[EVENT_RETURNED] = "returned",
};

/* "exited with code 3", "were killed by signal 9 (SIGKILL)" */
static void describe_end(const struct event *e, bool many, char *out, size_t size)
{
	const char *name = sigabbrev_np(e->code);

	switch (e->kind) {
	case WIRE_EVENT_FAILED:
		snprintf(out, size, "exited with code %u", e->code);
		break;
	case WIRE_EVENT_KILLED:
		snprintf(out, size, "%s killed by signal %u%s%s%s%s", many ? "were" : "was",
			 e->code, name ? " (SIG" : "", name ? name : "", name ? ")" : "",
			 e->oom ? ", out of memory" : "");
		break;
	default:
		snprintf(out, size, "%s", kind_names[e->kind]);
	}
}

/* Containers by the beginning of their id, as people know them. */
static void describe_who(const struct core *c, const struct event *e, bool many, char *out,
			 size_t size)
{
	const struct actor *a = &c->actors.actors[e->actor];
	const char *process = a->process[0] ? a->process : a->workload;

	if (e->scope == WIRE_EVENT_CONTAINER)
		snprintf(out, size, "container %.*s", CONTAINER_SHORT, a->container);
	else if (many)
		snprintf(out, size, "%u workers of %s", e->count, process);
	else
		snprintf(out, size, "%s%s", e->child ? "a worker of " : "", process);
}

static void describe_agent(const struct core *c, const struct event *e, char *out, size_t size)
{
	const char *what = e->kind == EVENT_SILENT     ? "fell silent"
			   : e->kind == EVENT_RETURNED ? "came back"
						       : "started";

	snprintf(out, size, "the agent of %s %s", c->reporters[e->reporter].node, what);
}

const char *events_describe(const struct core *c, const struct event *event, char *buffer,
			    size_t size)
{
	bool many = event->child && event->count > 1;
	char who[EVENTS_TEXT_MAX - 160], end[80], times[32] = "";

	if (event->scope == EVENT_AGENT) {
		describe_agent(c, event, buffer, size);
		return buffer;
	}
	describe_who(c, event, many, who, sizeof(who));
	describe_end(event, many, end, sizeof(end));
	if (!many && event->count > 1)
		snprintf(times, sizeof(times), ", %u times", event->count);
	snprintf(buffer, size, "%s %s%s", who, end, times);
	return buffer;
}

static bool is_worth_a_word(const struct event *e)
{
	return e->scope == WIRE_EVENT_CONTAINER || e->kind == WIRE_EVENT_RESTARTED ||
	       e->kind == WIRE_EVENT_FAILED || e->kind == WIRE_EVENT_KILLED;
}

int events_tell(const struct core *c, const struct event *event, struct arena *arena,
		struct query_happenings *into)
{
	char text[EVENTS_TEXT_MAX];

	event_counts_add(
		event->scope == WIRE_EVENT_CONTAINER ? &into->containers : &into->processes, event);
	if (!is_worth_a_word(event) || event->last_ns < into->last_ns)
		return 0;
	into->last_ns = event->last_ns;
	into->last = arena_strdup(arena, events_describe(c, event, text, sizeof(text)));
	return into->last ? 0 : -ENOMEM;
}

/* --- the answer ------------------------------------------------------------------------------- */

struct teller {
	struct core *core;
	const struct query_events_request *request;
	struct arena *arena;
	const struct event **rows; /* those that are wanted */
	struct query_events *out;
};

static struct end end_of(const struct core *c, const struct event *e)
{
	const struct reporter *r = &c->reporters[e->reporter];
	const struct actor *a;

	if (e->scope == EVENT_AGENT)
		return (struct end){.actor_index = ACTOR_NONE,
				    .machine = r->machine,
				    .reporter = r->index,
				    .local = true,
				    .name = r->node};
	a = &c->actors.actors[e->actor];
	return (struct end){.actor = a,
			    .actor_index = e->actor,
			    .machine = c->reporters[a->reporter].machine,
			    .reporter = a->reporter};
}

/* For a filter it is at both ends: whatever is asked of either is asked of it. */
static bool is_wanted(const struct teller *t, const struct event *e)
{
	const struct query_range *range = &t->request->range;
	struct ends ends = {.client = end_of(t->core, e)};

	ends.server = ends.client;
	return e->last_ns > range->from_ns && e->last_ns <= range->to_ns &&
	       resolve_matches(t->core, t->request->filter, &ends);
}

static int dress(struct teller *t, const struct event *e, struct query_event *ret)
{
	const struct end end = end_of(t->core, e);
	char text[EVENTS_TEXT_MAX];
	int r = dress_end(t->core, &end, 0, t->arena, &ret->who);

	ret->first_ns = e->first_ns;
	ret->last_ns = e->last_ns;
	ret->kind = kind_names[e->kind];
	ret->scope = e->scope == EVENT_AGENT            ? "agent"
		     : e->scope == WIRE_EVENT_CONTAINER ? "container"
							: "process";
	ret->count = e->count;
	ret->code = e->kind == WIRE_EVENT_FAILED ? e->code : 0;
	ret->signal = e->kind == WIRE_EVENT_KILLED ? e->code : 0;
	ret->oom = e->oom;
	ret->worker = e->child;
	ret->who.pid = e->pid;
	if (e->scope == EVENT_AGENT) {
		ret->who.kind = "node";
		ret->who.id = ""; /* it is no workload */
	}
	ret->text = arena_strdup(t->arena, events_describe(t->core, e, text, sizeof(text)));
	return r < 0 ? r : ret->text ? 0 : -ENOMEM;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = *(const struct event *const *)a;
	const struct event *y = *(const struct event *const *)b;

	if (x->last_ns != y->last_ns)
		return x->last_ns < y->last_ns ? 1 : -1;
	return x < y ? 1 : -1; /* one place after the other */
}

static int select_rows(struct teller *t)
{
	const struct events *events = &t->core->events;

	t->rows = arena_alloc(t->arena, (events_count(events) + 1) * sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	for (size_t i = 0; i < events_count(events); i++) {
		const struct event *e = events_at(events, i);

		if (!is_wanted(t, e))
			continue;
		t->rows[t->out->total++] = e;
		if (e->scope != EVENT_AGENT)
			event_counts_add(e->scope == WIRE_EVENT_CONTAINER ? &t->out->containers
									  : &t->out->processes,
					 e);
	}
	qsort(t->rows, t->out->total, sizeof(*t->rows), by_time);
	return 0;
}

static int dress_rows(struct teller *t)
{
	size_t limit = t->request->limit ? t->request->limit : LIMIT_DEFAULT;
	size_t count = t->out->total < limit ? t->out->total : limit;
	int r = 0;

	t->out->events = arena_alloc(t->arena, (count + 1) * sizeof(*t->out->events));
	if (!t->out->events)
		return -ENOMEM;
	for (size_t i = 0; !r && i < count; i++)
		r = dress(t, t->rows[i], &t->out->events[i]);
	t->out->event_count = count;
	return r;
}

int query_events(struct core *c, const struct query_events_request *request, struct arena *arena,
		 struct query_events *ret)
{
	struct query_events out = {0};
	struct teller t = {.core = c, .request = request, .arena = arena, .out = &out};
	int r = gather(c, &request->range, request->now_ns);

	if (!r)
		r = gather_completeness(c, &request->range, request->now_ns, arena,
					&out.completeness);
	if (!r)
		r = select_rows(&t);
	if (!r)
		r = dress_rows(&t);
	if (!r)
		*ret = out;
	return r;
}

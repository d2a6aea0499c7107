/* SPDX-License-Identifier: Apache-2.0 */
#include "beside.h"

#include <unistd.h>

#include "../tests/live/run.h"
#include "cli/field.h"
#include "kernel_side.h"
#include "observer.h"
#include "report.h"

#define BEFORE_US 3000000 /* until all tools watch */
#define AFTER_US  2500000 /* until each has looked once more */

static void ask_graph(struct beside *s, const struct observer *o)
{
	struct client_answer graph;
	json_t *edge;
	size_t i;

	observer_ask(o, "/api/v1/graph", &graph);
	s->opened = s->payload = 0;
	json_array_foreach (field_array(graph.json, "edges"), i, edge) {
		int port = field_port(edge, "port");

		if (port != KNOWN_SHORT_PORT && port != KNOWN_LONG_PORT)
			continue;
		s->opened += field_number(edge, "connections.opened");
		s->payload += field_number(edge, "bytes_to_server") +
			      field_number(edge, "bytes_to_client");
	}
	client_answer_done(&graph);
}

/* Its hooks' time by the kernel where that is taken, else by its own account. */
static double hooks_ns(const struct beside *s, const struct observer *o)
{
	static const struct kernel_side nothing;
	struct kernel_side now;

	if (!s->timed)
		return observer_account(o).kernel_ns;
	kernel_side_read(&now, o->pid);
	return (double)kernel_side_hooks_ns(&nothing, &now);
}

void beside_run(struct beside *s)
{
	int stats = s->timed ? kernel_stats_on() : -1;
	uint64_t begin;
	struct observer o;
	double used;

	observer_start(&o, s->bench, &s->known->place, NULL);
	for (size_t i = 0; i < s->watcher_count; i++)
		watcher_start(&s->watchers[i], s->bench, s->known);
	pause_us(BEFORE_US);
	begin = clock_ns();
	used = (double)observer_cpu_ns(&o) + hooks_ns(s, &o);
	s->wire_bytes = known_wire_bytes(s->known);
	known_run(s->known);
	s->wire_bytes = known_wire_bytes(s->known) - s->wire_bytes;
	pause_us(AFTER_US);
	s->millrace_ns = (double)observer_cpu_ns(&o) + hooks_ns(s, &o) - used;
	s->seconds = (double)(clock_ns() - begin) / 1e9;
	for (size_t i = 0; i < s->watcher_count; i++)
		watcher_stop(&s->watchers[i], s->bench, s->known, s->timed);
	ask_graph(s, &o);
	observer_stop(&o);
	if (stats >= 0)
		close(stats);
}

void beside_report(const struct beside *s)
{
	double connections = s->known->connections + 1;

	report_row(s->name, NULL, 0,
		   "%.2f ms of CPU a second%s; saw %.4g %% of connections, %.4g %% of bytes",
		   s->millrace_ns / 1e6 / s->seconds, s->remark, 100 * s->opened / connections,
		   100 * s->payload / (double)known_payload(s->known));
	for (size_t i = 0; i < s->watcher_count; i++)
		watcher_report(&s->watchers[i], s->bench, s->known, s->seconds, s->wire_bytes,
			       s->remark);
}

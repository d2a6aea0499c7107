/* SPDX-License-Identifier: Apache-2.0 */
/* What `why` says of an end's processes and containers: restarts, and ends that nobody wanted. They
 * are of all that the end did: a process is not known to have failed for this edge. */
#include "field.h"
#include "human.h"
#include "why_internal.h"

static void write_counts(FILE *out, const json_t *counts, const char *what)
{
	const struct {
		const char *field, *words;
	} parts[] = {{"restarted", "restarted"}, {"failed", "failed"}, {"killed", "killed"}};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		double count = field_number(counts, parts[i].field);

		if (count > 0)
			fprintf(out, " %s%s %.0f time%s,", what, parts[i].words, count,
				why_plural(count));
	}
}

static void write_node(const struct graph *g, const struct graph_node *node, FILE *out)
{
	const json_t *last = field_get(node->json, "last_event");
	char span[HUMAN_NUMBER_SIZE];

	if (!json_is_object(last))
		return;
	fputs("  processes of ", out);
	human_print(out, node->name);
	fputs(", whatever for:", out);
	write_counts(out, field_get(node->json, "processes"), "");
	write_counts(out, field_get(node->json, "containers"), "as a container ");
	fputs(" last: ", out);
	human_print(out, field_text(last, "text"));
	fprintf(out, ", %s ago\n", human_span(span, g->to - field_number(last, "time")));
}

/* Of several owners of an address only those that the client met, unless it met none. */
static bool is_end(const struct why_matcher *m, const struct graph_node *node)
{
	bool found = false;

	for (size_t i = 0; i < m->g->edge_count; i++) {
		const struct graph_edge *e = &m->g->edges[i];

		if ((!m->address && e->client != node && e->server != node) || !why_is_edge(m, e))
			continue;
		if (e->client == node || e->server == node)
			return true;
		found = true;
	}
	return !found && (why_is_client(m, node) || why_is_server(m, node));
}

void why_write_happenings(const struct why_matcher *m, FILE *out)
{
	for (size_t i = 0; i < m->g->node_count; i++) {
		const struct graph_node *node = &m->g->nodes[i];

		if (json_is_object(field_get(node->json, "last_event")) && is_end(m, node))
			write_node(m->g, node, out);
	}
}

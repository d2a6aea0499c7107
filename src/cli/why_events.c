/* SPDX-License-Identifier: Apache-2.0 */
/* What `why` says of an end's processes and containers: restarts, and ends that nobody wanted. */
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

void why_write_events(const struct graph *g, const struct graph_node *node, FILE *out)
{
	const json_t *last = field_get(node->json, "last_event");
	char span[HUMAN_NUMBER_SIZE];

	if (!json_is_object(last))
		return;
	fputs("  ", out);
	human_print(out, node->name);
	write_counts(out, field_get(node->json, "processes"), "");
	write_counts(out, field_get(node->json, "containers"), "as a container ");
	fputs(" last: ", out);
	human_print(out, field_text(last, "text"));
	fprintf(out, ", %s ago\n", human_span(span, g->to - field_number(last, "time")));
}

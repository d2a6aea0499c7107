/* SPDX-License-Identifier: Apache-2.0 */
/* `millrace top --once`: the same rows as text or JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "human.h"
#include "top_internal.h"

static const char *colour_code(const struct table_style *style, enum table_colour colour)
{
	static const char *const codes[] = {
		[TABLE_PLAIN] = "",       [TABLE_GREEN] = "\033[32m", [TABLE_YELLOW] = "\033[33m",
		[TABLE_RED] = "\033[31m", [TABLE_BOLD] = "\033[1m",   [TABLE_DIM] = "\033[2m",
	};

	return style->colour ? codes[colour] : "";
}

static size_t last_shown(const struct top_layout *l)
{
	size_t last = 0;

	for (size_t i = 0; i < top_column_count; i++)
		if (l->width[i])
			last = i;
	return last;
}

/* row NULL: the titles. */
static void write_row(const struct top_row *row, const struct top_layout *l,
		      const struct table_style *style, FILE *out)
{
	size_t last = last_shown(l);

	for (size_t i = 0; i <= last; i++) {
		const struct top_column *c = &top_columns[i];
		enum table_colour colour = TABLE_DIM;
		char text[TOP_CELL_SIZE * 2];
		const char *code;

		if (!l->width[i])
			continue;
		if (row)
			colour = top_column_write(c, row, l->width[i], i != last, text,
						  sizeof(text));
		else
			top_cell_fit(c->title, l->width[i], c->right, i != last, text,
				     sizeof(text));
		code = colour_code(style, colour);
		fprintf(out, "%s%s%s%*s", code, text, *code ? "\033[0m" : "",
			i == last ? 0 : l->gap, "");
	}
	fputc('\n', out);
}

int top_write_text(const struct top_view *v, const struct table_style *style, FILE *out)
{
	char to_server[HUMAN_NUMBER_SIZE], to_client[HUMAN_NUMBER_SIZE], span[TOP_SPAN_SIZE];
	struct top_layout layout;

	fprintf(out, "%zu dependenc%s, %s to servers, %s to clients, in the last %s\n",
		v->table.count, v->table.count == 1 ? "y" : "ies",
		human_rate(to_server, v->table.to_server),
		human_rate(to_client, v->table.to_client), top_span_words(v, span));
	top_layout_choose(&layout, &v->table, style->width);
	write_row(NULL, &layout, style, out);
	for (size_t i = 0; i < v->table.count; i++)
		write_row(&v->table.rows[i], &layout, style, out);
	return 0;
}

static json_t *row_failures(const struct graph_edge *e)
{
	json_t *failed = json_object();

	for (int i = 0; i < GRAPH_FAILURE_COUNT; i++)
		json_object_set_new(failed, graph_failure_names[i], json_real(e->failed[i]));
	return failed;
}

/* null where nothing was measured. */
static json_t *measured(double value, double count)
{
	return count > 0 ? json_real(value) : json_null();
}

static json_t *row_json(const struct top_row *row)
{
	static const char *const levels[] = {"ok", "degraded", "failing"};
	static const char *const waits[] = {"", "server", "client", "send_buffer", "network"};
	const struct graph_edge *e = row->edge;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:f, s:f, "
		"s:o, s:f, s:s, s:f, s:s, s:s}",
		"id", row->id, "client", e->client->name, "server", e->server->name, "transport",
		field_text(e->json, "transport"), "port", e->port, "via",
		field_text(e->json, "via"), "bytes_to_server_per_s", row->to_server,
		"bytes_to_client_per_s", row->to_client, "active", e->active, "opened_per_s",
		row->opened, "pending", e->pending, "rtt_us_p50",
		measured(row->rtt_p50, e->rtt_count), "rtt_us_p95",
		measured(row->rtt_p95, e->rtt_count), "connect_us_p50",
		measured(row->connect_p50, row->connect_count), "retransmits", e->retransmits,
		"segments", e->segments, "failed", row_failures(e), "broken",
		e->reset_by_server + e->broken, "waits_for", waits[row->wait], "waits_share",
		row->wait_share, "health", levels[row->level], "health_words", row->health);
}

int top_write_json(const struct top_view *v, FILE *out)
{
	json_t *rows = json_array(), *all;
	int r = rows ? 0 : -ENOMEM;

	for (size_t i = 0; i < v->table.count && !r; i++)
		r = json_array_append_new(rows, row_json(&v->table.rows[i])) ? -ENOMEM : 0;
	all = json_pack("{s:f, s:f, s:f, s:s, s:s, s:s, s:o}", "from", v->table.graph.from, "to",
			v->table.graph.to, "covered_s", v->table.covered_s, "group",
			v->question.group, "filter", v->question.filter, "sort",
			top_sort_names[v->sort], "rows", rows);
	if (!r)
		r = all && !json_dumpf(all, out,
				       JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER |
					       JSON_REAL_PRECISION(15))
			    ? 0
			    : -ENOMEM;
	fputc('\n', out);
	json_decref(all);
	return r;
}

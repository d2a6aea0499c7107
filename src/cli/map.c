/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "field.h"
#include "human.h"
#include "output.h"

#define LISTENERS_SHOWN_MAX 6

static const struct table_column columns[] = {
	{.title = "client", .shrink_min = 24}, {.title = "to server", .right = true},
	{.title = "to client", .right = true}, {.title = "open", .right = true},
	{.title = "new", .right = true},       {.title = "rtt", .right = true},
	{.title = "health", .shrink_min = 12},
};

static const enum table_colour colour_of[] = {TABLE_GREEN, TABLE_YELLOW, TABLE_RED};

static const char *mark_of(int level)
{
	static const char *const marks[][2] = {{"✓", "+"}, {"!", "!"}, {"✗", "x"}};

	return marks[level][!human_unicode()];
}

static bool seen_before(const json_t *listeners, size_t index, const json_t *listener)
{
	for (size_t i = 0; i < index; i++) {
		const json_t *l = json_array_get(listeners, i);

		if (field_port(l, "port") == field_port(listener, "port") &&
		    !strcmp(graph_port_suffix(l), graph_port_suffix(listener)))
			return true;
	}
	return false;
}

char *map_listeners(const struct graph_node *node)
{
	const json_t *listeners = field_array(node->json, "listeners");
	char *text = NULL;
	size_t size = 0, shown = 0, i;
	FILE *out = json_array_size(listeners) ? open_memstream(&text, &size) : NULL;
	json_t *l;

	if (!out)
		return NULL;
	json_array_foreach (listeners, i, l) {
		if (seen_before(listeners, i, l))
			continue;
		if (shown == LISTENERS_SHOWN_MAX) {
			fputs(", …", out);
			break;
		}
		fprintf(out, "%s%d%s", shown++ ? ", " : "", field_port(l, "port"),
			graph_port_suffix(l));
	}
	return fclose(out) ? free(text), NULL : text;
}

static int write_client(struct table *t, const struct graph_node *node)
{
	char *name = graph_label(node, -1), *ports = map_listeners(node), *line = NULL;
	int r = name ? asprintf(&line, "%s  (%s%s%s)", name, node->kind,
				ports ? ", listens on " : "", ports ? ports : "")
		     : -1;

	if (r >= 0)
		table_line(t, TABLE_BOLD, line);
	free(line);
	free(ports);
	free(name);
	return r < 0 ? -ENOMEM : 0;
}

static void cell_bytes(struct table *t, double bytes, double adopted)
{
	char number[HUMAN_NUMBER_SIZE], text[HUMAN_NUMBER_SIZE + 2];

	/* what was carried before millrace came is shown where there is nothing newer */
	snprintf(text, sizeof(text), "%s%s", bytes == 0 && adopted > 0 ? "+" : "",
		 human_bytes(number, bytes == 0 ? adopted : bytes));
	table_cell(t, bytes == 0 && adopted == 0 ? "-" : text);
}

static void cell_count(struct table *t, double count)
{
	char number[HUMAN_NUMBER_SIZE];

	table_cell(t, count == 0 ? "-" : human_count(number, count));
}

static void cell_health(struct table *t, const struct graph_edge *e)
{
	char words[64], text[96];
	int level = graph_judge(e, words, sizeof(words));

	snprintf(text, sizeof(text), "%s %s%s", mark_of(level), words, graph_remark(e));
	table_cell_coloured(t, colour_of[level], text);
}

static int write_edge(struct table *t, const struct graph_edge *e, bool last)
{
	static const char *const branches[][2] = {{"├─ ", "|- "}, {"└─ ", "`- "}};
	char *server = graph_server_label(e), *text = NULL;
	char number[HUMAN_NUMBER_SIZE];

	if (!server || asprintf(&text, "%s%s", branches[last][!human_unicode()], server) < 0) {
		free(server);
		return -ENOMEM;
	}
	table_cell(t, text);
	cell_bytes(t, e->bytes_to_server, e->adopted_bytes_to_server);
	cell_bytes(t, e->bytes_to_client, e->adopted_bytes_to_client);
	cell_count(t, e->active);
	cell_count(t, e->opened);
	table_cell(t, e->rtt_count > 0 ? human_microseconds(number, e->rtt_p50) : "-");
	cell_health(t, e);
	free(text);
	free(server);
	return 0;
}

/* Workloads that listen and that nobody used: a reader looks for them too. */
static int write_idle(struct table *t, const struct graph *g)
{
	bool *used = calloc(g->node_count + 1, sizeof(*used));
	int r = used ? 0 : -ENOMEM;

	for (size_t i = 0; i < g->edge_count && used; i++) {
		used[g->edges[i].client - g->nodes] = true;
		used[g->edges[i].server - g->nodes] = true;
	}
	for (size_t i = 0; i < g->node_count && !r; i++)
		if (!used[i] && json_array_size(field_array(g->nodes[i].json, "listeners")))
			r = write_client(t, &g->nodes[i]);
	free(used);
	return r;
}

static int fill(struct table *t, const struct graph *g)
{
	for (size_t i = 0; i < g->edge_count; i++) {
		const struct graph_edge *e = &g->edges[i];
		bool first = i == 0 || g->edges[i - 1].client != e->client;
		bool last = i + 1 == g->edge_count || g->edges[i + 1].client != e->client;
		int r = first ? write_client(t, e->client) : 0;

		if (!r)
			r = write_edge(t, e, last);
		if (r < 0)
			return r;
	}
	return write_idle(t, g);
}

static void write_title(const struct graph *g, FILE *out)
{
	char span[HUMAN_NUMBER_SIZE], bytes[HUMAN_NUMBER_SIZE];
	double total = 0;

	for (size_t i = 0; i < g->edge_count; i++)
		if (!*g->edges[i].carrier)
			total += g->edges[i].bytes_to_server + g->edges[i].bytes_to_client;
	fprintf(out, "%zu service%s, %zu dependenc%s, %s in the last %s\n", g->node_count,
		g->node_count == 1 ? "" : "s", g->edge_count, g->edge_count == 1 ? "y" : "ies",
		human_bytes(bytes, total), human_span(span, g->to - graph_begin(g)));
	if (g->agents_reporting < g->agents_expected)
		fprintf(out, "%d of %d agents silent: millrace agents tells which\n",
			g->agents_expected - g->agents_reporting, g->agents_expected);
}

int map_write_text(const struct graph *g, bool filtered, const struct table_style *style, FILE *out)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));
	int r = t ? fill(t, g) : -ENOMEM;

	if (!r && table_is_empty(t) && filtered) {
		fputs("nothing matches the filter\n", out);
	} else if (!r) {
		write_title(g, out);
		r = table_is_empty(t) ? 0 : table_print(t, style, out);
	}
	table_free(t);
	return r;
}

static int write_map(const struct arguments *a, const struct client_answer *answer,
		     struct error *ret_error)
{
	struct table_style style = output_style();
	struct graph g;
	int r = graph_parse(&g, answer->json);

	if (!r) {
		r = a->dot ? map_write_dot(&g, stdout)
			   : map_write_text(&g, a->filter, &style, stdout);
		graph_done(&g);
	}
	return output_result(r, a->server.url, ret_error);
}

int map_run(const struct arguments *a, struct error *ret_error)
{
	struct client_parameter query[] = {CLIENT_RANGE(a), {.name = NULL}};
	struct client_answer answer;
	int r;

	if (a->dot && a->json) {
		error_set(ret_error, -EINVAL, "cannot print both --dot and --json: choose one");
		return EXIT_WRONG_USE;
	}
	r = client_get(&a->server, "/api/v1/graph", query, &answer, ret_error);
	if (r < 0)
		return client_exit_code(r);
	if (a->json)
		client_print_json(&answer);
	else
		r = write_map(a, &answer, ret_error);
	client_answer_done(&answer);
	return client_exit_code(r);
}

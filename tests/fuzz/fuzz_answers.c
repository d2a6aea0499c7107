/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as the API's answer: the command line prints something, and nothing that could move a
 * terminal's cursor or change its colours. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/agents.h"
#include "cli/connections.h"
#include "cli/flows.h"
#include "cli/human.h"
#include "cli/map.h"
#include "cli/start.h"
#include "cli/top_view.h"
#include "cli/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_graph(const json_t *json, FILE *out)
{
	struct table_style style = {.width = 80};
	struct error error = {0};
	struct graph g;

	if (graph_parse(&g, json) < 0)
		return;
	map_write_text(&g, g.node_count & 1, &style, out);
	map_write_dot(&g, out);
	for (size_t i = 0; i < g.edge_count && i < 4; i++) {
		struct why_pair pair = {g.edges[i].client->name, g.edges[i].server->name, -1,
					.flows = json_object_get(json, "flows")};

		why_write(&g, &pair, out, &error);
		pair.port = 1;
		why_write(&g, &pair, out, &error);
		pair.server = "127.0.0.1";
		why_write(&g, &pair, out, &error);
	}
	graph_done(&g);
}

static void put(void *userdata, int y, int x, struct top_ink ink, const char *text)
{
	fputs(text, userdata);
}

/* For machines, so it may hold what a terminal must not get; but JSON it is. */
static void check_json(const struct top_view *v)
{
	char *text = NULL;
	size_t written;
	FILE *out = open_memstream(&text, &written);
	int r = top_write_json(v, out);
	json_t *json;

	fclose(out);
	json = json_loadb(text, written, JSON_ALLOW_NUL, NULL);
	if (!r && !json)
		abort();
	json_decref(json);
	free(text);
}

/* Drawn in two sizes, in every mode and order. */
static void draw_top(json_t *json, FILE *out)
{
	static const struct top_moment moment = {.clock = "00:00:00", .server = ""};
	static const char keys[] = "s\nqj?qr/x";
	struct table_style style = {.width = 80};
	static struct top_view v;
	struct top_table table;

	v = (struct top_view){.question = {.group = "workload", .span_s = 10}};
	if (top_table_parse(&table, json_incref(json)) < 0)
		return;
	top_range_begin(&table.phase, 10, 1);
	top_view_take(&v, &table, 0);
	for (size_t i = 0; i < sizeof(keys); i++) {
		struct top_screen s = {.width = i % 2 ? 80 : 200,
				       .height = i % 2 ? 24 : 7,
				       .put = put,
				       .userdata = out};

		top_view_draw(&v, &moment, &s);
		top_view_key(&v, keys[i]);
	}
	top_write_text(&v, &style, out);
	check_json(&v);
	top_view_done(&v);
}

static void check_harmless(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((uint8_t)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') ||
		    text[i] == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table_style style = {.width = 80};
	json_t *json = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
	char *text = NULL;
	size_t written;
	FILE *out;

	if (!json)
		return 0;
	out = open_memstream(&text, &written);
	write_graph(json, out);
	draw_top(json, out);
	flows_write(json, size & 1, 0, &style, out);
	connections_write(json, size & 1, 1, &style, out);
	agents_write(json, &(struct table_style){0}, out);
	start_write("http://127.0.0.1:7070", json, json, out);
	fclose(out);
	check_harmless(text, written);
	free(text);
	json_decref(json);
	return 0;
}

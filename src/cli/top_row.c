/* SPDX-License-Identifier: Apache-2.0 */
#include "top_row.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "human.h"

/* A sender that had something to send for less than this share of the time waits for nothing. */
#define BUSY_SHARE_MIN 0.001

/* Ends of windows jitter; one this share of a window early or late is on time. */
#define JITTER_SHARE 0.1

/* Nothing new for this many windows: whether the agent still runs is not known. */
#define STALE_WINDOWS 3

/* What the windows span; no more than one agent's that ended in the range, since those of others
 * begin and end in between. Without a window, the range. */
static void measure_time(struct top_table *t)
{
	const struct graph *g = &t->graph;
	double window_s = field_number(t->json, "completeness.window_s");
	double windows;

	t->phase = (struct top_phase){g->to, g->covered_to, window_s};
	t->covered_s = g->to > g->from ? g->to - g->from : 1;
	if (window_s <= 0 || g->covered_to <= g->from || g->covered_from >= g->covered_to)
		return;
	windows = floor((g->covered_to - g->from) / window_s + JITTER_SHARE) + 1;
	t->covered_s = fmin(windows * window_s, g->covered_to - g->covered_from);
}

double top_range_begin(const struct top_phase *p, double span_s, double later_s)
{
	double windows, ahead;

	if (p->window_s <= 0 || p->newest_s <= 0 ||
	    p->to_s - p->newest_s > STALE_WINDOWS * p->window_s)
		return 0;
	ahead = floor(later_s / p->window_s + JITTER_SHARE);
	windows = fmax(round(span_s / p->window_s) - ahead, 1);
	/* half a window off an end, so that no jitter of it changes what is inside */
	return p->newest_s - (windows - 0.5) * p->window_s;
}

bool top_span_holds_window(double span_s, double window_s)
{
	return span_s >= window_s * (1 - JITTER_SHARE);
}

static char *cleaned(char *label)
{
	char *clean = label ? human_clean(label) : NULL;

	free(label);
	return clean;
}

static void judge_direction(struct top_row *row, const char *direction, enum top_wait receiver,
			    double *busiest)
{
	const json_t *limited = field_get(row->edge->json, direction);
	double busy = field_number(limited, "busy");
	double window = field_number(limited, "receive_window");
	double buffer = field_number(limited, "send_buffer");
	double network = busy - window - buffer;

	if (busy <= *busiest)
		return;
	*busiest = busy;
	row->wait = TOP_WAIT_NETWORK;
	row->wait_share = network;
	if (window >= buffer && window >= network) {
		row->wait = receiver;
		row->wait_share = window;
	} else if (buffer >= network) {
		row->wait = TOP_WAIT_BUFFER;
		row->wait_share = buffer;
	}
	row->wait_share = fmin(fmax(row->wait_share / busy, 0), 1);
}

static void judge_waits(struct top_row *row, double covered_s)
{
	double busiest = covered_s * 1e6 * BUSY_SHARE_MIN;

	judge_direction(row, "limited_us_to_server", TOP_WAIT_SERVER, &busiest);
	judge_direction(row, "limited_us_to_client", TOP_WAIT_CLIENT, &busiest);
}

static int fill_row(struct top_row *row, const struct graph_edge *e, double covered_s)
{
	char words[48];

	*row = (struct top_row){
		.edge = e,
		.id = field_text(e->json, "id"),
		.client = cleaned(graph_label(e->client, -1)),
		.server = cleaned(graph_server_label(e)),
		.to_server = e->bytes_to_server / covered_s,
		.to_client = e->bytes_to_client / covered_s,
		.opened = e->opened / covered_s,
		.rtt_p50 = e->rtt_count > 0 ? e->rtt_p50 : 0,
		.rtt_p95 = e->rtt_count > 0 ? e->rtt_p95 : 0,
		.connect_p50 = field_number(e->json, "connect_us.p50"),
		.connect_count = field_number(e->json, "connect_us.count"),
	};
	judge_waits(row, covered_s);
	row->level = graph_judge(e, words, sizeof(words));
	snprintf(row->health, sizeof(row->health), "%s%s", words, graph_remark(e));
	return row->client && row->server ? 0 : -ENOMEM;
}

static int fill_rows(struct top_table *t)
{
	t->rows = calloc(t->graph.edge_count + 1, sizeof(*t->rows));
	if (!t->rows)
		return -ENOMEM;
	for (size_t i = 0; i < t->graph.edge_count; i++) {
		struct top_row *row = &t->rows[t->count++];
		int r = fill_row(row, &t->graph.edges[i], t->covered_s);

		if (r < 0)
			return r;
		if (*row->edge->carrier)
			continue;
		t->to_server += row->to_server;
		t->to_client += row->to_client;
		t->level_count[row->level]++;
	}
	return 0;
}

int top_table_parse(struct top_table *ret, json_t *json)
{
	struct top_table t = {.json = json};
	int r = graph_parse(&t.graph, json);

	if (!r) {
		measure_time(&t);
		r = fill_rows(&t);
	}
	if (r < 0) {
		top_table_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void top_table_done(struct top_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->rows[i].client);
		free(t->rows[i].server);
	}
	free(t->rows);
	graph_done(&t->graph);
	json_decref(t->json);
	*t = (struct top_table){0};
}

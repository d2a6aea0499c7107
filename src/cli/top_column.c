/* SPDX-License-Identifier: Apache-2.0 */
#include "top_column.h"

#include <stdio.h>
#include <string.h>

#include "field.h"
#include "human.h"

#define RANK_COMFORT 6   /* columns from this rank on come after names have room */
#define COMFORT      1.5 /* of the least width */
#define WIDE         120 /* from here on there is room for two blanks between columns */

static void format_sign(const struct top_row *row, struct top_cell *c)
{
	static const char *const signs[][2] = {{"✓", "+"}, {"!", "!"}, {"✗", "x"}};
	static const enum table_colour colours[] = {TABLE_GREEN, TABLE_YELLOW, TABLE_RED};

	snprintf(c->text, sizeof(c->text), "%s", signs[row->level][!human_unicode()]);
	c->colour = colours[row->level];
}

static void format_health(const struct top_row *row, struct top_cell *c)
{
	format_sign(row, c);
	snprintf(c->text, sizeof(c->text), "%s", row->health);
}

/* Cut between characters, never within one. */
static void format_name(const char *name, struct top_cell *c)
{
	size_t size = strnlen(name, sizeof(c->text) - 1);

	while (size && ((unsigned char)name[size] & 0xc0) == 0x80)
		size--;
	snprintf(c->text, sizeof(c->text), "%.*s", (int)size, name);
}

static void format_client(const struct top_row *row, struct top_cell *c)
{
	format_name(row->client, c);
}

static void format_server(const struct top_row *row, struct top_cell *c)
{
	format_name(row->server, c);
}

static void format_rate(double bytes_a_second, struct top_cell *c)
{
	char number[HUMAN_NUMBER_SIZE];

	snprintf(c->text, sizeof(c->text), "%s",
		 bytes_a_second > 0 ? human_rate(number, bytes_a_second) : "-");
}

static void format_to_server(const struct top_row *row, struct top_cell *c)
{
	format_rate(row->to_server, c);
}

static void format_to_client(const struct top_row *row, struct top_cell *c)
{
	format_rate(row->to_client, c);
}

static void format_count(double count, struct top_cell *c)
{
	char number[HUMAN_NUMBER_SIZE];

	snprintf(c->text, sizeof(c->text), "%s", count > 0 ? human_count(number, count) : "-");
}

static void format_open(const struct top_row *row, struct top_cell *c)
{
	format_count(row->edge->active, c);
}

static void format_new(const struct top_row *row, struct top_cell *c)
{
	if (row->opened > 0 && row->opened < 0.1)
		snprintf(c->text, sizeof(c->text), "<0.1");
	else if (row->opened > 0 && row->opened < 9.95)
		snprintf(c->text, sizeof(c->text), "%.1f", row->opened);
	else
		format_count(row->opened, c);
}

static void format_time(double us, bool measured, struct top_cell *c)
{
	char number[HUMAN_NUMBER_SIZE];

	snprintf(c->text, sizeof(c->text), "%s", measured ? human_microseconds(number, us) : "-");
}

static void format_rtt(const struct top_row *row, struct top_cell *c)
{
	format_time(row->rtt_p50, row->edge->rtt_count > 0, c);
}

static void format_rtt_p95(const struct top_row *row, struct top_cell *c)
{
	format_time(row->rtt_p95, row->edge->rtt_count > 0, c);
}

static void format_connect(const struct top_row *row, struct top_cell *c)
{
	format_time(row->connect_p50, row->connect_count > 0, c);
}

static void format_retransmits(const struct top_row *row, struct top_cell *c)
{
	format_count(row->edge->retransmits, c);
	c->colour =
		row->edge->retransmits > row->edge->segments * 0.01 ? TABLE_YELLOW : TABLE_PLAIN;
}

static void format_again_share(const struct top_row *row, struct top_cell *c)
{
	const struct graph_edge *e = row->edge;
	char number[HUMAN_NUMBER_SIZE];

	snprintf(c->text, sizeof(c->text), "%s",
		 e->retransmits > 0 && e->segments > 0
			 ? human_percent(number, e->retransmits, e->segments)
			 : "-");
}

static void format_waits(const struct top_row *row, struct top_cell *c)
{
	static const char *const who[] = {"", "server", "client", "own buffer", "network"};
	char number[HUMAN_NUMBER_SIZE];

	/* the network is what senders wait for when all is well */
	if (row->wait == TOP_WAIT_NETWORK)
		c->colour = TABLE_DIM;
	if (row->wait == TOP_WAIT_NONE || row->wait == TOP_WAIT_NETWORK)
		snprintf(c->text, sizeof(c->text), "%s", row->wait ? "network" : "-");
	else
		snprintf(c->text, sizeof(c->text), "%s %s", who[row->wait],
			 human_percent(number, row->wait_share, 1));
	if (row->wait != TOP_WAIT_NETWORK && row->wait_share > 0.2)
		c->colour = TABLE_YELLOW;
}

static void add_failure(struct top_cell *c, double count, const char *what)
{
	size_t used = strlen(c->text);
	char number[HUMAN_NUMBER_SIZE];

	if (count > 0 && used < sizeof(c->text) - 32)
		snprintf(c->text + used, sizeof(c->text) - used, "%s%s %s", used ? ", " : "",
			 human_count(number, count), what);
}

/* "80 refused, 2 timed out": every reason, connections that were open and broke, datagrams that
 * found a full queue, names that were never told. */
static void format_failed(const struct top_row *row, struct top_cell *c)
{
	static const char *const words[GRAPH_FAILURE_COUNT] = {
		"refused", "timed out", "unreachable", "reset", "given up", "failed"};
	const struct graph_edge *e = row->edge;

	c->text[0] = '\0';
	for (int i = 0; i < GRAPH_FAILURE_COUNT; i++)
		add_failure(c, e->failed[i], words[i]);
	add_failure(c, e->reset_by_server + e->broken, "broken off");
	add_failure(c,
		    field_number(e->json, "datagrams_dropped_to_server") +
			    field_number(e->json, "datagrams_dropped_to_client"),
		    "dropped");
	add_failure(c, field_number(e->json, "dns.timeouts"), "names without answer");
	if (!c->text[0])
		snprintf(c->text, sizeof(c->text), "-");
}

static void format_pending(const struct top_row *row, struct top_cell *c)
{
	format_count(row->edge->pending, c);
}

const struct top_column top_columns[] = {
	{"", TOP_SORT_HEALTH, 1, 1, false, 0, format_sign},
	{"client", TOP_SORT_CLIENT, 14, 40, false, 0, format_client},
	{"server", TOP_SORT_SERVER, 16, 48, false, 0, format_server},
	{"to server", TOP_SORT_TO_SERVER, 9, 9, true, 1, format_to_server},
	{"to client", TOP_SORT_TO_CLIENT, 9, 9, true, 2, format_to_client},
	{"open", TOP_SORT_OPEN, 5, 5, true, 5, format_open},
	{"new/s", TOP_SORT_NEW, 5, 5, true, 6, format_new},
	{"rtt", TOP_SORT_RTT, 7, 7, true, 4, format_rtt},
	{"rtt 95%", TOP_SORT_RTT, 7, 7, true, 10, format_rtt_p95},
	{"connect", TOP_SORT_CONNECT, 7, 7, true, 9, format_connect},
	{"again", TOP_SORT_RETRANSMITS, 5, 5, true, 7, format_retransmits},
	{"again %", TOP_SORT_RETRANSMITS, 7, 7, true, 12, format_again_share},
	{"pending", TOP_SORT_HEALTH, 7, 7, true, 13, format_pending},
	{"waits for", TOP_SORT_WAITS, 16, 16, false, 8, format_waits},
	{"health", TOP_SORT_HEALTH, 12, 22, false, 3, format_health},
	{"failures", TOP_SORT_FAILED, 16, 40, false, 11, format_failed},
};
const size_t top_column_count = sizeof(top_columns) / sizeof(*top_columns);

_Static_assert(sizeof(top_columns) / sizeof(*top_columns) <= TOP_COLUMNS_MAX, "layouts hold all");

static int rank_last(void)
{
	int last = 0;

	for (size_t i = 0; i < top_column_count; i++)
		last = top_columns[i].rank > last ? top_columns[i].rank : last;
	return last;
}

/* Takes a column if it fits. Once one does not, left is negative and stays so: a less important one
 * is not taken in its stead, or a wider terminal could show fewer columns. */
static int take_rank(struct top_layout *l, int rank, int left)
{
	for (size_t i = 0; i < top_column_count; i++) {
		const struct top_column *c = &top_columns[i];

		if (c->rank != rank)
			continue;
		left -= c->min + l->gap;
		if (left >= 0 || !rank)
			l->width[i] = c->min;
	}
	return left;
}

static int content_width(const struct top_table *t, size_t column)
{
	const struct top_column *c = &top_columns[column];
	int widest = human_width(c->title);

	for (size_t i = 0; i < t->count; i++) {
		struct top_cell cell = {.text = ""};
		int width;

		c->format(&t->rows[i], &cell);
		width = human_width(cell.text);
		widest = width > widest ? width : widest;
	}
	return widest < c->min ? c->min : widest;
}

/* Names get room before columns that matter less than they do. */
static int make_comfortable(struct top_layout *l, const int *wanted, int left)
{
	for (size_t i = 0; i < top_column_count; i++) {
		const struct top_column *c = &top_columns[i];
		int width = wanted[i] < c->min * COMFORT ? wanted[i] : (int)(c->min * COMFORT);
		int more = c->rank ? 0 : width - l->width[i];

		if (!l->width[i] || more <= 0 || left <= 0)
			continue;
		more = more < left ? more : left;
		l->width[i] += more;
		left -= more;
	}
	return left;
}

/* Gives what is left to columns that need it, one column of the screen at a time, in turn. */
static void share_out(struct top_layout *l, const int *wanted, int left)
{
	bool gave = true;

	while (left > 0 && gave) {
		gave = false;
		for (size_t i = 0; i < top_column_count && left > 0; i++) {
			if (!l->width[i] || l->width[i] >= wanted[i])
				continue;
			l->width[i]++;
			left--;
			gave = true;
		}
	}
}

void top_layout_choose(struct top_layout *ret, const struct top_table *t, int width)
{
	int wanted[TOP_COLUMNS_MAX] = {0}, left, last = rank_last();

	*ret = (struct top_layout){.gap = width && width < WIDE ? 1 : 2};
	left = width ? width + ret->gap : 1 << 20;
	for (size_t i = 0; i < top_column_count; i++) {
		if (top_columns[i].max == top_columns[i].min)
			continue;
		wanted[i] = content_width(t, i);
		if (width && wanted[i] > top_columns[i].max)
			wanted[i] = top_columns[i].max;
	}
	for (int rank = 0; rank <= last; rank++) {
		if (rank == RANK_COMFORT)
			left = make_comfortable(ret, wanted, left);
		left = take_rank(ret, rank, left);
	}
	share_out(ret, wanted, left);
}

static char *pad(char *at, const char *end, int count)
{
	while (count-- > 0 && at < end)
		*at++ = ' ';
	return at;
}

void top_cell_fit(const char *clean, int width, bool right, bool fill, char *ret, size_t size)
{
	const char *mark = "", *end = ret + size - 1;
	int shown = human_width(clean);
	size_t bytes = strlen(clean);
	char *at = ret;

	if (shown > width) {
		mark = human_unicode() ? "…" : "~";
		bytes = human_fit(clean, width - 1, &shown);
		shown++;
	}
	if (right)
		at = pad(at, end, width - shown);
	if (bytes + strlen(mark) <= (size_t)(end - at)) {
		at = mempcpy(at, clean, bytes);
		at = mempcpy(at, mark, strlen(mark));
	}
	if (!right && fill)
		at = pad(at, end, width - shown);
	*at = '\0';
}

/* "redis-se…:24166" */
static void keep_port(struct top_cell *c, int width)
{
	const char *colon = strrchr(c->text, ':');
	char name[TOP_CELL_SIZE], tail[TOP_CELL_SIZE], cut[TOP_CELL_SIZE];
	int tail_width = colon ? human_width(colon) : 0;

	if (!colon || human_width(c->text) <= width || tail_width > width / 2)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(colon - c->text), c->text);
	snprintf(tail, sizeof(tail), "%s", colon);
	top_cell_fit(name, width - tail_width, false, false, cut, sizeof(cut));
	if (strlen(cut) + strlen(tail) < sizeof(c->text))
		stpcpy(stpcpy(c->text, cut), tail);
}

enum table_colour top_column_write(const struct top_column *c, const struct top_row *row, int width,
				   bool fill, char *ret, size_t size)
{
	struct top_cell cell = {.text = ""};

	c->format(row, &cell);
	if (c->format == format_server)
		keep_port(&cell, width);
	top_cell_fit(cell.text, width, c->right, fill, ret, size);
	return cell.colour;
}

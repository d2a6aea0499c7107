/* SPDX-License-Identifier: Apache-2.0 */
#include "connections.h"

#include <errno.h>

#include "client.h"
#include "end.h"
#include "field.h"
#include "human.h"
#include "output.h"

/* tcp_sock's initial slow start threshold: none yet. */
#define SSTHRESH_INFINITE 0x7fffffff
#define LIMIT_STANDARD    1000 /* the server's, where none is asked for */

static const struct table_column columns[] = {
	{.title = "state"},
	{.title = "client", .shrink_min = 10},
	{.title = "address:port", .shrink_min = 14, .port = true},
	{.title = "server", .shrink_min = 10},
	{.title = "address:port", .shrink_min = 14, .port = true},
	{.title = "seen by", .leave_out = 9},
	{.title = "pid", .right = true, .leave_out = 15},
	{.title = "rtt", .right = true},
	{.title = "min", .right = true, .leave_out = 4},
	{.title = "cwnd", .right = true, .leave_out = 12},
	{.title = "ssthresh", .right = true, .leave_out = 3},
	{.title = "mss", .right = true, .leave_out = 5},
	{.title = "unacked", .right = true, .leave_out = 13},
	{.title = "again", .right = true, .leave_out = 14},
	{.title = "sent", .right = true, .leave_out = 11},
	{.title = "received", .right = true, .leave_out = 10},
	{.title = "pacing", .right = true, .leave_out = 7},
	{.title = "delivery", .right = true, .leave_out = 6},
	{.title = "age", .right = true, .leave_out = 8},
	{.title = "last send", .right = true, .leave_out = 2},
	{.title = "last recv", .right = true, .leave_out = 1},
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(*columns))

enum format { AS_BYTES, AS_RATE, AS_COUNT, AS_US, AS_MS, AS_PLAIN };

/* The columns behind the ends, in order. */
static const struct figure {
	const char *field;
	enum format format;
} figures[] = {
	{"pid", AS_PLAIN},
	{"rtt_us", AS_US},
	{"min_rtt_us", AS_US},
	{"cwnd", AS_PLAIN},
	{"ssthresh", AS_PLAIN},
	{"mss", AS_PLAIN},
	{"unacked_segments", AS_COUNT},
	{"retransmits", AS_COUNT},
	{"bytes_sent", AS_BYTES},
	{"bytes_received", AS_BYTES},
	{"pacing_rate", AS_RATE},
	{"delivery_rate", AS_RATE},
	{"age_ms", AS_MS},
	{"last_send_ms", AS_MS},
	{"last_receive_ms", AS_MS},
};

static const char *format_figure(char *number, enum format format, double value)
{
	switch (format) {
	case AS_BYTES:
		return human_bytes(number, value);
	case AS_RATE:
		return human_rate(number, value);
	case AS_COUNT:
		return human_count(number, value);
	case AS_US:
		return human_microseconds(number, value);
	case AS_MS:
		return human_microseconds(number, value * 1000);
	case AS_PLAIN:
		snprintf(number, HUMAN_NUMBER_SIZE, "%.0f", value);
		return number;
	}
	return "";
}

static void write_figures(struct table *t, const json_t *c)
{
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		double value = field_number(c, figures[i].field);
		char number[HUMAN_NUMBER_SIZE];

		if (value == 0 || (figures[i].format == AS_PLAIN && value >= SSTHRESH_INFINITE))
			table_cell(t, "-");
		else
			table_cell(t, format_figure(number, figures[i].format, value));
	}
}

static int write_row(struct table *t, const json_t *c)
{
	const json_t *client = field_get(c, "client"), *server = field_get(c, "server");
	int r;

	table_cell(t, field_text(c, "state"));
	r = end_cells(t, client, field_port(client, "port"), "");
	if (!r)
		r = end_cells(t, server, field_port(server, "port"), "");
	table_cell(t, field_text(c, "seen_by"));
	write_figures(t, c);
	return r;
}

/* total counts all live sockets, whether or not they match the filter. */
static void write_sum(size_t shown, double total, bool filtered, uint32_t limit, FILE *out)
{
	bool cut = shown >= (limit ? limit : LIMIT_STANDARD) && (double)shown < total;

	if (filtered && !cut)
		fprintf(out, "%zu of %.0f live sockets match%s the filter\n", shown, total,
			shown == 1 ? "es" : "");
	else if (filtered)
		fprintf(out,
			"the first %zu that match the filter, of %.0f live sockets; --limit shows "
			"more\n",
			shown, total);
	else
		fprintf(out, "%zu of %.0f live sockets%s\n", shown, total,
			cut ? " are shown; --limit shows more" : "");
}

/* Agents that were asked and did not answer in time. */
static void write_missing(const json_t *json, FILE *out)
{
	const json_t *missing = field_array(json, "missing"), *node;
	size_t i;

	for (i = 0; i < json_array_size(missing); i++) {
		node = json_array_get(missing, i);
		fputs(i ? ", " : "no answer from: ", out);
		human_print(out, json_is_string(node) ? json_string_value(node) : "?");
	}
	if (i)
		fputc('\n', out);
}

int connections_write(const json_t *json, bool filtered, uint32_t limit,
		      const struct table_style *style, FILE *out)
{
	const json_t *connections = field_array(json, "connections");
	struct table *t = table_new(columns, COLUMN_COUNT);
	int r = !connections ? -EPROTO : t ? 0 : -ENOMEM;
	size_t i;
	json_t *c;

	json_array_foreach (connections, i, c) {
		if (r < 0)
			break;
		r = write_row(t, c);
	}
	if (!r)
		r = table_print(t, style, out);
	if (!r)
		write_sum(json_array_size(connections), field_number(json, "total"), filtered,
			  limit, out);
	if (!r)
		write_missing(json, out);
	table_free(t);
	return r;
}

int connections_run(const struct arguments *a, struct error *ret_error)
{
	struct table_style style = output_style();
	struct client_answer answer;
	char limit[16];
	struct client_parameter query[] = {{"filter", a->filter},
					   {"limit", a->limit ? limit : NULL},
					   {"node", a->ask_node},
					   {.name = NULL}};
	int r;

	snprintf(limit, sizeof(limit), "%u", a->limit);
	r = client_get(&a->server, "/api/v1/connections", query, &answer, ret_error);
	if (r < 0)
		return client_exit_code(r);
	if (a->json)
		client_print_json(&answer);
	else
		r = output_result(
			connections_write(answer.json, a->filter, a->limit, &style, stdout),
			a->server.url, ret_error);
	client_answer_done(&answer);
	return client_exit_code(r);
}

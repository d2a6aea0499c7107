/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "end.h"
#include "field.h"
#include "graph.h"
#include "human.h"

static const struct table_column columns[] = {
	{.title = "time"},
	{.title = "client", .shrink_min = 9},
	{.title = "address", .shrink_min = 9, .leave_out = 2},
	{.title = "server", .shrink_min = 9},
	{.title = "address:port", .shrink_min = 14, .port = true},
	{.title = "to server", .right = true},
	{.title = "to client", .right = true},
	{.title = "new", .right = true, .leave_out = 3},
	{.title = "open", .right = true, .leave_out = 4},
	{.title = "failed", .right = true},
	{.title = "again", .right = true, .leave_out = 1},
	{.title = "rtt", .right = true, .leave_out = 5},
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(*columns))

#define YEAR_10000_S 253402300800.0

static void cell_time(struct table *t, double seconds)
{
	struct tm broken = {0};
	char text[32] = "", all[48];
	time_t whole;

	if (!(seconds >= 0 && seconds < YEAR_10000_S)) {
		table_cell(t, "-");
		return;
	}
	whole = (time_t)seconds;
	localtime_r(&whole, &broken);
	strftime(text, sizeof(text), "%H:%M:%S", &broken);
	snprintf(all, sizeof(all), "%s.%03d", text, (int)((seconds - (double)whole) * 1000));
	table_cell(t, all);
}

static void cell_bytes(struct table *t, const json_t *flow, const char *direction)
{
	char path[64], number[HUMAN_NUMBER_SIZE], text[HUMAN_NUMBER_SIZE + 2];
	double bytes, adopted;

	snprintf(path, sizeof(path), "bytes_%s", direction);
	bytes = field_number(flow, path);
	snprintf(path, sizeof(path), "adopted_bytes_%s", direction);
	adopted = field_number(flow, path);
	snprintf(text, sizeof(text), "%s%s", bytes == 0 && adopted > 0 ? "+" : "",
		 human_bytes(number, bytes == 0 ? adopted : bytes));
	table_cell(t, bytes == 0 && adopted == 0 ? "-" : text);
}

static void cell_count(struct table *t, double count)
{
	char number[HUMAN_NUMBER_SIZE];

	table_cell(t, count == 0 ? "-" : human_count(number, count));
}

static double sum_failed(const json_t *flow)
{
	const char *reason;
	json_t *count;
	double sum = 0;

	json_object_foreach (field_get(flow, "connections.failed"), reason, count)
		sum += json_number_value(count);
	return sum;
}

static double sum_retransmits(const json_t *flow)
{
	return field_number(flow, "retransmits_to_server") +
	       field_number(flow, "retransmits_to_client");
}

static int write_row(struct table *t, const json_t *flow, bool with_time)
{
	const json_t *client = field_get(flow, "client"), *server = field_get(flow, "server");
	char number[HUMAN_NUMBER_SIZE];
	int r;

	if (with_time)
		cell_time(t, field_number(flow, "time"));
	r = end_cells(t, client, -1, "");
	if (!r)
		r = end_cells(t, server, field_port(server, "port"), graph_port_suffix(flow));
	cell_bytes(t, flow, "to_server");
	cell_bytes(t, flow, "to_client");
	cell_count(t, field_number(flow, "connections.opened"));
	cell_count(t, field_number(flow, "connections.active"));
	cell_count(t, sum_failed(flow));
	cell_count(t, sum_retransmits(flow));
	table_cell(t, field_number(flow, "rtt_us.count") > 0
			      ? human_microseconds(number, field_number(flow, "rtt_us.p50"))
			      : "-");
	return r;
}

int flows_write(const json_t *json, bool with_time, double after, const struct table_style *style,
		FILE *out)
{
	const json_t *flows = field_array(json, "flows");
	struct table *t = table_new(columns + !with_time, COLUMN_COUNT - !with_time);
	size_t i, shown = 0;
	json_t *flow;
	int r = !flows ? -EPROTO : t ? 0 : -ENOMEM;

	json_array_foreach (flows, i, flow) {
		if (r < 0)
			break;
		if (with_time && field_number(flow, "time") <= after)
			continue;
		r = write_row(t, flow, with_time);
		shown++;
	}
	if (!r && (shown || !with_time))
		r = table_print(t, style, out);
	if (!r && field_number(json, "total") > (double)json_array_size(flows))
		fprintf(out, "%zu of %.0f flows are shown, the largest; --limit shows more\n",
			shown, field_number(json, "total"));
	table_free(t);
	return r;
}

double flows_latest(const json_t *json, double after)
{
	const json_t *flows = field_array(json, "flows");
	json_t *flow;
	size_t i;

	json_array_foreach (flows, i, flow) {
		double time = field_number(flow, "time");

		after = time > after ? time : after;
	}
	return after;
}

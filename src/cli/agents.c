/* SPDX-License-Identifier: Apache-2.0 */
#include "agents.h"

#include <errno.h>

#include "client.h"
#include "field.h"
#include "human.h"
#include "output.h"
#include "table.h"

double agents_percent(const json_t *agent)
{
	double cpus = field_number(agent, "cost.cpus"),
	       cores = field_number(agent, "cost.agent_cores");
	double since_start_s = field_number(agent, "batches") * field_number(agent, "window_s");

	if (cores == 0 && since_start_s > 0)
		cores = field_number(agent, "cost.agent_cpu_s") / since_start_s;
	return 100 * cores / (cpus > 0 ? cpus : 1);
}

static void write_text(FILE *out, const char *title, const json_t *object, const char *field)
{
	fprintf(out, "  %-10s", title);
	human_print(out, field_text(object, field));
	fputc('\n', out);
}

static void write_window(const json_t *a, FILE *out)
{
	char window[HUMAN_NUMBER_SIZE], wanted[HUMAN_NUMBER_SIZE];

	fprintf(out, "  window    %s (asked for: %s), %.0f sent, the last %.1f s ago\n",
		human_microseconds(window, field_number(a, "window_s") * 1e6),
		human_microseconds(wanted, field_number(a, "window_wanted_s") * 1e6),
		field_number(a, "batches"), field_number(a, "lag_s"));
}

/* The budget is the agent's; what the kernel side takes follows from the connections there are. */
static void write_cost(const json_t *a, FILE *out)
{
	double cpus = field_number(a, "cost.cpus");

	fprintf(out,
		"  cost      %.3f %% of the machine's CPU in the agent (budget %g %%), %.3f %% in "
		"the kernel\n",
		agents_percent(a), field_number(a, "cost.cpu_budget_percent"),
		100 * field_number(a, "cost.kernel_cores") / (cpus > 0 ? cpus : 1));
}

/* Losses that are not 0, each with what it means; all of them silent is worth a word too. */
static void write_losses(const json_t *losses, FILE *out)
{
	size_t i, shown = 0;
	json_t *loss;

	json_array_foreach (losses, i, loss) {
		if (field_number(loss, "count") == 0)
			continue;
		fprintf(out, "  %s%.0f ", shown++ ? "          " : "lost      ",
			field_number(loss, "count"));
		human_print(out, field_text(loss, "cause"));
		fputs(": ", out);
		human_print(out, field_text(loss, "help"));
		fputc('\n', out);
	}
	if (!shown)
		fputs("  lost      nothing\n", out);
}

static void write_agent(const json_t *a, FILE *out)
{
	human_print(out, *field_text(a, "node") ? field_text(a, "node") : "agent");
	fputs(json_is_true(field_get(a, "reporting")) ? ": reporting\n" : ": silent\n", out);
	write_text(out, "version", a, "version");
	write_text(out, "kernel", a, "kernel");
	write_text(out, "hooks", a, "hooks");
	write_window(a, out);
	fprintf(out,
		"  holds     %.0f sockets of %.0f, %.0f listeners, up to %.0f flows a window\n",
		field_number(a, "sockets"), field_number(a, "slots"), field_number(a, "listeners"),
		field_number(a, "flows_max"));
	write_cost(a, out);
	if (field_number(a, "foreign_drops") > 0)
		fprintf(out, "  dropped   %.0f packets of no flow known here: a scan, say\n",
			field_number(a, "foreign_drops"));
	write_losses(field_array(a, "losses"), out);
}

static void write_server(const json_t *s, const json_t *completeness, FILE *out)
{
	char bytes[HUMAN_NUMBER_SIZE], max[HUMAN_NUMBER_SIZE], share[HUMAN_NUMBER_SIZE];

	fputs("server\n", out);
	fprintf(out, "  holds     %.0f of %.0f flows, %.0f of %.0f actors, history %s of %s\n",
		field_number(s, "flows"), field_number(s, "flows_max"), field_number(s, "actors"),
		field_number(s, "actors_max"), human_bytes(bytes, field_number(s, "history_bytes")),
		human_bytes(max, field_number(s, "history_bytes_max")));
	write_losses(field_array(s, "losses"), out);
	fprintf(out, "complete: %s\n",
		human_percent(share, field_number(completeness, "share"), 1));
}

/* --- many agents: a line each ----------------------------------------------------------------- */

static const struct table_column columns[] = {
	{.title = "NODE", .shrink_min = 12},
	{.title = "ZONE", .shrink_min = 6, .leave_out = 4},
	{.title = "STATUS"},
	{.title = "LAG", .right = true},
	{.title = "WINDOW", .right = true, .leave_out = 5},
	{.title = "CPU", .right = true},
	{.title = "SOCKETS", .right = true, .leave_out = 6},
	{.title = "LOST", .right = true},
	{.title = "VERSION", .shrink_min = 6, .leave_out = 3},
	{.title = "KERNEL", .shrink_min = 8, .leave_out = 2},
	{.title = "OBSERVES", .shrink_min = 8, .leave_out = 1},
};

static double lost_of(const json_t *agent)
{
	double sum = 0;
	size_t i;
	json_t *loss;

	json_array_foreach (field_array(agent, "losses"), i, loss)
		sum += field_number(loss, "count");
	return sum;
}

static void cell_status(struct table *t, const json_t *a)
{
	const char *status = field_text(a, "status");
	bool reporting = json_is_true(field_get(a, "reporting"));

	if (!*status)
		status = reporting ? "reporting" : "silent";
	table_cell_coloured(t, reporting ? TABLE_GREEN : TABLE_RED, status);
}

static void cell_text(struct table *t, const char *text)
{
	table_cell(t, *text ? text : "-");
}

static void write_row(struct table *t, const json_t *a)
{
	char text[HUMAN_NUMBER_SIZE], cost[32];

	cell_text(t, field_text(a, "node"));
	cell_text(t, field_text(a, "zone"));
	cell_status(t, a);
	table_cell(t, human_span(text, field_number(a, "lag_s")));
	table_cell(t, human_microseconds(text, field_number(a, "window_s") * 1e6));
	snprintf(cost, sizeof(cost), "%.3f %%", agents_percent(a));
	table_cell(t, cost);
	table_cell(t, human_count(text, field_number(a, "sockets")));
	table_cell(t, human_count(text, lost_of(a)));
	cell_text(t, field_text(a, "version"));
	cell_text(t, field_text(a, "kernel"));
	cell_text(t, *field_text(a, "coverage") ? field_text(a, "coverage") : "all");
}

static int write_table(const json_t *agents, const struct table_style *style, FILE *out)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));
	size_t i;
	json_t *a;
	int r;

	if (!t)
		return -ENOMEM;
	json_array_foreach (agents, i, a)
		write_row(t, a);
	r = table_print(t, style, out);
	table_free(t);
	return r;
}

/* What no agent told, so that nobody takes it for silence on the network. */
static void write_gaps(const json_t *gaps, FILE *out)
{
	size_t i;
	json_t *gap;

	json_array_foreach (gaps, i, gap) {
		double from = field_number(gap, "from");
		char span[HUMAN_NUMBER_SIZE];

		fputs("gap: ", out);
		human_print(out, field_text(gap, "node"));
		fprintf(out, " told nothing of %s\n",
			human_span(span, field_number(gap, "to") - from));
	}
}

int agents_write(const json_t *json, const struct table_style *style, FILE *out)
{
	const json_t *agents = field_array(json, "agents");
	size_t i;
	json_t *a;
	int r = 0;

	if (!agents)
		return -EPROTO;
	if (json_array_size(agents) > 1)
		r = write_table(agents, style, out);
	else
		json_array_foreach (agents, i, a)
			write_agent(a, out);
	if (r < 0)
		return r;
	write_gaps(field_array(field_get(json, "completeness"), "gaps"), out);
	write_server(field_get(json, "server"), field_get(json, "completeness"), out);
	return 0;
}

int agents_run(const struct arguments *a, struct error *ret_error)
{
	struct table_style style = output_style();
	struct client_answer answer;
	int r = client_get(&a->server, "/api/v1/agents", NULL, &answer, ret_error);

	if (r < 0)
		return client_exit_code(r);
	if (a->json)
		client_print_json(&answer);
	else
		r = output_result(agents_write(answer.json, &style, stdout), a->server.url,
				  ret_error);
	client_answer_done(&answer);
	return client_exit_code(r);
}

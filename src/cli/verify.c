/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "human.h"
#include "output.h"
#include "table.h"

/* Our name, the agent's baseline and the kernel's name of each counter. */
static const struct name {
	const char *ours, *baseline, *kernel;
} names[VERIFY_COUNT] = {
	[VERIFY_ATTEMPTED] = {"attempted", "baseline_active_opens", "ActiveOpens"},
	[VERIFY_ACCEPTED] = {"accepted", "baseline_passive_opens", "PassiveOpens"},
	[VERIFY_RETRANSMITS] = {"retransmits", "baseline_retrans_segs", "RetransSegs"},
};

static uint64_t kernel_value(const struct snmp_tcp *s, int counter)
{
	return counter == VERIFY_ATTEMPTED  ? s->active_opens
	       : counter == VERIFY_ACCEPTED ? s->passive_opens
					    : s->retrans_segs;
}

/* What the agent said of a namespace; NULL: nothing, so it counted nothing there from 0 on. */
static const json_t *find_ours(const json_t *ours, uint32_t netns)
{
	const json_t *agents = field_array(ours, "agents");
	json_t *agent, *n;
	size_t i, k;

	json_array_foreach (agents, i, agent)
		json_array_foreach (field_array(agent, "netns"), k, n)
			if (field_number(n, "netns") == netns)
				return n;
	return NULL;
}

static int64_t outside(uint64_t value, uint64_t low, uint64_t high)
{
	if (value < low)
		return -(int64_t)(low - value);
	return value > high ? (int64_t)(value - high) : 0;
}

static void fill_row(struct verify_row *row, const struct kernel_sum *before, const json_t *ours,
		     const struct kernel_sum *after)
{
	*row = (struct verify_row){.netns = before->netns};
	memcpy(row->name, before->name, sizeof(row->name));
	for (int c = 0; c < VERIFY_COUNT; c++) {
		uint64_t baseline = field_count(ours, names[c].baseline);
		struct verify_figure *f = &row->figures[c];

		f->ours = field_count(ours, names[c].ours);
		f->before = kernel_value(&before->tcp, c) - baseline;
		f->after = kernel_value(&after->tcp, c) - baseline;
		f->difference = outside(f->ours, f->before, f->after);
	}
}

int verify_compare(const struct kernel_sums *before, const json_t *ours,
		   const struct kernel_sums *after, struct verify_row **ret, size_t *ret_count)
{
	struct verify_row *rows;
	size_t count = 0;

	if (!json_array_size(field_array(ours, "agents")))
		return -EPROTO;
	rows = calloc(before->count + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < before->count; i++) {
		const struct kernel_sum *first = &before->list[i],
					*last = kernel_sums_find(after, first->netns);

		if (last)
			fill_row(&rows[count++], first, find_ours(ours, first->netns), last);
	}
	*ret = rows;
	*ret_count = count;
	return 0;
}

bool verify_is_twins(enum verify_counter counter, const struct verify_figure *f)
{
	return counter == VERIFY_ACCEPTED && f->difference < 0 &&
	       (uint64_t)-f->difference <= 1 + f->ours * VERIFY_TWINS / 1000;
}

bool verify_equal(const struct verify_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int c = 0; c < VERIFY_COUNT; c++)
			if (rows[i].figures[c].difference &&
			    !verify_is_twins(c, &rows[i].figures[c]))
				return false;
	return count > 0;
}

static const struct table_column columns[] = {
	{.title = "network namespace", .shrink_min = 16}, {.title = "counter"},
	{.title = "kernel before", .right = true},        {.title = "ours", .right = true},
	{.title = "kernel after", .right = true},         {.title = "difference", .right = true},
};

static void cell_number(struct table *t, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	table_cell(t, text);
}

static void write_figure(struct table *t, const struct verify_row *row, int c)
{
	const struct verify_figure *f = &row->figures[c];
	char text[96];

	snprintf(text, sizeof(text), "%u %s", row->netns, row->name);
	table_cell(t, c ? "" : text);
	table_cell(t, names[c].kernel);
	cell_number(t, f->before);
	cell_number(t, f->ours);
	cell_number(t, f->after);
	snprintf(text, sizeof(text), "%+lld", (long long)f->difference);
	table_cell_coloured(t, f->difference ? TABLE_RED : TABLE_GREEN, f->difference ? text : "0");
}

int verify_write(const struct verify_row *rows, size_t count, FILE *out)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));
	struct table_style style = output_style();
	int r;

	for (size_t i = 0; i < count && t; i++)
		for (int c = 0; c < VERIFY_COUNT; c++)
			write_figure(t, &rows[i], c);
	r = t ? table_print(t, &style, out) : -ENOMEM;
	table_free(t);
	for (size_t i = 0; i < count; i++)
		if (verify_is_twins(VERIFY_ACCEPTED, &rows[i].figures[VERIFY_ACCEPTED]))
			fprintf(out,
				"%u: the kernel counts an accepted connection twice when two of "
				"its "
				"first packets meet on two CPUs\n",
				rows[i].netns);
	return r;
}

static json_t *pack_row(const struct verify_row *row)
{
	json_t *object =
		json_pack("{s:I, s:s}", "netns", (json_int_t)row->netns, "name", row->name);

	for (int c = 0; c < VERIFY_COUNT; c++) {
		const struct verify_figure *f = &row->figures[c];

		json_object_set_new(object, names[c].ours,
				    json_pack("{s:I, s:I, s:I, s:I}", "kernel_before",
					      (json_int_t)f->before, "ours", (json_int_t)f->ours,
					      "kernel_after", (json_int_t)f->after, "difference",
					      (json_int_t)f->difference));
	}
	return object;
}

int verify_write_json(const struct verify_row *rows, size_t count, int tries, FILE *out)
{
	json_t *list = json_array(), *answer;
	int r;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, pack_row(&rows[i]));
	answer = json_pack("{s:b, s:i, s:o}", "equal", verify_equal(rows, count), "tries", tries,
			   "namespaces", list);
	r = answer && !json_dumpf(answer, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) ? 0 : -ENOMEM;
	fputc('\n', out);
	json_decref(answer);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "human.h"
#include "output.h"
#include "table.h"

#define NAMES(id, ours, baseline, kernel) {ours, baseline, kernel},
static const struct {
	const char *ours, *baseline, *kernel;
} names[] = {WIRE_NETNS_COUNTERS(NAMES)};

static bool is_udp(int counter)
{
	return counter >= NETNS_DATAGRAMS_SENT;
}

/* Another namespace may have had the same inode. */
static bool is_same(const json_t *n, const struct kernel_sum *sum)
{
	uint32_t cookie = (uint32_t)field_number(n, "cookie");

	return field_number(n, "netns") == sum->netns &&
	       (!cookie || !sum->cookie || cookie == sum->cookie);
}

/* What the agent said of a namespace; NULL: nothing, so it counted nothing there from 0 on. */
static const json_t *find_ours(const json_t *ours, const struct kernel_sum *sum)
{
	json_t *agent, *n;
	size_t i, k;

	json_array_foreach (field_array(ours, "agents"), i, agent)
		json_array_foreach (field_array(agent, "netns"), k, n)
			if (is_same(n, sum))
				return n;
	return NULL;
}

static bool watches_udp(const json_t *ours)
{
	json_t *agent;
	size_t i;

	json_array_foreach (field_array(ours, "agents"), i, agent)
		if (strstr(field_text(agent, "hooks"), "(UDP)"))
			return true;
	return false;
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
	for (int c = 0; c < NETNS_COUNTER_COUNT; c++) {
		uint64_t baseline = field_count(ours, names[c].baseline);
		struct verify_figure *f = &row->figures[c];

		if (is_udp(c) && !row->udp)
			continue;
		f->ours = field_count(ours, names[c].ours);
		f->before = before->kernel.counter[c] - baseline;
		f->after = after->kernel.counter[c] - baseline;
		f->difference = outside(f->ours, f->before, is_udp(c) ? UINT64_MAX : f->after);
	}
}

static bool compare_one(struct verify_row *row, const struct kernel_sum *before, const json_t *ours,
			const struct kernel_sums *after)
{
	const struct kernel_sum *last = kernel_sums_find(after, before->netns);

	if (!last || last->cookie != before->cookie)
		return false;
	*row = (struct verify_row){.netns = before->netns, .udp = watches_udp(ours)};
	memcpy(row->name, before->name, sizeof(row->name));
	fill_row(row, before, find_ours(ours, before), last);
	return true;
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
	for (size_t i = 0; i < before->count; i++)
		count += compare_one(&rows[count], &before->list[i], ours, after);
	*ret = rows;
	*ret_count = count;
	return 0;
}

bool verify_is_twins(enum wire_netns_counter counter, const struct verify_figure *f)
{
	return counter == NETNS_ACCEPTED && f->difference < 0 &&
	       (uint64_t)-f->difference <= 1 + f->ours * VERIFY_TWINS / 1000;
}

static bool is_equal(int counter, const struct verify_figure *f)
{
	return !f->difference || counter == NETNS_DATAGRAMS_RECEIVED || verify_is_twins(counter, f);
}

bool verify_equal(const struct verify_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int c = 0; c < NETNS_COUNTER_COUNT; c++)
			if (!is_equal(c, &rows[i].figures[c]))
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
	table_cell_coloured(t, is_equal(c, f) ? TABLE_GREEN : TABLE_RED,
			    f->difference ? text : "0");
}

static void write_notes(const struct verify_row *rows, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++)
		if (verify_is_twins(NETNS_ACCEPTED, &rows[i].figures[NETNS_ACCEPTED]))
			fprintf(out,
				"%u: the kernel counts an accepted connection twice when two of "
				"its first packets meet on two CPUs\n",
				rows[i].netns);
	fputs("compared: connections opened and accepted, and segments sent again; ours lies "
	      "between "
	      "the\nkernel's two readings. ",
	      out);
	if (!count || !rows[0].udp) {
		fputs("UDP is not watched, so not compared. ", out);
	} else {
		fputs("UDP, IPv4 and IPv6 together: datagrams sent, and dropped at a\nfull queue; "
		      "none may be missing. Ours may be ahead, since the kernel counts a buffer of "
		      "several\n(UDP_SEGMENT, UDP_GRO) once. InDatagrams is what programs have "
		      "read, "
		      "ours what was queued for\nthem: shown, not judged. ",
		      out);
	}
	fputs("Not compared: bytes, for which the kernel has no counter.\n", out);
}

int verify_write(const struct verify_row *rows, size_t count, FILE *out)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));
	struct table_style style = output_style();
	int r;

	for (size_t i = 0; i < count && t; i++)
		for (int c = 0; c < NETNS_COUNTER_COUNT; c++)
			if (!is_udp(c) || rows[i].udp)
				write_figure(t, &rows[i], c);
	r = t ? table_print(t, &style, out) : -ENOMEM;
	table_free(t);
	write_notes(rows, count, out);
	return r;
}

static json_t *pack_row(const struct verify_row *row)
{
	json_t *object =
		json_pack("{s:I, s:s}", "netns", (json_int_t)row->netns, "name", row->name);

	for (int c = 0; c < NETNS_COUNTER_COUNT; c++) {
		const struct verify_figure *f = &row->figures[c];

		if (is_udp(c) && !row->udp)
			continue;
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

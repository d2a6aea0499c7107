/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of many lines in top: help, details, and breaking them to a width. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "human.h"
#include "top_internal.h"
#include "why_edge.h"

#define TEXT_LINES_MAX 2000

const char top_help_text[] =
	"Each row is one dependency: a client, and the server and port it uses.\n"
	"\n"
	"keys\n"
	"  up, down, Page Up, Page Down, Home, End   choose a row\n"
	"  Enter      the chosen row in plain words: what is wrong, and what to do\n"
	"  /          filter, such as: client:web !port:443   (empty: everything)\n"
	"  s, S       order by the next column, by the one before (also > and <)\n"
	"  r          order the other way round\n"
	"  b, w       order by bytes; order by what is worst\n"
	"  g          group by workload, process, container, instance, node\n"
	"  t          figures of the last 2 s, 10 s, 1 min, 5 min\n"
	"  p          pause, and go on\n"
	"  q          back; in the table: quit\n"
	"\n"
	"columns (a wider terminal shows more)\n"
	"  + or a tick: well;  !: not well;  x: fails\n"
	"  to server, to client   payload a second\n"
	"  open       connections open now\n"
	"  new/s      connections opened a second\n"
	"  rtt        round trip in the middle; rtt 95%: 95 of 100 took less\n"
	"  connect    from connect() to the connection, in the middle\n"
	"  again      segments sent again (retransmits); again %: of all segments\n"
	"  pending    connects that wait for an answer\n"
	"  waits for  why the sender waits: the server or the client reads too slowly,\n"
	"             its own send buffer is full, or else the network; as a share of\n"
	"             the time in which it had something to send\n"
	"  health     what is wrong, the most frequent first; ok: nothing\n"
	"  failures   attempts that failed, by reason, in the span shown\n"
	"\n"
	"filter: terms by blanks, all must hold. client:NAME server:NAME either:NAME process:NAME\n"
	"container:ID node:NAME zone:NAME class:cross_zone address:10.0.0.0/8 port:80 protocol:tcp\n"
	"carrier:none; ! denies, a comma means or, * stands for anything.\n";

static const struct top_row *find_chosen(const struct top_view *v)
{
	for (size_t i = 0; i < v->table.count; i++)
		if (!strcmp(v->table.rows[i].id, v->selected_id))
			return &v->table.rows[i];
	return NULL;
}

static void write_figures(const struct top_view *v, const struct top_row *row, FILE *out)
{
	char a[HUMAN_NUMBER_SIZE], b[HUMAN_NUMBER_SIZE];

	fprintf(out, "  now %s to the server", human_rate(a, row->to_server));
	fprintf(out, ", %s to the client", human_rate(b, row->to_client));
	if (row->connect_count > 0)
		fprintf(out, "; connecting takes %s in the middle, %s at most",
			human_microseconds(a, row->connect_p50),
			human_microseconds(b, field_number(row->edge->json, "connect_us.max")));
	fprintf(out, "\n\nfigures of the last %s", human_span(a, v->table.covered_s));
	fputs(v->question.span_s < 60 ? "; t takes a longer time\n" : "\n", out);
}

char *top_details_write(const struct top_view *v)
{
	const struct top_row *row = find_chosen(v);
	struct why_advice advice = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (!row) {
		fputs("Nothing of this dependency in the time shown: it is idle and nothing is "
		      "open.\n\nt takes a longer time, q goes back.\n",
		      out);
	} else if (!why_edge_write(&v->table.graph, row->edge, out, &advice)) {
		fprintf(out, "\nwhat to do next: %s\n\n", advice.text);
		write_figures(v, row, out);
	}
	return fclose(out) ? free(text), NULL : text;
}

static int add_line(struct top_text *t, const char *indent, int indent_size, const char *from,
		    size_t size)
{
	char **lines = reallocarray(t->lines, (size_t)t->count + 2, sizeof(*lines));

	if (!lines)
		return -ENOMEM;
	t->lines = lines;
	if (asprintf(&lines[t->count], "%.*s%.*s", indent_size, indent, (int)size, from) < 0) {
		lines[t->count] = NULL;
		return -ENOMEM;
	}
	lines[++t->count] = NULL;
	return 0;
}

/* How many bytes of a line come before the break: at the last blank that fits, else where it must.
 */
static size_t break_at(const char *line, int width)
{
	int shown;
	size_t fits = human_fit(line, width, &shown), at = fits;

	if (!line[fits])
		return fits;
	while (at && line[at] != ' ')
		at--;
	if (at)
		return at;
	return fits ? fits : strlen(line); /* not even one character fits: clipped in drawing */
}

static int wrap_line(struct top_text *t, const char *line, int width)
{
	int indent = (int)strspn(line, " "), room;
	const char *at = line + indent;
	int r = 0;

	if (indent > width / 2)
		indent = width / 2;
	room = width - indent;
	do {
		size_t size = break_at(at, room);

		r = add_line(t, line, indent, at, size);
		at += size;
		at += strspn(at, " ");
	} while (*at && !r && t->count < TEXT_LINES_MAX);
	return r;
}

char *top_span_words(const struct top_view *v, char *buffer)
{
	char span[HUMAN_NUMBER_SIZE], covered[HUMAN_NUMBER_SIZE];
	const struct top_table *t = &v->table;
	bool young = t->phase.newest_s > 0 && t->covered_s < v->question.span_s * 0.9;

	human_span(span, v->question.span_s);
	if (young && v->answered == v->question.number)
		snprintf(buffer, TOP_SPAN_SIZE, "%s (%s so far)", span,
			 human_span(covered, t->covered_s));
	else
		snprintf(buffer, TOP_SPAN_SIZE, "%s", span);
	return buffer;
}

int top_text_wrap(struct top_text *ret, const char *text, int width)
{
	struct top_text t = {0};
	char *copy = strdup(text), *rest = copy, *line;
	int r = copy ? 0 : -ENOMEM;

	while (!r && (line = strsep(&rest, "\n")) && t.count < TEXT_LINES_MAX) {
		char *clean = human_clean(line);

		r = clean ? wrap_line(&t, clean, width > 0 ? width : 1) : -ENOMEM;
		free(clean);
	}
	free(copy);
	if (r < 0) {
		top_text_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void top_text_done(struct top_text *t)
{
	for (int i = 0; i < t->count; i++)
		free(t->lines[i]);
	free(t->lines);
	*t = (struct top_text){0};
}

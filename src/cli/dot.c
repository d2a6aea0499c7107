/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "human.h"
#include "map.h"

/* A quoted string of the DOT language: only " and \ mean something in it. Labels are cleaned
 * before, so no line ends and no escape sequences are left. */
static int write_quoted(FILE *out, const char *hostile)
{
	char *clean = human_clean(hostile);

	if (!clean)
		return -ENOMEM;
	fputc('"', out);
	for (const char *c = clean; *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		fputc(*c, out);
	}
	fputc('"', out);
	free(clean);
	return 0;
}

static int write_node(const struct graph_node *node, size_t number, FILE *out)
{
	char *label = graph_label(node, -1);
	int r;

	if (!label)
		return -ENOMEM;
	fprintf(out, "\tn%zu [label=", number);
	r = write_quoted(out, label);
	fputs(*node->kind == 'e' ? ", style=dashed];\n" : "];\n", out);
	free(label);
	return r;
}

static void write_edge(const struct graph *g, const struct graph_edge *e, FILE *out)
{
	static const char *const colours[] = {"gray40", "orange", "red"};
	char to_server[HUMAN_NUMBER_SIZE], to_client[HUMAN_NUMBER_SIZE], words[64];
	int level = graph_judge(e, words, sizeof(words));

	/* words are numbers and constants, never names */
	fprintf(out, "\tn%td -> n%td [label=\":%d%s\\n%s to, %s back%s%s\", color=%s];\n",
		e->client - g->nodes, e->server - g->nodes, e->port, e->udp ? "/udp" : "",
		human_bytes(to_server, e->bytes_to_server),
		human_bytes(to_client, e->bytes_to_client), level ? "\\n" : "", level ? words : "",
		colours[level]);
}

int map_write_dot(const struct graph *g, FILE *out)
{
	int r = 0;

	fputs("digraph millrace {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n"
	      "\tedge [fontname=\"sans-serif\", fontsize=10];\n",
	      out);
	for (size_t i = 0; i < g->node_count && !r; i++)
		r = write_node(&g->nodes[i], i, out);
	for (size_t i = 0; i < g->edge_count && !r; i++)
		write_edge(g, &g->edges[i], out);
	fputs("}\n", out);
	return r;
}

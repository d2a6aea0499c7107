/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `why` says where there is no edge: that nothing was tried, and what both ends do instead.
 *
 * That nothing left for an address is said only where nobody that is known has it: whom it belongs
 * to otherwise is read from what was seen, and may be more than that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "why_address.h"
#include "why_internal.h"

#define NEIGHBOURS_MAX 8

/* " and 3 more": lists end here. */
static void write_list_end(size_t count, FILE *out)
{
	if (count > NEIGHBOURS_MAX)
		fprintf(out, " and %zu more", count - NEIGHBOURS_MAX);
	if (count)
		fputc('\n', out);
}

static char *clean_label(char *label)
{
	char *clean = label ? human_clean(label) : NULL;

	free(label);
	return clean;
}

static void write_neighbour(const struct graph_edge *e, bool of_client, FILE *out)
{
	char *clean = clean_label(of_client ? graph_server_label(e) : graph_label(e->client, -1));

	fputs(clean ? clean : "?", out);
	if (!of_client)
		fprintf(out, " (port %d%s)", e->port, e->udp ? "/udp" : "");
	free(clean);
}

static bool is_of(const struct why_matcher *m, const struct graph_edge *e, bool of_client)
{
	const struct why_pair any_port = why_any_port(m->pair);

	if (of_client)
		return why_is_client(m, e->client);
	return m->address ? why_address_of_edge(&any_port, e) : why_is_server(m, e->server);
}

/* "  web talks to db:5432, cache:6379": the edges on one side of a node, in short. */
static void write_neighbours(const struct why_matcher *m, const char *name, bool of_client,
			     FILE *out)
{
	size_t count = 0;

	for (size_t i = 0; i < m->g->edge_count; i++) {
		if (!is_of(m, &m->g->edges[i], of_client) || count++ >= NEIGHBOURS_MAX)
			continue;
		if (count == 1)
			fprintf(out, "  %s %s ", name, of_client ? "talks to" : "is used by");
		else
			fputs(", ", out);
		write_neighbour(&m->g->edges[i], of_client, out);
	}
	write_list_end(count, out);
	if (!count)
		fprintf(out, "  %s %s\n", name,
			of_client ? "opened no connection at all" : "was asked by nobody");
}

/* Whose the address is, where that is not an external server of just this name; how many. */
static size_t write_owners(const struct why_matcher *m, const char *server, FILE *out)
{
	size_t count = 0;

	for (size_t i = 0; m->address && i < m->g->node_count; i++) {
		const struct graph_node *node = &m->g->nodes[i];
		char *label;

		if (!strcmp(node->name, m->pair->server) || !why_is_server(m, node) ||
		    count++ >= NEIGHBOURS_MAX)
			continue;
		if (count == 1)
			fprintf(out, "  %s belongs to ", server);
		else
			fputs(", ", out);
		label = clean_label(graph_label(node, -1));
		fputs(label ? label : "?", out);
		free(label);
	}
	write_list_end(count, out);
	return count;
}

static void write_first_line(const struct why_matcher *m, const char *client, const char *server,
			     const char *because, FILE *out)
{
	char span[HUMAN_NUMBER_SIZE];

	fprintf(out, "%s did not try to reach %s", client, server);
	if (m->pair->port >= 0)
		fprintf(out, " on port %d", m->pair->port);
	if (m->pair->transport)
		fprintf(out, "/%s", m->pair->transport);
	fprintf(out, " in the last %s%s\n", human_span(span, m->g->to - graph_begin(m->g)),
		because);
}

static const char *nothing_left(const char *transport)
{
	if (!transport)
		return ": no SYN and no datagram left for it.";
	return strcmp(transport, "udp") ? ": no SYN left for it." : ": no datagram left for it.";
}

/* The owners are told below the line that depends on whether there are any. */
static int write_head(const struct why_matcher *m, const char *client, const char *server,
		      FILE *out)
{
	char *owners = NULL;
	size_t size = 0, count;
	FILE *below = open_memstream(&owners, &size);

	if (!below)
		return -ENOMEM;
	count = write_owners(m, server, below);
	if (fclose(below))
		return -ENOMEM;
	write_first_line(m, client, server,
			 count ? ", as far as was seen" : nothing_left(m->pair->transport), out);
	fputs(owners, out);
	free(owners);
	return 0;
}

int why_write_none(const struct why_matcher *m, FILE *out)
{
	char *client = human_clean(m->pair->client), *server = human_clean(m->pair->server);
	int r = client && server ? write_head(m, client, server, out) : -ENOMEM;

	if (!r) {
		write_neighbours(m, client, true, out);
		write_neighbours(m, server, false, out);
		why_write_happenings(m, out);
		fprintf(out,
			"what to do next: look into %s's configuration and name resolution, since "
			"nothing was sent; or go back further with --from -1h\n",
			client);
	}
	free(client);
	free(server);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "why_internal.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "human.h"

/* From these shares on something is worth a sentence of advice. */
#define RETRANSMIT_SHARE_BAD 0.01
#define WAIT_SHARE_BAD       0.2

void why_advise(struct why *w, int urgency, const char *format, ...)
{
	va_list args;

	if (urgency <= w->advice->urgency)
		return;
	w->advice->urgency = urgency;
	va_start(args, format);
	vsnprintf(w->advice->text, sizeof(w->advice->text), format, args);
	va_end(args);
}

const char *why_plural(double count)
{
	return count == 1 ? "" : "s";
}

static bool is_of_edge(const struct why *w, const json_t *listener)
{
	return field_port(listener, "port") == w->e->port &&
	       (*graph_port_suffix(listener) != 0) == w->e->udp;
}

const json_t *why_find_listener(const struct why *w)
{
	const json_t *listeners = field_array(w->e->server->json, "listeners");
	size_t i;
	json_t *l;

	json_array_foreach (listeners, i, l)
		if (is_of_edge(w, l))
			return l;
	return NULL;
}

static void write_datagrams(struct why *w)
{
	const struct graph_edge *e = w->e;

	fprintf(w->out, "  %.0f datagram%s to %s, %.0f to %s\n", e->datagrams_to_server,
		why_plural(e->datagrams_to_server), w->server, e->datagrams_to_client, w->client);
	if (e->dropped <= 0)
		return;
	fprintf(w->out, "  %.0f found the receive queue full and were dropped\n", e->dropped);
	why_advise(w, 65,
		   "make %s read faster, or give its socket a larger receive buffer "
		   "(SO_RCVBUF, net.core.rmem_max)",
		   field_number(e->json, "datagrams_dropped_to_server") > 0 ? w->server
									    : w->client);
}

static void write_connections(struct why *w)
{
	const struct graph_edge *e = w->e;

	fprintf(w->out, "  %.0f connection%s attempted, %.0f opened, %.0f closed, %.0f open now",
		e->attempted, why_plural(e->attempted), e->opened, e->closed, e->active);
	if (e->adopted > 0)
		fprintf(w->out, " (%.0f open before millrace came)", e->adopted);
	fputc('\n', w->out);
}

static void write_life(struct why *w)
{
	const struct graph_edge *e = w->e;
	char first[HUMAN_NUMBER_SIZE], last[HUMAN_NUMBER_SIZE];

	if (e->udp)
		write_datagrams(w);
	else
		write_connections(w);
	if (e->first_seen <= 0)
		return;
	fprintf(w->out, "  first seen %s ago, ", human_span(first, w->g->to - e->first_seen));
	if (e->last_seen > 0)
		fprintf(w->out, "last %s ago\n",
			human_span(last, fmax(w->g->to - e->last_seen, 0)));
	else
		fprintf(w->out, "idle in the last %s\n",
			human_span(last, w->g->to - graph_begin(w->g)));
}

/* Where its ends are, if anybody told, and what its figures are worth. */
static void write_standing(struct why *w)
{
	const struct graph_edge *e = w->e;
	const char *class = field_text(e->json, "class");

	if (*e->client_zone && *e->server_zone) {
		fputs("  from zone ", w->out);
		human_print(w->out, e->client_zone);
		fputs(" to ", w->out);
		human_print(w->out, e->server_zone);
		fputs(!strcmp(class, "cross_region") ? ", in another region\n" : "\n", w->out);
	}
	if (!strcmp(e->carrier, "sidecar"))
		fputs("  to its own sidecar: only carries what is counted elsewhere\n", w->out);
	if (!strcmp(e->carrier, "tunnel"))
		fputs("  the outside of a tunnel: only carries what is counted elsewhere\n",
		      w->out);
	if (e->provisional)
		fprintf(w->out,
			"  the agent of %s is silent: this is what the server's end saw since\n",
			w->client);
}

static void write_breaks(struct why *w)
{
	const struct graph_edge *e = w->e;

	if (e->reset_by_server > 0) {
		fprintf(w->out, "  %.0f reset by %s\n", e->reset_by_server, w->server);
		why_advise(w, 60,
			   "look into %s's log: it ends connections by a reset (a crash, a "
			   "limit, or data it did not read)",
			   w->server);
	}
	if (e->reset_by_client > 0) {
		fprintf(w->out, "  %.0f reset by %s\n", e->reset_by_client, w->client);
		why_advise(w, 30, "nothing, unless %s should not end connections by a reset",
			   w->client);
	}
	if (e->broken > 0) {
		fprintf(w->out, "  %.0f broken off: the other side stopped answering\n", e->broken);
		why_advise(w, 75,
			   "look for what cut the path from %s to %s: a host that went down, a "
			   "firewall that forgot the connection",
			   w->client, w->server);
	}
	if (e->synack_retransmits > 0) {
		fprintf(w->out, "  %.0f SYN-ACK%s sent again: answers of %s do not reach %s\n",
			e->synack_retransmits, why_plural(e->synack_retransmits), w->server,
			w->client);
		why_advise(w, 85, "look for what drops packets on the way back from %s to %s",
			   w->server, w->client);
	}
}

static void write_traffic(struct why *w)
{
	const struct graph_edge *e = w->e;
	char to_server[HUMAN_NUMBER_SIZE], to_client[HUMAN_NUMBER_SIZE];
	double adopted = e->adopted_bytes_to_server + e->adopted_bytes_to_client;

	fprintf(w->out, "  %s to %s, %s to %s", human_bytes(to_server, e->bytes_to_server),
		w->server, human_bytes(to_client, e->bytes_to_client), w->client);
	if (adopted > 0)
		fprintf(w->out, " (and %s before millrace came)", human_bytes(to_server, adopted));
	fputc('\n', w->out);
	if (e->rtt_count > 0) {
		char p50[HUMAN_NUMBER_SIZE], p95[HUMAN_NUMBER_SIZE], max[HUMAN_NUMBER_SIZE];

		fprintf(w->out, "  round trip %s in the middle, %s at 95 %%, %s at most\n",
			human_microseconds(p50, e->rtt_p50), human_microseconds(p95, e->rtt_p95),
			human_microseconds(max, e->rtt_max));
	}
}

static void write_retransmits(struct why *w)
{
	const struct graph_edge *e = w->e;
	char share[HUMAN_NUMBER_SIZE];

	if (e->retransmits <= 0)
		return;
	fprintf(w->out, "  %.0f segments sent again (%s)\n", e->retransmits,
		human_percent(share, e->retransmits, e->segments));
	if (e->segments > 0 && e->retransmits > e->segments * RETRANSMIT_SHARE_BAD)
		why_advise(w, 50,
			   "look for loss between %s and %s: full queues, a bad link, a policer",
			   w->client, w->server);
}

static double limited(const struct graph_edge *e, const char *direction, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "limited_us_%s.%s", direction, what);
	return field_number(e->json, path);
}

static void write_waits(struct why *w, const char *direction, const char *sender,
			const char *receiver)
{
	double busy = limited(w->e, direction, "busy");
	double window = limited(w->e, direction, "receive_window");
	double buffer = limited(w->e, direction, "send_buffer");
	char a[HUMAN_NUMBER_SIZE], b[HUMAN_NUMBER_SIZE], c[HUMAN_NUMBER_SIZE];

	if (busy <= 0 || (window <= 0 && buffer <= 0))
		return;
	fprintf(w->out,
		"  %s had data to send for %s; of that it waited %s for %s to read and %s for its "
		"own send buffer\n",
		sender, human_microseconds(a, busy), human_percent(b, window, busy), receiver,
		human_percent(c, buffer, busy));
	if (window > busy * WAIT_SHARE_BAD)
		why_advise(w, 45,
			   "make %s read faster (or give its sockets a larger receive buffer): "
			   "%s waits for it",
			   receiver, sender);
	if (buffer > busy * WAIT_SHARE_BAD)
		why_advise(w, 35,
			   "give %s's sockets a larger send buffer (net.ipv4.tcp_wmem): it waits "
			   "for it",
			   sender);
}

static void write_listener(struct why *w, const json_t *l)
{
	double drops = field_number(l, "drops"), queue = field_number(l, "queue");
	double queue_max = field_number(l, "queue_max");
	bool unanswered = w->e->pending > 0 || w->e->failed[GRAPH_TIMED_OUT] > 0;

	fprintf(w->out, "  %s listens on port %d%s", w->server, w->e->port,
		w->e->udp ? "/udp" : "");
	if (*field_text(l, "address")) {
		fputs(" of ", w->out);
		human_print(w->out, field_text(l, "address"));
	}
	if (queue_max > 0)
		fprintf(w->out, ", %.0f of %.0f waiting to be accepted", queue, queue_max);
	fputc('\n', w->out);
	if (drops > 0 && !w->e->udp) {
		fprintf(w->out,
			"  %.0f connection%s turned away since it began to listen: its queue "
			"was full\n",
			drops, why_plural(drops));
		/* where nobody answers, a full queue is the reason and a firewall a guess */
		why_advise(w, unanswered ? 105 : 65,
			   "make %s accept faster or give it a longer queue (listen() backlog "
			   "and net.core.somaxconn)",
			   w->server);
	}
}

static void write_listeners(struct why *w)
{
	const json_t *listeners = field_array(w->e->server->json, "listeners");
	bool found = false;
	size_t i;
	json_t *l;

	json_array_foreach (listeners, i, l) {
		if (!is_of_edge(w, l))
			continue;
		found = true;
		write_listener(w, l);
	}
	if (!found && json_array_size(field_array(w->e->server->json, "nodes")))
		fprintf(w->out, "  nobody known listens on port %d%s of %s now\n", w->e->port,
			w->e->udp ? "/udp" : "", w->server);
}

static void write_edge(struct why *w)
{
	char words[64];
	int level = graph_judge(w->e, words, sizeof(words));
	static const char *const verdicts[] = {"works", "works, but not well", "fails"};

	fprintf(w->out, "%s (", w->client);
	human_print(w->out, w->e->client->kind);
	fprintf(w->out, ") -> %s (", w->server);
	human_print(w->out, w->e->server->kind);
	fprintf(w->out, "), port %d%s: %s", w->e->port, w->e->udp ? "/udp" : "", verdicts[level]);
	if (strcmp(words, "ok"))
		fprintf(w->out, " (%s)", words);
	fputc('\n', w->out);
	write_life(w);
	write_standing(w);
	why_write_failures(w);
	why_write_drops(w);
	write_breaks(w);
	write_listeners(w);
	why_write_addresses(w);
	write_traffic(w);
	why_write_dns(w);
	write_retransmits(w);
	write_waits(w, "to_server", w->client, w->server);
	write_waits(w, "to_client", w->server, w->client);
	why_advise(w, 1, "nothing: %s reaches %s and the figures look well", w->client, w->server);
}

static char *clean_label(const struct graph_node *node)
{
	char *label = graph_label(node, -1), *clean = label ? human_clean(label) : NULL;

	free(label);
	return clean;
}

int why_edge_write(const struct graph *g, const struct graph_edge *e, FILE *out,
		   struct why_advice *advice)
{
	char *client = clean_label(e->client), *server = clean_label(e->server);
	struct why w = {
		.g = g, .e = e, .client = client, .server = server, .out = out, .advice = advice};
	int r = client && server ? 0 : -ENOMEM;

	if (!r)
		write_edge(&w);
	free(client);
	free(server);
	return r;
}

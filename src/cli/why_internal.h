/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of `why` share: what the pair means, the edge at hand, and the advice so far. */
#pragma once

#include "why.h"
#include "why_edge.h"
#include "why_match.h"

/* A pair in a graph: how well each end is met by the best node. */
struct why_matcher {
	const struct graph *g;
	const struct why_pair *pair;
	enum why_match client, server;
	bool address; /* SERVER is one */
};

/* The same pair, at whatever port. */
static inline struct why_pair why_any_port(const struct why_pair *pair)
{
	struct why_pair any = *pair;

	any.port = -1;
	any.transport = NULL;
	return any;
}

bool why_is_client(const struct why_matcher *m, const struct graph_node *node);
bool why_is_server(const struct why_matcher *m, const struct graph_node *node);
bool why_is_edge(const struct why_matcher *m, const struct graph_edge *e);

/* That there is no such edge, and what both ends do instead. 0, -ENOMEM. */
int why_write_none(const struct why_matcher *m, FILE *out);

/* What became of the processes and containers of both ends. */
void why_write_happenings(const struct why_matcher *m, FILE *out);

/* What a writer needs to say a sentence: names are cleaned. */
struct why {
	const struct graph *g;
	const struct graph_edge *e;
	const char *client, *server;
	FILE *out;
	struct why_advice *advice;
};

/* Keeps this piece of advice if it is more urgent than the one so far. */
__attribute__((format(printf, 3, 4))) void why_advise(struct why *w, int urgency,
						      const char *format, ...);

const char *why_plural(double count); /* "s", but for 1 */

/* The names asked for on this edge, and how that went; nothing if there were none. */
void why_write_dns(struct why *w);
void why_write_addresses(struct why *w);

/* The server's listener on this edge's port, the first of them; NULL: none is known. */
const json_t *why_find_listener(const struct why *w);

/* What the hosts of both ends dropped themselves, by the kernel's reason. */
void why_write_drops(struct why *w);

/* What failed or waits for an answer, reason by reason, and what to do about it. */
void why_write_failures(struct why *w);

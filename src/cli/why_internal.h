/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of `why` share: the edge at hand, and the advice so far. */
#pragma once

#include "why_edge.h"

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

/* How often an end's processes restarted, failed or were killed; nothing if none did. */
void why_write_events(const struct graph *g, const struct graph_node *node, FILE *out);

/* What failed or waits for an answer, reason by reason, and what to do about it. */
void why_write_failures(struct why *w);

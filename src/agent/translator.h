/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conntrack's news in the agent's loop: into the table of translations. What becomes virtual the
 * kernel has noted itself when it sent the news (bpf/news.h); where it could not, it is told.
 *
 *     open (root) ─► configure the probe ─► start (loop, probe) ─► … ─► close ─► free
 *
 * A wake-up for each connection would cost ten times what its news does, and a window's end reads
 * all that waits anyway: so after one it sleeps, long while little comes, and short enough that the
 * socket's buffer does not overflow while much does.
 */
#pragma once

#include <uv.h>

#include "agent/nat.h"
#include "agent/probe.h"

#define TRANSLATOR_PAUSE_MS       250
#define TRANSLATOR_PAUSE_SHORT_MS 20
#define TRANSLATOR_MANY           500 /* news at once, of some 4,000 that the buffer holds */

struct translator;

/* -errno: this kernel tells nothing of translations, or there is no memory. */
int translator_open(struct translator **ret);
struct translator *translator_free(struct translator *t); /* always NULL; accepts NULL */

struct nat *translator_nat(struct translator *t); /* borrowed; NULL if t is */
/* Whose news to listen to and what is virtual already; config borrows it until start. t may be
 * NULL. */
void translator_configure(struct translator *t, struct probe_config *config);

int translator_start(struct translator *t, uv_loop_t *loop, struct probe *probe);
void translator_close(
	struct translator *t); /* its handles; the loop runs once more. Accepts NULL */

void translator_read(void *t);                            /* all news there are */
uint64_t translator_overruns(const struct translator *t); /* accepts NULL */

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from an agent to its server, as bad as a test wants it: a process that takes connections
 * in the agent's namespace and passes their bytes on, in ours.
 *
 * It knows no protocol, so TLS goes through it as everything does. What it is told it does at once,
 * to the connections that there are, too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum link_state {
	LINK_OPEN,
	LINK_CUT,    /* resets what there is and what comes */
	LINK_SILENT, /* takes connections and bytes, and passes nothing on: a black hole */
};

/* What the process is told, and tells; shared. */
struct link_shared {
	uint32_t state;
	uint32_t resets;      /* raise it: all connections of now are reset, later ones are not */
	uint32_t delay_ms;    /* each way */
	uint32_t bytes_per_s; /* each way of a connection; 0: as fast as it goes */
	uint64_t up, down;    /* bytes taken from the agent, from the server */
	uint32_t connections, cut;
};

struct link {
	struct link_shared *shared;
	pid_t pid;
	uint16_t port;
};

/* Listens on 127.0.0.1:port in the namespace, goes on to 127.0.0.1:to in ours. */
bool link_start(struct link *k, int netns, uint16_t port, uint16_t to);
void link_end(struct link *k);

void link_set(struct link *k, enum link_state state);
void link_slow(struct link *k, uint32_t delay_ms, uint32_t bytes_per_s);
void link_reset(struct link *k);

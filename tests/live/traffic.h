/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic between two places of a cluster, which goes on until it is told to stop, and what of it
 * an edge has to show.
 *
 * A client process asks, a server process answers, one exchange after the other; both count what
 * their system calls said. Everything ends clean, so the programs' counts are the kernel's. Sizes
 * come from a seed. UDP goes one by one, with an answer to each, over links that lose nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "live.h"
#include "millrace.h"

#define TRAFFIC_UNSEEN_MS 2000 /* an exchange that takes longer failed */

/* Where one end is. */
struct place {
	int netns;
	const char *cgroup;
};

enum traffic_kind {
	TRAFFIC_SHORT, /* a TCP connection an exchange */
	TRAFFIC_LONG,  /* one for all */
	TRAFFIC_UDP,   /* a socket for all */
};

struct traffic_way {
	const char *client, *server; /* names of the processes */
	struct place from, to;
	enum traffic_kind kind;
	const char *address; /* where the server is */
	uint16_t port;
	const char *asked;      /* what the client asks for, if that is another address … */
	uint16_t asked_port;    /* … or port; NULL, 0: the server's */
	const char *source;     /* the client's own; NULL: as it comes */
	uint16_t source_port;   /* with source; 0: as it comes */
	unsigned int exchanges; /* so many; 0: until told to stop */
	unsigned int pause_us;  /* between two */
	unsigned int bytes_max; /* each way of one; 0: 20000 (UDP: 1200) */
};

/* What the client's end did; shared. The server's is the same, unless something failed. */
struct traffic_told {
	uint32_t ready, stop;
	uint64_t exchanges, opened, closed, up, down, datagrams_up, datagrams_down, failed;
	char error[128]; /* of the first that failed */
};

struct traffic {
	struct traffic_way way;
	struct traffic_told *told;
	uint64_t seed;
	pid_t client, server;
};

/* The server listens when this returns; the client runs. False: said why. */
bool traffic_start(struct traffic *t, struct live *l, const struct traffic_way *way);
/* The client ends after the exchange it is at, and so does the server. False: one did not. */
bool traffic_stop(struct traffic *t, struct live *l);
bool traffic_wait(struct traffic *t, struct live *l); /* of a number of exchanges: all done */
void traffic_end(struct traffic *t);                  /* at once; also after the others */

/* How an edge differs from it; "": not at all. The edge may be NULL. */
void traffic_differs(const struct traffic *t, const json_t *edge, char *text, size_t size);

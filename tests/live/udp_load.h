/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes that exchange datagrams and count them: "udp-client" with many sockets, each a peer
 * with an address of its own, and "udp-server" with one socket a lane.
 *
 * A lane is one kind of traffic on a port of its own. Both count in shared memory what their own
 * system calls said, so a datagram lost between them is no difference: it was sent, and never came.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "live.h"

enum udp_lane {
	LANE_MIXED4, /* sizes 0 to 60000, connected and not, answers; peers with many addresses */
	LANE_MIXED6,
	LANE_SEGMENTS4, /* UDP_SEGMENT, received one by one */
	LANE_SEGMENTS6, /* … and received joined, UDP_GRO */
	LANE_GROUP4,    /* multicast to two receivers */
	LANE_GROUP6,
	LANE_FULL, /* a receive queue that overflows */
	LANE_COUNT
};

extern const char *const udp_lane_names[LANE_COUNT];
uint16_t udp_lane_port(enum udp_lane lane);

/* What one end's system calls said. */
struct udp_tally {
	uint64_t sent, sent_bytes, received, received_bytes, dropped;
};

struct udp_load {
	uint64_t seed;
	unsigned int datagrams; /* of the mixed lanes together */
	unsigned int peers;     /* client sockets of both mixed lanes together */
	struct udp_shared *shared;
	pid_t client, server;
};

/* The server runs from here on, with the sockets of every other lane bound. */
bool udp_load_start(struct udp_load *u, struct live *l);
/* The client begins, and the server binds the rest. */
bool udp_load_go(struct udp_load *u, struct live *l);
/* Both have said all and read all. */
bool udp_load_wait(struct udp_load *u, struct live *l);
void udp_load_end(struct udp_load *u);

const struct udp_tally *udp_tally(const struct udp_load *u, enum udp_lane lane, bool client);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the two processes of udp_load.h share. */
#pragma once

#include <netinet/in.h>
#include <stdatomic.h>

#include "udp_load.h"

#define UDP_PAYLOAD_MAX  65000
#define UDP_SEGMENT_SIZE 1000
#define UDP_GROUP4       "239.77.0.1"
#define UDP_GROUP6       "ff15::77"

struct udp_shared {
	struct udp_tally client[LANE_COUNT], server[LANE_COUNT];
	atomic_ullong arrived; /* at the server, so that the client does not run ahead */
	atomic_int bound;      /* the server's sockets: 1 of the first lanes, 2 all */
	atomic_int go, sent_all, done;
};

void udp_client_run(struct udp_load *u); /* in a process of its own; never returns */
void udp_server_run(struct udp_load *u);

bool udp_lane_is_v6(enum udp_lane lane);
/* The server's address, or the group's. */
socklen_t udp_lane_address(enum udp_lane lane, struct sockaddr_storage *ret);
/* How many datagrams there are in what was sent or received at once; size 0: one. */
unsigned int udp_segments_of(size_t bytes, size_t size);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel between two machines of a lan: packets that go into a device of the one come out of a
 * device of the other, and travel in UDP in between, carried by a process on each.
 *
 *     10.90.0.1  tun0  "tunneld" ── UDP, port 51820, as WireGuard has it ── "tunneld"
 * tun0  10.90.0.2
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cluster.h"

#define TUNNEL_PORT  51820
#define TUNNEL_HERE  "10.90.0.1"
#define TUNNEL_THERE "10.90.0.2"

struct tunnel {
	pid_t end[2];
};

/* Between node 0 and node 1. False: no TUN devices here, or said why. */
bool tunnel_start(struct tunnel *t, struct cluster *c);
void tunnel_end(struct tunnel *t);

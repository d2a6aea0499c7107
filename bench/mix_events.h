/* SPDX-License-Identifier: Apache-2.0 */
/* One event of each kind, as programs make them, and who answers. Inside the mix's namespace. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mix.h"

#define MIX_ADDRESS    "127.0.0.1"
#define MIX_VIRTUAL    "127.9.9.9" /* what nftables translates to MIX_ADDRESS */
#define MIX_TCP_PORT   8000        /* the first server's */
#define MIX_NAT_PORT   7999
#define MIX_UDP_PORT   9000
#define MIX_RESOLVER   "127.0.0.53"
#define MIX_PORT_COUNT (MIX_SERVERS + 1) /* MIX_NAT_PORT … the last server's */

/* Listens, and only then closes ready; never returns. */
_Noreturn void mix_serve_tcp(uint16_t port, int ready);
_Noreturn void mix_serve_udp(uint16_t port, int ready);
_Noreturn void mix_serve_dns(int ready);

/* Each returns whether it came to its end: who is kept waiting for 2 s gives up. */

/* Connects, exchanges 128 bytes each way, waits for the server's end, closes. */
bool mix_connect(const char *address, uint16_t port);
bool mix_datagram(void);
bool mix_query(unsigned int number);
bool mix_process(void);
/* A cgroup as a container runtime makes one, whose only process connects once. */
bool mix_container(const char *parent, unsigned int number);

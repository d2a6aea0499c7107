/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is the server of two that exchange datagrams. UDP has no connect and no accept, so it has to
 * follow from what a socket knows by itself, and both ends must come to the same answer.
 *
 * In this order: who is addressed as a group serves; of two equal ports the lower address; a port
 * that nobody is given by chance (below the ephemeral range) before one that is; of two such ports
 * the lower. Two ports that might be by chance: who named its port to bind() serves, and so does
 * who had one (bind() to port 0) and was spoken to before it said anything.
 *
 * Limit: two ends that both named ports in the ephemeral range, different ones, both serve.
 *
 * Pure: no kernel, no libc.
 */
#pragma once

#include "flow.h"

/* What one end knows. Addresses: 16 bytes, IPv4 mapped. */
struct udp_ends {
	__u8 local[16], remote[16];
	__u16 local_port, remote_port;
	__u16 ephemeral_low; /* the first port that is given by chance */
	__u8 bound;          /* the local port was named to bind() */
	__u8 received_first; /* the local socket was spoken to before it said anything */
};

/* Multicast, or IPv4's broadcast to all. */
static inline __attribute__((always_inline)) int udp_is_group(const __u8 a[16])
{
	if (a[0] == 0xff)
		return 1;
	if (a[10] != 0xff || a[11] != 0xff || a[0] || a[1])
		return 0;
	return (a[12] & 0xf0) == 0xe0 || (a[12] & a[13] & a[14] & a[15]) == 0xff;
}

static inline __attribute__((always_inline)) int udp_compare(const __u8 a[16], const __u8 b[16])
{
	for (int i = 0; i < 16; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* enum mr_role of the local end. */
static inline __attribute__((always_inline)) __u8 udp_role(const struct udp_ends *e)
{
	int local_chance = e->local_port >= e->ephemeral_low;
	int remote_chance = e->remote_port >= e->ephemeral_low;
	int serves;

	if (udp_is_group(e->remote))
		return MR_ROLE_CLIENT;
	if (udp_is_group(e->local))
		return MR_ROLE_SERVER;
	if (e->local_port == e->remote_port)
		serves = udp_compare(e->local, e->remote) < 0;
	else if (local_chance != remote_chance)
		serves = remote_chance;
	else if (!local_chance)
		serves = e->local_port < e->remote_port;
	else
		serves = e->bound || e->received_first;
	return serves ? MR_ROLE_SERVER : MR_ROLE_CLIENT;
}

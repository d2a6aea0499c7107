/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: how it is opened, carries bytes and ends, and what its kernel side then did.
 *
 * The kernel's own counts are read when they can change no more:
 *  - after the end (TCP_CLOSE), through the descriptor that is still open. tcp_sock keeps its
 *    sequence numbers, so this is final;
 *  - before an abort by us, once the socket is frozen: a socket filter that takes nothing makes
 *    the kernel drop whatever still arrives, and three equal readings show that nothing moves.
 *
 *     sent     = bytes_acked - SYN + (snd_nxt - snd_una) - FIN
 *     received = bytes_received - FIN
 *
 * where snd_nxt - snd_una is SIOCOUTQ - SIOCOUTQNSD and the FIN was sent when nothing is unsent.
 */
#pragma once

#include <linux/tcp.h>

#include "load.h"

struct kernel_view {
	uint64_t sent, received, unacked, state; /* no padding: compared as bytes */
};

int info_read(const struct conn *c, struct tcp_info *ret); /* 0 or -errno */
void kernel_read(const struct conn *c, struct kernel_view *ret);
/* From now on nothing reaches the socket; returns its counts once they stand still. */
void kernel_freeze(struct conn *c, struct kernel_view *ret);

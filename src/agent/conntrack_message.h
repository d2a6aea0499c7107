/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's connection tracking says over netlink (NFNL_SUBSYS_CTNETLINK), without I/O:
 * bytes in, translated connections out.
 *
 * An entry has two tuples: the original one, as the client sent it, and that of the reply, as the
 * server will answer. Where the reply is not the original turned round, addresses or ports are
 * translated:
 *
 *     original  client:4711 ─► 10.96.0.1:80        10.96.0.1:80 was asked for
 *     reply     10.1.2.3:8080 ─► 10.0.0.1:2048     10.1.2.3:8080 serves, and sees 10.0.0.1:2048
 *
 * Everything that is not TCP or UDP, or not translated, is passed over.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/flow.h"

/* Ports in host order; IPv4 mapped, as in struct mr_flow_key. */
struct conntrack_tuple {
	uint8_t source[16], destination[16];
	uint16_t source_port, destination_port;
};

struct conntrack_entry {
	struct conntrack_tuple original, reply;
	uint16_t zone;     /* tuples are unique within a zone of a network namespace */
	uint8_t transport; /* enum mr_transport */
	bool over;         /* the kernel has forgotten it */
};

typedef void (*conntrack_entry_fn)(void *userdata, const struct conntrack_entry *entry);

/* All messages of one datagram. 0; 1: a dump is at its end; -EBADMSG: a message made no sense, the
 * rest was not read; else the -errno that the kernel answered. */
int conntrack_message_parse(const void *data, size_t size, conntrack_entry_fn fn, void *userdata);

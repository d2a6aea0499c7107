/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection tracking's news, of this machine's network namespaces: who is translated.
 *
 *     open (root): listen, give every namespace a number, read what there is ─► read, read … ─►
 * free
 *
 * One socket hears of all namespaces that have a number here (NETLINK_LISTEN_ALL_NSID). The kernel
 * judges what it may hear by who opened it, so it goes on after every right is dropped. Namespaces
 * that come later get a number by themselves as soon as a veth, a tunnel or the like leads from
 * here to them; one behind another only is not heard of.
 *
 * A filter in the kernel passes translated connections only: the others cost no wake-up. What found
 * no room in the socket's buffer is counted as an overrun; how many it were is not known.
 */
#pragma once

#include <stdint.h>

#include "agent/nat.h"

struct conntrack;

typedef void (*conntrack_fn)(void *userdata, const struct conntrack_entry *entry,
			     const struct nat_place *place);

/* fn gets what there is, before this returns. proc: "/proc". -errno: this kernel tells nothing. */
int conntrack_open(struct conntrack **ret, const char *proc, conntrack_fn fn, void *userdata);
struct conntrack *conntrack_free(struct conntrack *c); /* always NULL; accepts NULL */

/* Hands over all news that wait; how many. Does not block. */
int conntrack_read(struct conntrack *c);

int conntrack_fd(const struct conntrack *c); /* readable: there are news */
uint64_t conntrack_overruns(const struct conntrack *c);

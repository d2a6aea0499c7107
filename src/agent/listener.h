/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who listens where: names the process behind accepted connections, and tells the server of every
 * listener.
 *
 * An accepted socket belongs to whoever listens on its address; the kernel's record of it has no
 * process. Most exact first: its own address, the wildcard of its family, the IPv6 wildcard for
 * IPv4; each in the same cgroup before any other. A listener that went keeps its name for a minute,
 * for the connections it left behind.
 *
 * Limits: 8192 listeners; the probe counts those it cannot hold.
 */
#pragma once

#include <stdint.h>

#include "agent/actor.h"
#include "agent/probe.h"
#include "wire/batch.h"

struct listeners;

int listeners_new(struct listeners **ret, struct actors *actors); /* borrows */
struct listeners *listeners_free(struct listeners *l);            /* always NULL; accepts NULL */

/* Reads them again if the version moved or ten seconds went by (their queues change). */
int listeners_refresh(struct listeners *l, struct probe *probe, uint64_t version, uint64_t now_ns);

/* The actor behind an accepted socket; 0: nobody known listens there. */
uint32_t listeners_find(struct listeners *l, const struct mr_flow_key *key);

/* The process that listens there; 0: nobody known does now. */
uint32_t listeners_pid(struct listeners *l, const struct mr_flow_key *key);

/* Writes the whole set into the batch if it is not what the last batch had. */
int listeners_report(struct listeners *l, struct wire_batch *batch);

uint32_t listeners_count(const struct listeners *l);

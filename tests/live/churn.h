/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Churn: cells that come and go at random, from a seed.
 *
 * A cell is a process that makes two network namespaces joined by a veth pair and a cgroup, runs a
 * few shapes of the load and the UDP peers in them, adds what their programs and the kernel counted
 * to the totals, and takes everything away again. Some stay for a while before they go.
 *
 *     empty ─► working ─► quiet (nothing moves any more, all is counted) ─► gone
 *
 * Bounded: CHURN_CELLS at a time, a few thousand connections and datagrams each. All that a cell
 * makes dies with its process, and that with the test; cgroups are removed by churn_close() at the
 * latest.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "../../bpf/counters.h"
#include "live.h"

#define CHURN_CELLS 4
#define CHURN_NAMES 3 /* cgroups of one place, in turn: units restart under their old names */

enum churn_state { CELL_EMPTY, CELL_WORKING, CELL_QUIET };

/* What ends did: by transport (TCP, UDP) and role (client, server). */
struct churn_totals {
	uint64_t counter[2][2][MR_COUNTER_COUNT];
};

struct churn_cell {
	uint32_t state; /* enum churn_state */
	uint32_t netns[2];
};

struct churn_shared {
	struct churn_cell cell[CHURN_CELLS];
	struct churn_totals totals; /* of cells that are quiet or gone */
	uint64_t connections, datagrams, processes;
	uint32_t hold; /* quiet cells stay */
	char failed[256];
};

struct churn {
	struct live *live;
	struct churn_shared *shared;
	uint64_t seed;
	unsigned int cells; /* begun so far */
	pid_t pids[CHURN_CELLS];
};

int churn_open(struct churn *c, struct live *l); /* 0 or -errno */
/* Looks after the cells: ended ones make room for new ones. */
void churn_step(struct churn *c);
/* No new cells; true once each has counted all it did. They stay until churn_close(). */
bool churn_settle(struct churn *c, unsigned int timeout_ms);
void churn_close(struct churn *c); /* lets cells go, then ends those that do not */

/* Whether this namespace belongs to a cell. */
bool churn_has_netns(const struct churn_shared *s, uint32_t netns);

/* What a process just forked becomes: the cell in this place. */
__attribute__((noreturn)) void churn_cell_main(struct churn *c, unsigned int place, uint64_t seed);

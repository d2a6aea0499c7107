/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent as the server sees it: which life it is in, what its handles mean, what it last said of
 * itself. A life is named by boot id and start; a new one means all handles anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/coverage.h"
#include "server/hashindex.h"
#include "wire/batch.h"

#define REPORTER_SAMPLES    64
#define REPORTER_NETNS_MAX  1024
#define REPORTER_COVERS_MAX 4096

/* What an agent had cost by then, for shares over the last minute. */
struct cost_sample {
	uint64_t at_ns; /* the agent's clock */
	uint64_t agent_cpu_ns, kernel_cpu_ns;
};

struct reporter {
	uint32_t index;
	uint64_t permanent;  /* its number in the store, never another's */
	uint32_t machine;    /* scope of its addresses: agents of one boot of one kernel share it */
	bool shares_machine; /* with another agent, now or before */
	bool covered;        /* in this life: a window has come, and none was lost since */
	struct coverage coverage;
	bool told_silent, given_back; /* watch.c */
	bool vacant;                  /* its place waits for another agent; life.c */
	char node[256], boot_id[64], version[64], kernel[256], hooks[512];
	char zone[128], region[128]; /* where its machine stands; "": not told */
	char cgroup[512];            /* it observes only this; "": all of its machine */
	uint64_t started_ns;         /* the agent's clock */
	uint64_t started_wall_ns, last_seen_wall_ns, last_window_wall_ns;
	uint64_t sequence, batches;
	uint64_t window_ns;             /* length of the last one */
	uint64_t loss[WIRE_LOSS_COUNT]; /* as last reported */
	struct wire_status status;      /* as last reported; hooks is not used */
	struct cost_sample samples[REPORTER_SAMPLES];
	size_t sample_count, sample_next;
	struct wire_netns *netns;
	size_t netns_count;
	uint32_t *homes; /* entries of endpoints that say which addresses its machine has */
	size_t home_count;
	/* handle -> place; hashes are one-to-one, so nothing is compared */
	struct hashindex actors, flows;
	/* of an agent elsewhere (intake.c) */
	bool listeners_untold, covers_untold; /* the store has not heard of them */
	uint8_t body_hash[16]; /* of the bytes of batch `sequence` */
	bool elsewhere;        /* its batches come from another process */
	uint64_t defined_for;  /* the one sequence to come whose handles are known; 0: none */
	uint64_t ticket;       /* of that batch at the store */
	bool loss_unknown;     /* what it had lost before it came here: its next figures are the base */
};

void reporter_done(struct reporter *r);

/* Text about itself, cleaned. Returns whether something had to be changed. */
bool reporter_describe(struct reporter *r, const struct wire_batch *b);

/* Costs, netns sums and losses; ret_loss gets what was lost since the batch before. -ENOMEM. */
int reporter_take_status(struct reporter *r, const struct wire_batch *b,
			 uint64_t ret_loss[WIRE_LOSS_COUNT]);

/* CPUs busy for the agent and for its programs, over the last minute or so. */
void reporter_cpu(const struct reporter *r, double *ret_agent, double *ret_kernel);

#define REPORTER_GONE_NS (UINT64_C(600) * 1000000000)

/* Reporting: its last batch is not older than 5 s or 3 windows. Gone: it was silent for 10 minutes
 * after that. */
enum coverage_tail reporter_tail(const struct reporter *r, uint64_t now_ns);
bool reporter_is_reporting(const struct reporter *r, uint64_t now_ns);

/* The place a handle stands for; UINT32_MAX: unknown. */
uint32_t reporter_find(const struct hashindex *handles, uint32_t handle);

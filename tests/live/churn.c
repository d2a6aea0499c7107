/* SPDX-License-Identifier: Apache-2.0 */
/* The cells, from the test's side. */
#include "churn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run.h"

#define CELL_LEAVES_MS 30000

int churn_open(struct churn *c, struct live *l)
{
	*c = (struct churn){.live = l, .seed = l->seed};
	c->shared = mmap(NULL, sizeof(*c->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->shared != MAP_FAILED)
		return 0;
	c->shared = NULL;
	return -ENOMEM;
}

static void cell_begin(struct churn *c, unsigned int place)
{
	uint64_t seed = c->seed * 1000003 + ++c->cells;

	c->shared->cell[place].state = CELL_WORKING;
	c->pids[place] = fork();
	if (c->pids[place] == 0)
		churn_cell_main(c, place, seed);
}

static void cell_ended(struct churn *c, unsigned int place, int status)
{
	if (status && !c->shared->failed[0])
		snprintf(c->shared->failed, sizeof(c->shared->failed),
			 "a cell ended with status %d", status);
	c->shared->cell[place] = (struct churn_cell){0};
	c->pids[place] = 0;
}

static void cells_reap(struct churn *c)
{
	for (unsigned int i = 0; i < CHURN_CELLS; i++) {
		int status = c->pids[i] > 0 ? process_wait(c->pids[i], 0) : -ETIMEDOUT;

		if (status != -ETIMEDOUT)
			cell_ended(c, i, status);
	}
}

void churn_step(struct churn *c)
{
	cells_reap(c);
	for (unsigned int i = 0; i < CHURN_CELLS; i++)
		if (c->pids[i] <= 0)
			cell_begin(c, i);
}

static bool all_quiet(void *userdata)
{
	struct churn *c = userdata;

	cells_reap(c);
	for (unsigned int i = 0; i < CHURN_CELLS; i++)
		if (c->pids[i] > 0 &&
		    __atomic_load_n(&c->shared->cell[i].state, __ATOMIC_ACQUIRE) != CELL_QUIET)
			return false;
	return true;
}

bool churn_settle(struct churn *c, unsigned int timeout_ms)
{
	__atomic_store_n(&c->shared->hold, 1, __ATOMIC_RELEASE);
	return wait_until(all_quiet, c, timeout_ms);
}

void churn_close(struct churn *c)
{
	if (!c->shared)
		return;
	__atomic_store_n(&c->shared->hold, 0, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < CHURN_CELLS; i++) {
		if (c->pids[i] > 0 &&
		    process_wait(c->pids[i], patience(c->live, CELL_LEAVES_MS)) == -ETIMEDOUT)
			process_end(c->pids[i], SIGKILL, 10000);
		c->pids[i] = 0;
	}
	munmap(c->shared, sizeof(*c->shared));
	c->shared = NULL;
}

bool churn_has_netns(const struct churn_shared *s, uint32_t netns)
{
	for (unsigned int i = 0; i < CHURN_CELLS; i++)
		if (s->cell[i].netns[0] == netns || s->cell[i].netns[1] == netns)
			return true;
	return false;
}

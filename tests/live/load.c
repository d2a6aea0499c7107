/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of the load, from the test's side. */
#include "load.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

static int load_fork(struct load *l, unsigned int index, bool client, const int sync[2])
{
	int pid = fork();

	if (pid == 0) {
		close(sync[client]);
		peer_main(l, index, client, sync[!client]);
	}
	if (pid > 0)
		l->pids[index][client] = pid;
	return pid < 0 ? -errno : 0;
}

static bool load_wanted(const struct load *l, unsigned int index)
{
	if (l->only)
		return strcmp(l->only, load_shapes[index].name) == 0;
	for (const unsigned int *i = l->pick; i && *i != UINT_MAX; i++)
		if (*i == index)
			return true;
	return !l->pick && !(load_shapes[index].flags & SHAPE_ALONE);
}

static const char *load_missing(const struct load *l, const struct shape *s)
{
	if (s->flags & SHAPE_NFT && !l->net->nft)
		return "no nftables here";
	if (s->flags & SHAPE_MPTCP && !l->net->mptcp)
		return "this kernel has no MPTCP";
	return NULL;
}

static int load_start_shape(struct load *l, unsigned int index)
{
	const char *missing = load_missing(l, &load_shapes[index]);
	struct outcome *o = &l->shared->outcome[index];
	int sync[2], r;

	if (missing) {
		snprintf(o->skipped, sizeof(o->skipped), "%s", missing);
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync))
		return -errno;
	r = load_shapes[index].server ? load_fork(l, index, false, sync) : 0;
	if (r == 0)
		r = load_fork(l, index, true, sync);
	close(sync[0]);
	close(sync[1]);
	return r;
}

static unsigned int load_running(const struct load *l)
{
	unsigned int n = 0;

	for (size_t i = 0; i < load_shape_count; i++)
		n += (l->pids[i][0] > 0) + (l->pids[i][1] > 0);
	return n;
}

/* Notes what has ended; an end that failed takes its other end with it. */
static void load_reap(struct load *l)
{
	for (unsigned int i = 0; i < load_shape_count; i++) {
		struct outcome *o = &l->shared->outcome[i];

		for (int side = 0; side < 2; side++) {
			int status = l->pids[i][side] > 0 ? process_wait(l->pids[i][side], 0)
							  : -ETIMEDOUT;

			if (status == -ETIMEDOUT)
				continue;
			l->pids[i][side] = 0;
			if (status && !o->failed[0])
				snprintf(o->failed, sizeof(o->failed), "%s ended with status %d",
					 side ? "client" : "server", status);
			if ((status || o->skipped[0]) && l->pids[i][!side] > 0)
				kill(l->pids[i][!side], SIGKILL);
		}
	}
}

int load_start(struct load *l)
{
	uint64_t end = clock_ns() + 120000000000ull;
	int r;

	l->shared = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared == MAP_FAILED)
		return -ENOMEM;
	for (unsigned int i = 0; i < load_shape_count; i++) {
		r = load_wanted(l, i) ? load_start_shape(l, i) : 0;
		if (r)
			return r;
	}
	while (__atomic_load_n(&l->shared->waiting, __ATOMIC_ACQUIRE) < load_running(l)) {
		load_reap(l);
		if (clock_ns() > end)
			return -ETIMEDOUT;
		pause_us(1000);
	}
	return 0;
}

void load_go(struct load *l)
{
	__atomic_store_n(&l->shared->go, 1, __ATOMIC_RELEASE);
}

static void load_kill(struct load *l, const char *why)
{
	for (size_t i = 0; i < load_shape_count; i++)
		for (int side = 0; side < 2; side++) {
			if (l->pids[i][side] <= 0)
				continue;
			snprintf(l->shared->outcome[i].failed, sizeof(l->shared->outcome[i].failed),
				 "%s: %s", side ? "client" : "server", why);
			process_end(l->pids[i][side], SIGKILL, 10000);
			l->pids[i][side] = 0;
		}
}

int load_wait(struct load *l, unsigned int timeout_ms)
{
	uint64_t end = clock_ns() + timeout_ms * 1000000ull;
	int failed = 0;

	while (load_running(l) && clock_ns() < end) {
		load_reap(l);
		pause_us(5000);
	}
	load_kill(l, "did not end in time");
	for (size_t i = 0; i < load_shape_count; i++)
		failed += l->shared->outcome[i].failed[0] != 0;
	return failed;
}

void load_free(struct load *l)
{
	if (!l->shared)
		return;
	load_kill(l, "given up");
	munmap(l->shared, sizeof(*l->shared));
	l->shared = NULL;
}

uint64_t load_sum(const struct load *l, enum mr_counter counter, int role)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < l->shared->tally_count; i++)
		if (!role || l->shared->tally[i].role == role)
			sum += l->shared->tally[i].counter[counter];
	return sum;
}

uint64_t load_connections(const struct load *l)
{
	return load_sum(l, MR_OPENED, LOAD_CLIENT) + load_sum(l, MR_ADOPTED, LOAD_CLIENT);
}

void load_phase_begin(struct load *l)
{
	__atomic_add_fetch(&l->shared->phase, 1, __ATOMIC_ACQ_REL);
}

static bool phase_done(void *userdata)
{
	const struct load *l = userdata;

	return __atomic_load_n(&l->shared->done, __ATOMIC_ACQUIRE) >= 2 * (l->shared->phase + 1);
}

bool load_phase_wait(struct load *l, unsigned int timeout_ms)
{
	return wait_until(phase_done, l, timeout_ms);
}

const struct tally *load_tally(const struct load *l, int role, const char *process)
{
	for (uint32_t i = 0; i < l->shared->tally_count; i++) {
		const struct tally *t = &l->shared->tally[i];

		if (t->role == role && strcmp(t->process, process) == 0)
			return t;
	}
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One cell of the churn, in a process of its own: see churn.h. */
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actor.h"
#include "churn.h"
#include "load.h"
#include "run.h"
#include "udp_load.h"

#define SHAPES_MAX 6
#define STAY_MS    1500 /* at most, after the last byte */
#define CELL_MS    60000

struct cell {
	struct churn_shared *shared;
	struct churn_cell *place;
	struct live live; /* with namespaces of its own */
	uint64_t random;
	pid_t keepers[2];
};

/* What churns: shapes that come to an end by themselves in a second or two, without a firewall, and
 * of which it is certain who resets. */
static const char *const churn_shapes[] = {
	"short4",        "short6",         "mapped",     "loopback4",   "loopback6",
	"long4",         "long6",          "duplex",     "empty",       "fire",
	"half_client",   "half_server",    "drip",       "rst_client",  "rst_server",
	"cut_client",    "cut_server",     "fin_queued", "late_answer", "unread_client",
	"unread_server", "reconnect",      "sendfile",   "reuseport",   "forked",
	"pass_client",   "pass_server",    "exit",       "refused",     "closed_early",
	"reset_early",   "listener_closed"};
#define CHURN_SHAPES (sizeof(churn_shapes) / sizeof(*churn_shapes))

__attribute__((noreturn, format(printf, 2, 3))) static void cell_fail(struct cell *c,
								      const char *format, ...)
{
	va_list args;

	if (!c->shared->failed[0]) {
		va_start(args, format);
		vsnprintf(c->shared->failed, sizeof(c->shared->failed), format, args);
		va_end(args);
	}
	net_close(&c->live.net);
	_exit(1);
}

static uint64_t any(struct cell *c, uint64_t below)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random % below;
}

static uint32_t inode_of(int netns)
{
	struct stat st;

	return fstat(netns, &st) ? 0 : (uint32_t)st.st_ino;
}

/* Somebody has to be in a namespace for `verify` to find it. */
static void keepers_start(struct cell *c)
{
	for (int client = 0; client < 2; client++) {
		c->keepers[client] = actor_fork(&c->live, "churn-keeper", client);
		if (c->keepers[client] == 0)
			for (;;)
				pause();
	}
	c->place->netns[0] = inode_of(c->live.net.server);
	c->place->netns[1] = inode_of(c->live.net.client);
}

static void keepers_end(struct cell *c)
{
	c->place->netns[0] = c->place->netns[1] = 0;
	for (int client = 0; client < 2; client++)
		process_end(c->keepers[client], SIGKILL, 10000);
}

static unsigned int shape_index(const char *name)
{
	for (unsigned int i = 0; i < load_shape_count; i++)
		if (strcmp(load_shapes[i].name, name) == 0)
			return i;
	return UINT_MAX;
}

static void shapes_pick(struct cell *c, unsigned int pick[SHAPES_MAX + 1])
{
	unsigned int count = 2 + (unsigned int)any(c, SHAPES_MAX - 1);

	for (unsigned int i = 0; i < count; i++)
		pick[i] = shape_index(churn_shapes[any(c, CHURN_SHAPES)]);
	pick[count] = UINT_MAX;
}

static void total_add(struct cell *c, int udp, int role, enum mr_counter counter, uint64_t n)
{
	__atomic_add_fetch(&c->shared->totals.counter[udp][role - LOAD_CLIENT][counter], n,
			   __ATOMIC_RELAXED);
}

static void load_count(struct cell *c, const struct load *load)
{
	for (int role = LOAD_CLIENT; role <= LOAD_SERVER; role++)
		for (int i = 0; i < MR_COUNTER_COUNT; i++)
			total_add(c, 0, role, (enum mr_counter)i,
				  load_sum(load, (enum mr_counter)i, role));
	__atomic_add_fetch(&c->shared->connections, load_connections(load), __ATOMIC_RELAXED);
	__atomic_add_fetch(&c->shared->processes, load->shared->tally_count, __ATOMIC_RELAXED);
}

static void udp_count(struct cell *c, const struct udp_load *u)
{
	for (int i = 0; i < LANE_COUNT; i++) {
		const struct udp_tally *client = udp_tally(u, (enum udp_lane)i, true);
		const struct udp_tally *server = udp_tally(u, (enum udp_lane)i, false);

		total_add(c, 1, LOAD_CLIENT, MR_DATAGRAMS_TO_SERVER, client->sent);
		total_add(c, 1, LOAD_CLIENT, MR_BYTES_TO_SERVER, client->sent_bytes);
		total_add(c, 1, LOAD_CLIENT, MR_DATAGRAMS_TO_CLIENT, client->received);
		total_add(c, 1, LOAD_CLIENT, MR_BYTES_TO_CLIENT, client->received_bytes);
		total_add(c, 1, LOAD_SERVER, MR_DATAGRAMS_TO_SERVER, server->received);
		total_add(c, 1, LOAD_SERVER, MR_BYTES_TO_SERVER, server->received_bytes);
		total_add(c, 1, LOAD_SERVER, MR_DATAGRAMS_TO_CLIENT, server->sent);
		total_add(c, 1, LOAD_SERVER, MR_BYTES_TO_CLIENT, server->sent_bytes);
		total_add(c, 1, LOAD_SERVER, MR_DROPPED_TO_SERVER, server->dropped);
		__atomic_add_fetch(&c->shared->datagrams, client->sent + server->sent,
				   __ATOMIC_RELAXED);
	}
	__atomic_add_fetch(&c->shared->processes, 2, __ATOMIC_RELAXED);
}

static void load_hold_true(struct cell *c, const struct load *load)
{
	for (size_t i = 0; i < load_shape_count; i++) {
		const struct outcome *o = &load->shared->outcome[i];

		if (o->failed[0] || o->differed[0])
			cell_fail(c, "shape %s: %s", load_shapes[i].name,
				  o->failed[0] ? o->failed : o->differed);
	}
}

/* TCP and UDP at once. */
static void traffic(struct cell *c)
{
	unsigned int pick[SHAPES_MAX + 1];
	struct load load = {.net = &c->live.net,
			    .seed = any(c, UINT32_MAX),
			    .scale = (0.01 + (double)any(c, 60) / 1000) *
				     (c->live.scale < 1 ? c->live.scale : 1),
			    .pick = pick};
	struct udp_load udp = {.seed = any(c, UINT32_MAX),
			       .datagrams = scaled(&c->live, 100 + (unsigned int)any(c, 3000), 50),
			       .peers = scaled(&c->live, 8 + (unsigned int)any(c, 40), 8)};

	shapes_pick(c, pick);
	if (load_start(&load) || !udp_load_start(&udp, &c->live))
		cell_fail(c, "the load does not start");
	load_go(&load);
	if (!udp_load_go(&udp, &c->live))
		cell_fail(c, "the UDP peers do not start");
	load_wait(&load, patience(&c->live, CELL_MS));
	load_hold_true(c, &load);
	if (!udp_load_wait(&udp, &c->live))
		cell_fail(c, "the UDP peers do not end");
	load_count(c, &load);
	udp_count(c, &udp);
	load_free(&load);
	udp_load_end(&udp);
}

static void stay(struct cell *c)
{
	uint64_t until = clock_ns() + any(c, STAY_MS) * 1000000;

	__atomic_store_n(&c->place->state, CELL_QUIET, __ATOMIC_RELEASE);
	while (clock_ns() < until || __atomic_load_n(&c->shared->hold, __ATOMIC_ACQUIRE))
		pause_us(20000);
}

void churn_cell_main(struct churn *churn, unsigned int place, uint64_t seed)
{
	struct cell c = {.shared = churn->shared,
			 .place = &churn->shared->cell[place],
			 .live = *churn->live,
			 .random = seed * 0x9e3779b97f4a7c15u | 1};
	char name[32];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "churn-cell");
	signal(SIGTERM, SIG_DFL);
	snprintf(name, sizeof(name), "churn%u-%u.service", place,
		 (unsigned int)any(&c, CHURN_NAMES));
	if (net_open_below(&c.live.net, &churn->live->net, name))
		cell_fail(&c, "no namespaces or no cgroup for a cell");
	keepers_start(&c);
	traffic(&c);
	stay(&c);
	keepers_end(&c);
	net_close(&c.live.net);
	_exit(0);
}

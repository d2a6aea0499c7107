/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks that are wrong: an agent whose wall clock is an hour ahead, one whose wall clock steps
 * back and forth, one that is suspended; and a server whose monotonic clock began at another time
 * than any agent's. What each had to tell lands where it belongs: at the time by the server's
 * clock.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cluster.h"
#include "run.h"

#define PORT           18200
#define HOUR_S         3600
#define SERVER_AHEAD_S 5000
#define BURST          150 /* exchanges, 5 ms between two */
#define AWAY_MS        6000
#define SLEEP_MS       10000
#define TOLERANCE_S    2.5 /* windows are a second, and stretch when the machine is busy */

/* As wallclock.c reads it. */
struct clocks {
	int64_t wall_ahead_ns, slept_ns;
};

struct timed {
	struct cluster cluster;
	struct clocks *clocks[3];
	char preload[300], file[3][200];
	const char *environment[3][3];
};

static bool clocks_make(struct timed *t, unsigned int i)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "clock-%u", i);
	snprintf(t->file[i], sizeof(t->file[i]), "CLOCK_FILE=%s", live_file(t->cluster.live, name));
	fd = open(strchr(t->file[i], '/'), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, sizeof(struct clocks)))
		return false;
	t->clocks[i] = mmap(NULL, sizeof(struct clocks), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	t->environment[i][0] = t->preload;
	t->environment[i][1] = t->file[i];
	t->cluster.node[i].environment = t->environment[i];
	return t->clocks[i] != MAP_FAILED;
}

/* The library lies beside this program. */
static bool preload_find(struct timed *t)
{
	char own[200];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n <= 0)
		return false;
	own[n] = '\0';
	*strrchr(own, '/') = '\0';
	snprintf(t->preload, sizeof(t->preload), "LD_PRELOAD=%s/libwallclock.so", own);
	return access(strchr(t->preload, '/'), R_OK) == 0;
}

static void traffic_of(struct timed *t, unsigned int i, struct traffic_way *ret)
{
	static const char *const clients[] = {"ahead", "stepping", "sleeper"};
	static const char *const servers[] = {"ahead-db", "stepping-db", "sleeper-db"};

	*ret = (struct traffic_way){.client = clients[i],
				    .server = servers[i],
				    .from = cluster_place(&t->cluster.node[i]),
				    .to = cluster_place(&t->cluster.node[i]),
				    .address = "127.0.0.1",
				    .port = (uint16_t)(PORT + i),
				    .pause_us = 5000};
}

static uint64_t bytes_within(const struct timed *t, const struct traffic *traffic, double from,
			     double to)
{
	json_t *graph = cluster_graph_of(&t->cluster, "workload", from, to);
	unsigned int count;
	const json_t *edge = graph ? cluster_edge(graph, traffic, &count) : NULL;
	uint64_t bytes = edge ? (uint64_t)api_counter(edge, MR_BYTES_TO_SERVER) : 0;

	json_decref(graph);
	return bytes;
}

/* All of it between the two moments, as far as windows go, nothing before and nothing after. */
static void check_landed(struct timed *t, const struct traffic *traffic, double from, double to)
{
	struct live *l = t->cluster.live;
	uint64_t all = traffic->told->up;

	check_equal(l, "bytes within their time", all,
		    bytes_within(t, traffic, from - TOLERANCE_S, to + TOLERANCE_S));
	check_equal(l, "bytes before it", 0,
		    bytes_within(t, traffic, from - 3 * HOUR_S, from - TOLERANCE_S));
	check_equal(l, "bytes after it", 0,
		    bytes_within(t, traffic, to + TOLERANCE_S, clock_wall()));
}

static bool time_over(void *userdata)
{
	return clock_ns() >= *(uint64_t *)userdata;
}

static void let_pass(unsigned int ms)
{
	uint64_t end = clock_ns() + ms * 1000000ull;

	wait_until(time_over, &end, ms + 1000);
}

/* Steps the clock of one of them while its traffic runs, by ten minutes each way. */
static void step_meanwhile(struct timed *t, const struct traffic *traffic)
{
	while (traffic->told->exchanges < BURST) {
		t->clocks[1]->wall_ahead_ns = t->clocks[1]->wall_ahead_ns ? 0 : -600 * 1000000000ll;
		let_pass(100);
	}
}

static void run_bursts(struct timed *t)
{
	struct traffic traffic[3] = {0}, *all[3] = {&traffic[0], &traffic[1], &traffic[2]};
	struct traffic_way way;
	double from = clock_wall(), to;
	bool good = true;

	say("a burst of each");
	for (unsigned int i = 0; i < 3; i++) {
		traffic_of(t, i, &way);
		way.exchanges = BURST;
		good = good && traffic_start(&traffic[i], t->cluster.live, &way);
	}
	step_meanwhile(t, &traffic[1]);
	for (unsigned int i = 0; good && i < 3; i++)
		good = traffic_wait(&traffic[i], t->cluster.live);
	to = clock_wall();
	good = good && cluster_exact(&t->cluster, all, 3, 15000, NULL);
	let_pass((unsigned int)(TOLERANCE_S * 1000) + 1000);
	if (good)
		for (unsigned int i = 0; i < 3; i++)
			check_landed(t, &traffic[i], from, to);
	for (unsigned int i = 0; i < 3; i++)
		traffic_end(&traffic[i]);
}

/* While one cannot reach the server, and one stands still: late, but to its time. */
static void run_away(struct timed *t)
{
	struct cluster *c = &t->cluster;
	struct traffic traffic[2] = {0}, *all[2] = {&traffic[0], &traffic[1]};
	struct traffic_way way;
	double from = clock_wall(), to;
	bool good = true;

	say("one out of reach, one stopped, while there is traffic");
	link_set(&c->node[0].link, LINK_SILENT);
	kill(c->node[1].agent, SIGSTOP);
	for (unsigned int i = 0; i < 2; i++) {
		traffic_of(t, i, &way);
		way.port = (uint16_t)(way.port + 10);
		way.exchanges = BURST;
		good = good && traffic_start(&traffic[i], c->live, &way);
	}
	for (unsigned int i = 0; good && i < 2; i++)
		good = traffic_wait(&traffic[i], c->live);
	let_pass(AWAY_MS);
	kill(c->node[1].agent, SIGCONT);
	link_set(&c->node[0].link, LINK_OPEN);
	to = clock_wall();
	good = good && cluster_exact(c, all, 2, 40000, NULL);
	let_pass((unsigned int)(TOLERANCE_S * 1000) + 1000);
	if (good)
		for (unsigned int i = 0; i < 2; i++)
			check_landed(t, &traffic[i], from, to);
	for (unsigned int i = 0; i < 2; i++)
		traffic_end(&traffic[i]);
}

static bool has_begun(void *userdata)
{
	return __atomic_load_n(&((struct traffic *)userdata)->told->exchanges, __ATOMIC_ACQUIRE) >
	       BURST;
}

/*
 * A machine that sleeps: its CLOCK_MONOTONIC stands still meanwhile. What was in doubt when it fell
 * asleep is sent again when it wakes, and is of before.
 */
static void run_asleep(struct timed *t)
{
	struct cluster *c = &t->cluster;
	struct traffic traffic = {0}, *all[] = {&traffic};
	struct traffic_way way;
	double from = clock_wall(), cut, to;
	uint64_t told, shown;

	say("one sleeps, with a batch in doubt");
	traffic_of(t, 2, &way);
	way.port = (uint16_t)(way.port + 10);
	if (!traffic_start(&traffic, c->live, &way))
		goto out;
	wait_until(has_begun, &traffic, patience(c->live, 20000));
	cut = clock_wall();
	link_set(&c->node[2].link, LINK_CUT);
	told = traffic.told->up;
	let_pass(1300); /* a window ends, is sent, and stays in doubt */
	traffic_stop(&traffic, c->live);
	kill(c->node[2].agent, SIGSTOP);
	let_pass(SLEEP_MS);
	t->clocks[2]->slept_ns = SLEEP_MS * 1000000ll;
	kill(c->node[2].agent, SIGCONT);
	link_set(&c->node[2].link, LINK_OPEN);
	if (cluster_exact(c, all, 1, 40000, NULL)) {
		shown = bytes_within(t, &traffic, from - TOLERANCE_S, cut + TOLERANCE_S);
		check(c->live, shown >= told,
		      "of the %llu bytes before it lost the server %llu are at their time",
		      (unsigned long long)told, (unsigned long long)shown);
		to = clock_wall();
		let_pass((unsigned int)(TOLERANCE_S * 1000) + 1000);
		check_landed(t, &traffic, from, to);
	}
out:
	traffic_end(&traffic);
}

enum verdict test_clocks(struct live *l)
{
	struct timed *t = calloc(1, sizeof(*t));
	bool good;

	if (!t || !preload_find(t)) {
		free(t);
		return skip(l, "no libwallclock.so beside the tests");
	}
	good = cluster_open(&t->cluster, l, 3, false);
	t->cluster.server_ahead_s = SERVER_AHEAD_S;
	for (unsigned int i = 0; good && i < 3; i++)
		good = check(l, clocks_make(t, i), "clocks of node %u", i);
	if (good) {
		t->clocks[0]->wall_ahead_ns = HOUR_S * 1000000000ll;
		good = cluster_server_start(&t->cluster) && agents_start(&t->cluster);
	}
	if (good) {
		run_bursts(t);
		run_away(t);
		run_asleep(t);
	}
	cluster_close(&t->cluster);
	for (unsigned int i = 0; i < 3; i++)
		if (t->clocks[i] && t->clocks[i] != MAP_FAILED)
			munmap(t->clocks[i], sizeof(*t->clocks[i]));
	free(t);
	return verdict(l);
}

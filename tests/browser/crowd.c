/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many workloads: processes with a name of their own each, that hold connections to one another and
 * send a little over them. What a busy host looks like to millrace, made real.
 *
 *     browser-crowd WORKLOADS CONNECTIONS FIRST_PORT [CGROUP]
 *
 * Workload i listens on 127.0.0.1:FIRST_PORT+i. Connections join distinct pairs, chosen by a fixed
 * sequence: most go one tier on (edge, web, app, store), some anywhere, and every tier has a few
 * that everybody calls. Each client sends 64 to 2,048 bytes over one of its connections after the
 * other, five a second, and gets as many back.
 *
 * Prints "ready" when all are connected. Ends with its standard input, with its parent, or after
 * ten minutes; all processes end with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKLOADS_MAX   500
#define CONNECTIONS_MAX 4000
#define FDS_MAX         1024
#define LIFE_S          600
#define TURN_MS         200

struct link {
	uint16_t client, server;
};

struct crowd {
	int workloads, links;
	uint16_t first_port;
	struct link link[CONNECTIONS_MAX];
	bool joined[WORKLOADS_MAX][WORKLOADS_MAX];
	uint64_t random;
	int go[2], done[2]; /* pipes: closed to let all connect; a byte for each that has */
};

static struct crowd crowd;

static const char *const names[] = {
	"gateway", "frontend", "search", "session", "cart",   "checkout", "catalog",  "currency",
	"email",   "payment",  "ads",    "reviews", "orders", "billing",  "accounts", "ledger",
	"stock",   "shipping", "tax",    "media",   "redis",  "postgres", "kafka",    "index",
};

/* --- who calls whom -----------------------------------------------------------------------------
 */

static int random_below(int n)
{
	crowd.random = crowd.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (int)((crowd.random >> 33) % (uint64_t)n);
}

/* Tiers hold 10, 25, 45 and 20 percent of all. */
static int tier_first(int tier)
{
	static const int percent[] = {0, 10, 35, 80, 100};

	return crowd.workloads * percent[tier] / 100;
}

static int pick(int tier, bool is_server)
{
	int first = tier_first(tier), count = tier_first(tier + 1) - first;

	if (count < 1)
		return random_below(crowd.workloads);
	if (is_server && random_below(4) == 0)
		return first + random_below(count < 3 ? count : 3); /* the popular ones */
	return first + random_below(count);
}

static bool join(int client, int server)
{
	if (client == server || crowd.joined[client][server] || crowd.joined[server][client])
		return false;
	crowd.joined[client][server] = true;
	crowd.link[crowd.links++] = (struct link){(uint16_t)client, (uint16_t)server};
	return true;
}

/* Nobody is alone. */
static bool join_somewhere(int workload)
{
	int tier = 0;

	while (workload >= tier_first(tier + 1))
		tier++;
	if (tier == 3)
		return join(pick(2, false), workload);
	return join(workload, pick(tier + 1, true));
}

static void join_all(int wanted)
{
	crowd.random = 1;
	for (int i = 0; i < crowd.workloads && crowd.links < wanted; i++)
		while (!join_somewhere(i))
			;
	while (crowd.links < wanted) {
		int tier = random_below(3);

		if (random_below(50))
			join(pick(tier, false), pick(tier + 1, true));
		else
			join(random_below(crowd.workloads), random_below(crowd.workloads));
	}
}

/* --- one workload -------------------------------------------------------------------------------
 */

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "browser-crowd: cannot %s: %m\n", what);
	_exit(1);
}

static struct sockaddr_in address_of(int workload)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)(crowd.first_port + workload)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_as(int self)
{
	struct sockaddr_in at = address_of(self);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 1024), "listen");
	return fd;
}

static int connect_as(int self, int *fds)
{
	int count = 0;

	for (int i = 0; i < crowd.links; i++) {
		struct sockaddr_in to = address_of(crowd.link[i].server);

		if (crowd.link[i].client != self)
			continue;
		check(count < FDS_MAX / 2, "hold so many connections");
		fds[count] = socket(AF_INET, SOCK_STREAM, 0);
		check(!connect(fds[count++], (struct sockaddr *)&to, sizeof(to)), "connect");
	}
	return count;
}

static void answer(int fd)
{
	char data[4096];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0)
		n = send(fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void drain(int fd)
{
	char data[4096];

	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
}

static void send_turn(const int *opened, int count, unsigned int turn)
{
	static char data[2048];

	if (count && send(opened[turn % (unsigned int)count], data, (size_t)64 << turn % 6,
			  MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		_exit(0); /* the others are gone */
	for (int i = 0; i < count; i++)
		drain(opened[i]);
}

static void serve(int listener, const int *opened, int opened_count)
{
	struct pollfd polls[FDS_MAX] = {{listener, POLLIN, 0}};
	int count = 1;

	for (unsigned int turn = 0;;) {
		int ready = poll(polls, (nfds_t)count, TURN_MS);

		if (ready <= 0) {
			send_turn(opened, opened_count, turn++);
			continue;
		}
		for (int i = 1; i < count; i++)
			if (polls[i].revents)
				answer(polls[i].fd);
		if (polls[0].revents && count < FDS_MAX)
			polls[count++] = (struct pollfd){accept(listener, NULL, NULL), POLLIN, 0};
	}
}

static void live(int self)
{
	static int opened[FDS_MAX / 2];
	char name[32], byte = 0; /* the kernel takes 15 bytes of it */
	int listener, count;

	snprintf(name, sizeof(name), "%.9s-%d",
		 names[(size_t)self % (sizeof(names) / sizeof(*names))], self);
	prctl(PR_SET_NAME, name);
	listener = listen_as(self);
	check(write(crowd.done[1], &byte, 1) == 1, "report");
	close(crowd.go[1]);
	check(read(crowd.go[0], &byte, 1) == 0, "wait for the others");
	count = connect_as(self, opened);
	check(write(crowd.done[1], &byte, 1) == 1, "report");
	serve(listener, opened, count);
}

/* --- all of them --------------------------------------------------------------------------------
 */

static void await_all(void)
{
	char byte;

	for (int i = 0; i < crowd.workloads; i++)
		check(read(crowd.done[0], &byte, 1) == 1, "start all workloads");
}

static void start_all(void)
{
	check(!pipe(crowd.go) && !pipe(crowd.done), "make pipes");
	for (int i = 0; i < crowd.workloads; i++) {
		pid_t pid = fork();

		check(pid >= 0, "fork");
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(LIFE_S);
		close(STDIN_FILENO);
		close(crowd.done[0]);
		live(i);
	}
	close(crowd.done[1]);
	await_all();
	close(crowd.go[1]);
	await_all();
}

static void enter(const char *cgroup)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = fopen(path, "w");
	check(file && fputs("0\n", file) >= 0 && !fclose(file), "enter the cgroup");
}

int main(int argc, char **argv)
{
	int wanted = argc > 3 ? atoi(argv[2]) : 0, port = argc > 3 ? atoi(argv[3]) : 0;
	char byte;

	crowd.workloads = argc > 3 ? atoi(argv[1]) : 0;
	if (crowd.workloads < 10 || crowd.workloads > WORKLOADS_MAX || wanted < 1 ||
	    wanted > CONNECTIONS_MAX || wanted > crowd.workloads * crowd.workloads / 8 ||
	    port < 1 || port + crowd.workloads > 65536) {
		fprintf(stderr, "usage: browser-crowd WORKLOADS CONNECTIONS FIRST_PORT [CGROUP]\n");
		return 2;
	}
	crowd.first_port = (uint16_t)port;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
	if (argc > 4)
		enter(argv[4]);
	join_all(wanted);
	start_all();
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that is killed (SIGKILL) at any moment while agents report over HTTP, again and again.
 *
 *     kill MILLRACE [KILLS]
 *
 * Agents on a clock that runs through days write real batches, so that every level is rolled up
 * meanwhile. Proves after each kill: the file opens and is whole, what was acknowledged is there
 * once, what was not is there once or not at all, and every level says the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/types.h>

#include "../../bpf/flow.h"
#include "server/core.h"
#include "server/fill.h"
#include "wire/encode.h"
#include "wire/exchange.h"

#define AGENTS      3
#define FLOWS       8
#define SECOND      UINT64_C(1000000000)
#define STEP_NS     (40 * SECOND)
#define SPAN_NS     (4 * 86400 * SECOND) /* agents begin so long ago */
#define KILLS_USUAL 100
#define BATCHES_MIN 20 /* between two kills */

struct agent {
	char node[32];
	uint64_t sequence, at_ns;     /* its clock: nanoseconds since it began */
	uint64_t acknowledged, doubt; /* bytes to the server */
	uint8_t *body;                /* in doubt; NULL: none */
	size_t size;
};

static struct agent agents[AGENTS];
static uint64_t state = 88172645463325252u, begin_wall_ns;
static char folder[] = "/tmp/millrace-kill-XXXXXX", path[64];
static const char *program;
static uint16_t port;
static pid_t server;
static unsigned int taken, asked;

static uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fail(const char *what)
{
	fprintf(stderr, "NOT ok: %s (%s)\n", what, errno ? strerror(errno) : "-");
	if (server > 0)
		kill(server, SIGKILL);
	exit(1);
}

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* --- HTTP ----------------------------------------------------------------------------------- */

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool send_all(int fd, const void *bytes, size_t size)
{
	const char *p = bytes;

	while (size) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

/* The status; 0: the server went away. */
static int exchange(const char *head, const void *body, size_t size)
{
	char answer[64] = "";
	size_t have = 0;
	ssize_t n = 0;
	int fd = dial();

	if (fd < 0)
		return 0;
	if (send_all(fd, head, strlen(head)) && send_all(fd, body, size))
		while (have < 12 && (n = recv(fd, answer + have, sizeof(answer) - 1 - have, 0)) > 0)
			have += n;
	close(fd);
	return have >= 12 && !strncmp(answer, "HTTP/1.1 ", 9) ? atoi(answer + 9) : 0;
}

/* now: that agent's clock as it sends: what lies between its window and now lies in the past. */
static int post(const struct agent *a, const void *body, size_t size)
{
	uint64_t now = wall_ns() - begin_wall_ns;
	char head[256];

	snprintf(head, sizeof(head),
		 "POST /api/v1/batches HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
		 "Content-Type: " WIRE_CONTENT_TYPE "\r\n" WIRE_NOW_HEADER ": %llu\r\n"
		 "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		 port, (unsigned long long)now, size);
	return exchange(head, body, size);
}

/* --- batches -------------------------------------------------------------------------------- */

static void define(struct wire_batch *b, unsigned int agent)
{
	b->actors = arena_alloc(b->arena, sizeof(*b->actors));
	b->actor_count = 1;
	b->actors[0] = (struct wire_actor){.handle = 1,
					   .process = "worker",
					   .unit = "worker.service",
					   .container = "",
					   .pod = "",
					   .cgroup = "/worker"};
	b->flows = arena_alloc(b->arena, FLOWS * sizeof(*b->flows));
	b->flow_count = FLOWS;
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct wire_flow *f = &b->flows[i];

		*f = (struct wire_flow){.handle = i + 1,
					.actor = 1,
					.transport = WIRE_TRANSPORT_TCP,
					.role = MR_ROLE_CLIENT,
					.port = (uint16_t)(80 + i),
					.netns = 1};
		f->local[10] = f->local[11] = f->remote[10] = f->remote[11] = 0xff;
		f->local[12] = f->remote[12] = 10;
		f->local[13] = (uint8_t)agent;
		f->remote[13] = 99;
		f->local[15] = f->remote[15] = 1;
	}
}

static struct wire_batch *batch_of(const struct agent *a)
{
	struct wire_batch *b = wire_batch_new();

	b->node = a->node;
	b->boot_id = a->node;
	b->version = "kill";
	b->kernel = "6.18";
	b->status.hooks = "";
	b->started_ns = 1;
	b->sequence = a->sequence;
	b->window_start_ns = a->at_ns - STEP_NS;
	b->window_end_ns = a->at_ns;
	return b;
}

static void encode(struct wire_batch *b, uint8_t **ret, size_t *ret_size)
{
	if (wire_encode(b, ret, ret_size) < 0)
		fail("a batch cannot be encoded");
	wire_batch_free(b);
}

/* Freezes the next one: its bytes never change again. */
static void freeze(struct agent *a)
{
	struct wire_batch *b;

	a->sequence++;
	a->at_ns += STEP_NS;
	b = batch_of(a);
	if (a->sequence == 1)
		define(b, (unsigned int)(a - agents));
	b->updates = arena_alloc(b->arena, FLOWS * sizeof(*b->updates));
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint64_t bytes = random64() % 100000;

		if (random64() % 3 == 0)
			continue;
		b->updates[b->update_count].flow = i + 1;
		b->updates[b->update_count].counter[MR_OPENED] = 1;
		b->updates[b->update_count++].counter[MR_BYTES_TO_SERVER] = bytes;
		a->doubt += bytes;
	}
	encode(b, &a->body, &a->size);
}

static int send_definitions(struct agent *a)
{
	struct wire_batch *b = batch_of(a);
	uint8_t *body;
	size_t size;
	int status;

	b->definitions = true;
	define(b, (unsigned int)(a - agents));
	encode(b, &body, &size);
	status = post(a, body, size);
	free(body);
	asked++;
	return status;
}

/* False: the server is gone. */
static bool report(struct agent *a)
{
	int status;

	if (!a->body)
		freeze(a);
	status = post(a, a->body, a->size);
	if (status == 409) {
		status = send_definitions(a);
		if (status == 204 || status == 200)
			status = post(a, a->body, a->size);
	}
	if (!status || status == 503)
		return false;
	if (status != 204 && status != 200) {
		fprintf(stderr, "status %d\n", status);
		fail("a batch was refused");
	}
	a->acknowledged += a->doubt;
	a->doubt = 0;
	free(a->body);
	a->body = NULL;
	taken++;
	return true;
}

/* --- what is kept --------------------------------------------------------------------------- */

static void sum(struct reader *r, unsigned int finest, unsigned int coarsest, uint64_t ret[AGENTS])
{
	const struct fill_request request = {.range = {0, wall_ns() + SECOND, finest, coarsest}};
	struct fill_result result;
	struct core *core;

	memset(ret, 0, AGENTS * sizeof(*ret));
	if (core_new(&core, NULL) < 0)
		fail("no memory");
	core->history.bytes_max = SIZE_MAX / 2;
	if (core_fill(core, r, &request, &result) < 0 || result.damaged)
		fail("the store cannot be read");
	fold_reset(&core->range);
	for (size_t i = 0; i < history_count(&core->history); i++)
		if (fold_window(&core->range, history_at(&core->history, i)) < 0)
			fail("no memory");
	for (size_t i = 0; i < core->range.count; i++) {
		const struct folded *item = core->range.list[i];
		const struct flow_id *id = flow_id(&core->flows, flow_at(&core->flows, item->flow));

		ret[id->local[13]] += item->sums.counter[MR_BYTES_TO_SERVER];
	}
	core_free(core);
}

static void check_sums(struct reader *r)
{
	uint64_t first[AGENTS], other[AGENTS];

	sum(r, LEVEL_FINE, LEVEL_DAYS, first);
	for (unsigned int i = 0; i < AGENTS; i++)
		if (first[i] != agents[i].acknowledged &&
		    first[i] != agents[i].acknowledged + agents[i].doubt) {
			fprintf(stderr, "%s: %llu kept, %llu acknowledged, %llu in doubt\n",
				agents[i].node, (unsigned long long)first[i],
				(unsigned long long)agents[i].acknowledged,
				(unsigned long long)agents[i].doubt);
			fail("what was acknowledged is not there once");
		}
	for (unsigned int level = LEVEL_TENS; level < LEVEL_DAYS; level++) {
		sum(r, LEVEL_FINE, level, other);
		if (memcmp(first, other, sizeof(first)) != 0)
			fail("two levels say different things");
	}
}

static void check_store(void)
{
	struct error error = {""};
	struct reader r;
	sqlite3_stmt *s;

	if (reader_open(&r, path, &error) < 0)
		fail(error.text);
	if (sqlite3_prepare_v2(r.db, "PRAGMA integrity_check", -1, &s, NULL) != SQLITE_OK ||
	    sqlite3_step(s) != SQLITE_ROW || strcmp((char *)sqlite3_column_text(s, 0), "ok") != 0)
		fail("the file is not whole");
	sqlite3_finalize(s);
	if (reader_begin(&r) < 0)
		fail("the store cannot be read");
	check_sums(&r);
	reader_end(&r);
	reader_close(&r);
}

/* --- the server ----------------------------------------------------------------------------- */

static void start_server(void)
{
	char listen[32];

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
	server = fork();
	if (!server) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execl(program, program, "server", "--listen", listen, "--data", folder, NULL);
		_exit(127);
	}
	for (unsigned int i = 0; i < 3000; i++) {
		int fd = dial();

		if (fd >= 0) {
			close(fd);
			return;
		}
		if (waitpid(server, NULL, WNOHANG))
			break;
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	}
	fail("the server does not start");
}

/* Kills after so long, whatever goes on then. */
static void *kill_later(void *after_us)
{
	uint64_t us = *(uint64_t *)after_us;

	nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
	kill(server, SIGKILL);
	return NULL;
}

static void report_until_gone(void)
{
	for (unsigned int i = 0;; i++)
		if (!report(&agents[i % AGENTS]))
			return;
}

static void one_kill(void)
{
	uint64_t after_us;
	pthread_t killer;
	int status;

	start_server();
	for (unsigned int i = 0; i < BATCHES_MIN; i++)
		if (!report(&agents[i % AGENTS]))
			fail("the server went away by itself");
	after_us = random64() % 300000;
	pthread_create(&killer, NULL, kill_later, &after_us);
	report_until_gone();
	pthread_join(killer, NULL);
	waitpid(server, &status, 0);
	if (!WIFSIGNALED(status))
		fail("the server ended by itself");
	check_store();
}

static uint16_t free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		fail("no port");
	close(fd);
	return ntohs(at.sin_port);
}

int main(int argc, char **argv)
{
	unsigned int kills = argc > 2 ? (unsigned int)atoi(argv[2]) : KILLS_USUAL;
	char remove[96];

	if (argc < 2)
		fail("usage: kill MILLRACE [KILLS]");
	program = argv[1];
	if (!mkdtemp(folder))
		fail("no folder");
	if (geteuid() == 0)
		rmdir(folder); /* the server makes it, for its account */
	snprintf(path, sizeof(path), "%s/millrace.db", folder);
	port = free_port();
	begin_wall_ns = wall_ns() - SPAN_NS;
	for (unsigned int i = 0; i < AGENTS; i++)
		snprintf(agents[i].node, sizeof(agents[i].node), "node-%u", i);
	for (unsigned int i = 0; i < kills; i++)
		one_kill();
	printf("%u kills: %u batches acknowledged, %u times asked for definitions, nothing lost or "
	       "counted twice, every level alike\n",
	       kills, taken, asked);
	snprintf(remove, sizeof(remove), "rm -rf %s", folder);
	return system(remove) ? 1 : 0;
}

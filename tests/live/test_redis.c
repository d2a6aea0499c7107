/* SPDX-License-Identifier: Apache-2.0 */
/* redis under redis-benchmark, against redis's own counters, asked over a unix socket. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "actor.h"
#include "pair.h"
#include "run.h"

#define REDIS_PORT "24090"

static size_t redis_info(const char *path, char *out, size_t size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t used = 0, total = 0;
	ssize_t n;

	out[0] = 0;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && send(fd, "INFO\r\n", 6, 0) == 6)
		while ((n = recv(fd, out + used, size - 1 - used, 0)) > 0) {
			used += (size_t)n;
			out[used] = 0;
			if (!total && strchr(out, '\n')) /* "$LENGTH\r\n", the text, "\r\n" */
				total = (size_t)(strchr(out, '\n') - out) + 3 +
					(size_t)atol(out + 1);
			if (total && used >= total)
				break;
		}
	close(fd);
	return used;
}

struct redis {
	char socket[128];
	char before[16384], after[16384];
	size_t answer; /* bytes of the first INFO's answer, which the second counts */
};

static bool redis_answers(void *userdata)
{
	struct redis *r = userdata;

	return redis_info(r->socket, r->before, sizeof(r->before)) > 100;
}

static pid_t redis_start(struct live *l, struct redis *r)
{
	snprintf(r->socket, sizeof(r->socket), "%s", live_file(l, "redis.sock"));
	return actor_spawn(l, false, 0, live_file(l, "redis.log"),
			   (const char *const[]){program_find("redis-server"), "--port", REDIS_PORT,
						 "--bind", NET_SERVER4, "--protected-mode", "no",
						 "--save", "", "--unixsocket", r->socket, "--dir",
						 l->directory, "--daemonize", "no", NULL});
}

static uint64_t redis_delta(const struct redis *r, const char *name)
{
	return (uint64_t)(text_number(r->after, name) - text_number(r->before, name));
}

enum verdict test_redis(struct live *l)
{
	static struct redis r;
	struct millrace m;
	struct pair p = {&m, "redis-benchmark", "redis-server", (uint16_t)atoi(REDIS_PORT), 0};
	char out[8192];
	pid_t server;

	if (!program_find("redis-server") || !program_find("redis-benchmark"))
		return skip(l, "no redis here");
	if (!whole_start(l, &m))
		return FAIL;
	server = redis_start(l, &r);
	if (check(l, wait_until(redis_answers, &r, patience(l, 10000)), "redis-server answers")) {
		r.answer = redis_info(r.socket, r.before, sizeof(r.before));
		check(l,
		      actor_run(l, true, 0,
				(const char *const[]){program_find("redis-benchmark"), "-h",
						      NET_SERVER4, "-p", REDIS_PORT, "-n",
						      l->is_short ? "20000" : "100000", "-c", "20",
						      "-d", "200", "-t", "set,get", "-q", NULL},
				out, sizeof(out), 120000) == 0,
		      "redis-benchmark ran");
		redis_info(r.socket, r.after, sizeof(r.after));
		p.closed = redis_delta(&r, "total_connections_received:") - 1;
		pair_check(l, &p);
		pair_bytes(l, &p, redis_delta(&r, "total_net_input_bytes:") - 6,
			   redis_delta(&r, "total_net_output_bytes:") - r.answer);
	}
	process_end(server, SIGTERM, 10000);
	whole_finish(l, &m);
	return verdict(l);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../tests/live/run.h"

#define CLIENT_CPU 1 /* as struct spawn counts: 1 + number */
#define SERVER_CPU 2

static const char nginx_config[] = "daemon off; master_process off; user root;\n"
				   "pid %s/nginx-%u.pid; error_log %s/nginx-%u.log;\n"
				   "events { worker_connections 4096; }\n"
				   "http { access_log off; keepalive_requests 1000000000;\n"
				   "keepalive_timeout 3600;\n"
				   "server { listen 127.0.0.1:%u backlog=4096;\n"
				   "location / { return 200 '%0600d'; }\n"
				   "location /status { stub_status; } } }\n";

static uint16_t next_port(void)
{
	static uint16_t port;

	if (!port)
		port = (uint16_t)(20000 + getpid() % 5000);
	return ++port;
}

static const char *need(const char *name)
{
	const char *program = program_find(name);

	if (!program)
		bench_die("make load: no %s on this machine; install its Debian package", name);
	return program;
}

static void start_nginx(struct load *l, const struct bench *b)
{
	char name[64], path[600];
	const char *d = b->directory;
	FILE *f;

	snprintf(name, sizeof(name), "nginx-%u.conf", l->port);
	snprintf(path, sizeof(path), "%s", bench_file(b, name));
	f = fopen(path, "we");
	if (!f)
		bench_die("write %s: %m", path);
	fprintf(f, nginx_config, d, l->port, d, l->port, l->port, 0);
	fclose(f);
	l->server = spawn(&(struct spawn){.cgroup = l->place.path,
					  .cpu = SERVER_CPU,
					  .log = bench_file(b, "nginx.log")},
			  (const char *const[]){need("nginx"), "-c", path, "-p", d, NULL});
}

static void start_redis(struct load *l, const struct bench *b)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", l->port);
	l->server = spawn(&(struct spawn){.cgroup = l->place.path,
					  .cpu = SERVER_CPU,
					  .log = bench_file(b, "redis.log")},
			  (const char *const[]){need("redis-server"), "--port", port, "--bind",
						"127.0.0.1", "--save", "", "--appendonly", "no",
						"--dir", b->directory, NULL});
}

static bool control_opens(void *userdata)
{
	struct load *l = userdata;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(l->port)};
	struct timeval patience = {.tv_sec = 5};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l->control = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(l->control, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(l->control, (struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	close(l->control);
	return false;
}

static void start_wrk(struct load *l, const struct bench *b)
{
	const char *argv[16] = {need("wrk"), "-t", "1", "-c", "16", "-d", "3600s"};
	char url[64];
	int n = 7;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", l->port);
	if (l->kind == LOAD_NGINX_CLOSE) {
		argv[n++] = "-H";
		argv[n++] = "Connection: close";
	}
	argv[n++] = url;
	l->client = spawn(&(struct spawn){.cgroup = l->place.path,
					  .cpu = CLIENT_CPU,
					  .log = bench_file(b, "wrk.log")},
			  argv);
}

static void start_redis_benchmark(struct load *l, const struct bench *b)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", l->port);
	l->client =
		spawn(&(struct spawn){.cgroup = l->place.path, .cpu = CLIENT_CPU},
		      (const char *const[]){need("redis-benchmark"), "-p", port, "-c", "16", "-n",
					    "2000000000", "-t", "get", "-d", "100", "-q", NULL});
}

void load_start(struct load *l, const struct bench *b, enum load_kind kind, const char *name)
{
	*l = (struct load){.kind = kind, .port = next_port()};
	place_make(&l->place, b, name);
	if (kind == LOAD_REDIS)
		start_redis(l, b);
	else
		start_nginx(l, b);
	if (l->server < 0 || !wait_until(control_opens, l, 10000))
		bench_die("make load: the server on port %u does not answer; see its log in %s",
			  l->port, b->directory);
	if (kind == LOAD_REDIS)
		start_redis_benchmark(l, b);
	else
		start_wrk(l, b);
	load_requests(l);
}

static unsigned long long number_after(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);

	return at ? strtoull(at + strlen(mark), NULL, 10) : 0;
}

/* redis: "$LENGTH\r\n", as many bytes, "\r\n" */
static bool is_whole(const struct load *l, const char *text)
{
	const char *body = strchr(text, '\n');

	if (l->kind == LOAD_REDIS)
		return body && strlen(body + 1) >= number_after(text, "$") + 2;
	body = strstr(text, "Waiting: ");
	return body && strchr(body, '\n');
}

static void ask(struct load *l, char *text, size_t size)
{
	static const char status[] = "GET /status HTTP/1.1\r\nHost: bench\r\n\r\n";
	static const char info[] = "INFO stats\r\n";
	const char *question = l->kind == LOAD_REDIS ? info : status;
	size_t used = 0;
	ssize_t n;

	if (send(l->control, question, strlen(question), MSG_NOSIGNAL) < 0)
		bench_die("ask the server on port %u: %m", l->port);
	do {
		n = recv(l->control, text + used, size - 1 - used, 0);
		if (n <= 0)
			bench_die("ask the server on port %u: no answer", l->port);
		used += (size_t)n;
		text[used] = 0;
	} while (!is_whole(l, text));
}

uint64_t load_requests(struct load *l)
{
	char text[16384];
	unsigned long long accepted, handled, requests = 0;
	const char *line;

	ask(l, text, sizeof(text));
	if (l->kind == LOAD_REDIS)
		return number_after(text, "total_commands_processed:");
	line = strstr(text, "requests\n");
	if (!line || sscanf(line + 9, "%llu %llu %llu", &accepted, &handled, &requests) != 3)
		bench_die("read nginx's status: it is not what was expected");
	return requests;
}

static uint64_t process_cpu_ns(pid_t pid)
{
	struct timespec t = {0};
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		bench_die("read the CPU time of process %d: it ended", pid);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t load_cpu_ns(const struct load *l)
{
	return process_cpu_ns(l->server) + process_cpu_ns(l->client);
}

void load_stop(struct load *l)
{
	place_freeze(&l->place, false);
	process_end(l->client, SIGTERM, 5000);
	close(l->control);
	process_end(l->server, SIGTERM, 10000);
	place_remove(&l->place);
}

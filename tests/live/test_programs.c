/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real programs, seen as an administrator sees them: the whole machine is observed, so `verify`
 * can hold the sums of all namespaces against the kernel's own.
 */
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "nginx.h"
#include "run.h"

#define REDIS_PORT    "24090"
#define POSTGRES_PORT "24091"
#define IPERF_PORT    "24092"
#define IPERF_CONTROL 16384 /* bytes of its control connection, at most */

/* An edge, waited for until its connections are closed, and both ends of it. */
struct pair {
	const struct millrace *millrace;
	const char *client, *server;
	uint16_t port;
	uint64_t closed;
	struct ends c, s;
};

static bool pair_closed(void *userdata)
{
	struct pair *p = userdata;
	json_t *answer = api_ends(p->millrace);

	ends_sum(answer, LOAD_CLIENT, p->client, p->port, &p->c);
	ends_sum(answer, LOAD_SERVER, p->server, p->port, &p->s);
	json_decref(answer);
	return p->c.counter[MR_CLOSED] >= p->closed && p->s.counter[MR_CLOSED] >= p->closed;
}

static void pair_check(struct live *l, struct pair *p)
{
	json_t *graph;
	const json_t *edge;

	wait_until(pair_closed, p, patience(l, 8000));
	check_equal(l, "connections opened, client end", p->closed, p->c.counter[MR_OPENED]);
	check_equal(l, "connections opened, server end", p->closed, p->s.counter[MR_OPENED]);
	check_equal(l, "connections closed, client end", p->closed, p->c.counter[MR_CLOSED]);
	check_equal(l, "connections closed, server end", p->closed, p->s.counter[MR_CLOSED]);
	edge = api_edge(p->millrace, p->client, p->server, p->port, &graph);
	check(l, edge != NULL, "the graph has the edge %s -> %s:%u", p->client, p->server, p->port);
	check_equal(l, "connections opened, edge", p->closed,
		    edge ? (uint64_t)api_counter(edge, MR_OPENED) : 0);
	check_equal(l, "bytes to server, edge", p->c.counter[MR_BYTES_TO_SERVER],
		    edge ? (uint64_t)api_counter(edge, MR_BYTES_TO_SERVER) : 0);
	json_decref(graph);
}

static void pair_bytes(struct live *l, const struct pair *p, uint64_t up, uint64_t down)
{
	check_equal(l, "bytes to server, client end", up, p->c.counter[MR_BYTES_TO_SERVER]);
	check_equal(l, "bytes to server, server end", up, p->s.counter[MR_BYTES_TO_SERVER]);
	check_equal(l, "bytes to client, client end", down, p->c.counter[MR_BYTES_TO_CLIENT]);
	check_equal(l, "bytes to client, server end", down, p->s.counter[MR_BYTES_TO_CLIENT]);
}

/* As the server's log says, but for what was under way when the client was ended. */
static void pair_bytes_near(struct live *l, const struct pair *p, uint64_t up, uint64_t down)
{
	const uint64_t *c = p->c.counter, *s = p->s.counter;

	check_equal(l, "bytes to server, both ends", c[MR_BYTES_TO_SERVER], s[MR_BYTES_TO_SERVER]);
	check(l, s[MR_BYTES_TO_SERVER] - up <= 10 * 100,
	      "bytes to server: logged %" PRIu64 ", seen %" PRIu64
	      " (10 requests of < 100 bytes may be unlogged)",
	      up, s[MR_BYTES_TO_SERVER]);
	check(l, down - s[MR_BYTES_TO_CLIENT] <= 10 * 1000,
	      "bytes to client: logged %" PRIu64 ", seen %" PRIu64
	      " (10 answers of < 1 KB may be unsent)",
	      down, s[MR_BYTES_TO_CLIENT]);
}

static void verify_check(struct live *l, struct millrace *m)
{
	char out[8192];
	int r = millrace_command(m, (const char *const[]){"verify", NULL}, out, sizeof(out));

	check(l, r == 0, "millrace verify: status %d%s%s", r, r ? ": " : "", r ? out : "");
}

static bool start(struct live *l, struct millrace *m)
{
	bool whole = l->whole_machine, started;

	l->whole_machine = true;
	started = millrace_start(m, l, NULL);
	l->whole_machine = whole;
	return started;
}

static void finish(struct live *l, struct millrace *m)
{
	verify_check(l, m);
	check_equal(l, "exit status after SIGTERM", 0, (uint64_t)millrace_stop(m, SIGTERM));
}

enum verdict test_nginx(struct live *l)
{
	const char *wrk = program_find("wrk");
	char url[64], out[4096];
	struct millrace m;
	struct nginx n;
	struct pair p = {&m, "wrk", "nginx", NGINX_PORT, 0};
	uint64_t requests, received, sent;

	if (!wrk || !program_find("nginx"))
		return skip(l, "no nginx or wrk here");
	if (!start(l, &m))
		return FAIL;
	if (nginx_start(&n, l, true)) {
		snprintf(url, sizeof(url), "http://" NET_SERVER4 ":%d/", NGINX_PORT);
		actor_run(l, true, 0,
			  (const char *const[]){wrk, "-t", "1", "-c", "10", "-d", "2s", url, NULL},
			  out, sizeof(out), 60000);
		p.closed = nginx_accepted(&n);
		pair_check(l, &p);
		nginx_stop(&n, &requests, &received, &sent);
		say("nginx logged %" PRIu64 " requests on %" PRIu64 " connections", requests,
		    p.closed);
		pair_bytes_near(l, &p, received, sent);
	}
	finish(l, &m);
	return verdict(l);
}

/* --- redis: its own counters, asked over a unix socket --- */

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
	if (!start(l, &m))
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
	finish(l, &m);
	return verdict(l);
}

/* --- PostgreSQL: connections as its log names them --- */

static int postgres_init(struct live *l, const struct passwd *user, const char *data)
{
	char out[4096], path[256];
	FILE *hba;
	int r;

	if (mkdir(data, 0700) || chown(data, user->pw_uid, user->pw_gid))
		return -1;
	r = run(&(struct spawn){.uid = user->pw_uid},
		(const char *const[]){program_find("initdb"), "-D", data, "-A", "trust", "-N", "-U",
				      "postgres", NULL},
		out, sizeof(out), 120000);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/pg_hba.conf", data);
	hba = fopen(path, "a");
	if (!hba)
		return -1;
	fputs("host all all " NET_CLIENT4 "/32 trust\n", hba);
	return fclose(hba);
}

static uint64_t log_count(const char *path, const char *wanted)
{
	char line[4096];
	uint64_t n = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, wanted) != NULL;
	if (f)
		fclose(f);
	return n;
}

static int pgbench(struct live *l, const char *const *more)
{
	const char *argv[24] = {program_find("pgbench"), "-h", NET_SERVER4, "-p",
				POSTGRES_PORT,           "-U", "postgres"};
	char out[4096];
	int n = 7;

	for (; *more; more++)
		argv[n++] = *more;
	argv[n] = "postgres";
	return actor_run(l, true, 0, argv, out, sizeof(out), 120000);
}

static void postgres_load(struct live *l, struct pair *p, const char *log)
{
	check(l, pgbench(l, (const char *const[]){"-i", "-q", NULL}) == 0,
	      "pgbench makes its tables");
	check(l,
	      pgbench(l, (const char *const[]){"-c", "4", "-t", l->is_short ? "100" : "1000",
					       NULL}) == 0,
	      "pgbench on 4 connections");
	check(l,
	      pgbench(l, (const char *const[]){"-C", "-c", "2", "-t", l->is_short ? "50" : "500",
					       "-S", NULL}) == 0,
	      "pgbench with a connection per transaction");
	p->closed = log_count(log, "connection received: host=" NET_CLIENT4);
	say("PostgreSQL logged %" PRIu64 " connections", p->closed);
	pair_check(l, p);
	check_equal(l, "bytes to server, both ends", p->c.counter[MR_BYTES_TO_SERVER],
		    p->s.counter[MR_BYTES_TO_SERVER]);
	check_equal(l, "bytes to client, both ends", p->c.counter[MR_BYTES_TO_CLIENT],
		    p->s.counter[MR_BYTES_TO_CLIENT]);
}

enum verdict test_postgres(struct live *l)
{
	const struct passwd *user = getpwnam("postgres");
	const char *data = live_file(l, "pgdata"), *log = live_file(l, "postgres.log");
	struct actor_port port = {l, NET_SERVER4, (uint16_t)atoi(POSTGRES_PORT)};
	struct millrace m;
	struct pair p = {&m, "pgbench", "postgres", (uint16_t)atoi(POSTGRES_PORT), 0};
	pid_t server;

	if (!user || !program_find("initdb") || !program_find("pgbench"))
		return skip(l, "no PostgreSQL here");
	if (postgres_init(l, user, data))
		return skip(l, "initdb does not work here");
	if (!start(l, &m))
		return FAIL;
	server = actor_spawn(l, false, user->pw_uid, log,
			     (const char *const[]){program_find("postgres"), "-D", data, "-h",
						   NET_SERVER4, "-p", POSTGRES_PORT, "-k", data,
						   "-c", "log_connections=on", "-c", "fsync=off",
						   NULL});
	if (check(l, wait_until(actor_accepts, &port, patience(l, 20000)), "postgres listens"))
		postgres_load(l, &p, log);
	process_end(server, SIGINT, 15000);
	finish(l, &m);
	return verdict(l);
}

/* --- iperf3: bytes by its own report --- */

static uint64_t report_bytes(const json_t *report, const char *path)
{
	return (uint64_t)json_integer_value(api_at(report, path));
}

enum verdict test_iperf(struct live *l)
{
	struct actor_port port = {l, NET_SERVER4, (uint16_t)atoi(IPERF_PORT)};
	struct millrace m;
	struct pair p = {&m, "iperf3", "iperf3", port.port, 2};
	static char out[65536];
	json_t *report;
	uint64_t sent, received;
	pid_t server;

	if (!program_find("iperf3"))
		return skip(l, "no iperf3 here");
	if (!start(l, &m))
		return FAIL;
	server = actor_spawn(l, false, 0, live_file(l, "iperf.log"),
			     (const char *const[]){program_find("iperf3"), "-s", "-1", "-p",
						   IPERF_PORT, "-B", NET_SERVER4, NULL});
	check(l, wait_until(actor_accepts, &port, patience(l, 10000)), "iperf3 listens");
	actor_run(l, true, 0,
		  (const char *const[]){program_find("iperf3"), "-c", NET_SERVER4, "-p", IPERF_PORT,
					"-n", l->is_short ? "300M" : "3G", "-J", NULL},
		  out, sizeof(out), 120000);
	process_end(server, SIGTERM, 10000);
	report = json_loads(out, 0, NULL);
	sent = report_bytes(report, "end.sum_sent.bytes");
	received = report_bytes(report, "end.sum_received.bytes");
	pair_check(l, &p);
	/* it may end with data unread: then the kernel took more than the program, and less than
	 * was sent */
	check(l,
	      received > 0 && p.s.counter[MR_BYTES_TO_SERVER] >= received &&
		      p.c.counter[MR_BYTES_TO_SERVER] <= sent + IPERF_CONTROL,
	      "iperf3 sent %" PRIu64 " and received %" PRIu64 "; seen %" PRIu64 " and %" PRIu64
	      " with its control connection",
	      sent, received, p.c.counter[MR_BYTES_TO_SERVER], p.s.counter[MR_BYTES_TO_SERVER]);
	if (p.s.counter[MR_RESET_BY_CLIENT] + p.s.counter[MR_RESET_BY_SERVER] == 0)
		check_equal(l, "bytes to server, both ends", p.c.counter[MR_BYTES_TO_SERVER],
			    p.s.counter[MR_BYTES_TO_SERVER]);
	json_decref(report);
	finish(l, &m);
	return verdict(l);
}

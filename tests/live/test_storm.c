/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As many short connections as this machine gives. wrk on nginx with a connection per request,
 * counted by nginx itself; and shapes of the load, counted byte by byte. Then the same with tables
 * that are far too small: names, addresses and ports may go, counts and bytes may not.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "load.h"
#include "load_report.h"
#include "millrace.h"
#include "nginx.h"
#include "run.h"

/* Ends of everything that was seen, by role. */
struct sums {
	const struct millrace *millrace;
	uint16_t port; /* 0: all */
	struct ends client, server;
	uint64_t want_opened; /* at each end, and closed */
};

static void sums_read(struct sums *s)
{
	json_t *answer = api_ends(s->millrace);

	ends_sum(answer, LOAD_CLIENT, NULL, s->port, &s->client);
	ends_sum(answer, LOAD_SERVER, NULL, s->port, &s->server);
	json_decref(answer);
}

static bool sums_settled(void *userdata)
{
	struct sums *s = userdata;

	sums_read(s);
	return s->client.counter[MR_CLOSED] >= s->want_opened &&
	       s->server.counter[MR_CLOSED] >= s->want_opened;
}

static void wrk_run(struct live *l, char *out, size_t size)
{
	char url[64];

	snprintf(url, sizeof(url), "http://" NET_SERVER4 ":%d/", NGINX_PORT);
	actor_run(l, true, 0,
		  (const char *const[]){program_find("wrk"), "-t", "1", "-c", "32", "-d",
					l->scale < 1 ? "3s" : "10s", "-H", "Connection: close", url,
					NULL},
		  out, size, 60000);
}

/* What wrk says of itself: "N requests in 3.00s". */
static unsigned long wrk_requests(const char *out)
{
	const char *line = strstr(out, " requests in");
	unsigned long n = 0;

	while (line && line > out && line[-1] >= '0' && line[-1] <= '9')
		line--;
	if (line)
		sscanf(line, "%lu", &n);
	return n;
}

static void storm_check(struct live *l, struct sums *s, uint64_t accepted)
{
	const uint64_t *c = s->client.counter, *v = s->server.counter;
	uint64_t lost = v[MR_BYTES_TO_CLIENT] - c[MR_BYTES_TO_CLIENT];

	check_equal(l, "client end: opened", accepted, c[MR_OPENED]);
	check_equal(l, "client end: closed", accepted, c[MR_CLOSED]);
	check_equal(l, "server end: opened", accepted, v[MR_OPENED]);
	check_equal(l, "server end: closed", accepted, v[MR_CLOSED]);
	check_equal(l, "bytes to server, client end against server end", c[MR_BYTES_TO_SERVER],
		    v[MR_BYTES_TO_SERVER]);
	check(l, lost <= 32 * 1000,
	      "bytes to client: sent %" PRIu64 ", received %" PRIu64 ", %" PRIu64
	      " on the way when wrk ended (32 connections of < 1 KB at most)",
	      v[MR_BYTES_TO_CLIENT], c[MR_BYTES_TO_CLIENT], lost);
}

static void losses_check(struct live *l, const struct millrace *m, const char *expected)
{
	char text[512];
	uint64_t n = api_losses(m, text, sizeof(text));

	if (!expected)
		check(l, n == 0, "completeness: nothing lost %s", text);
	else
		check(l, strstr(text, expected) && !strstr(text, "dropped"),
		      "completeness counts what it could not keep: %s", text);
}

static void storm_wrk(struct live *l, const char *const *arguments, const char *loss)
{
	struct nginx n;
	struct millrace m;
	struct sums s = {.millrace = &m, .port = NGINX_PORT};
	uint64_t a, b, c, start;
	char out[4096];

	if (!millrace_start(&m, l, arguments))
		return;
	if (nginx_start(&n, l, false)) {
		start = clock_ns();
		wrk_run(l, out, sizeof(out));
		s.want_opened = nginx_accepted(&n);
		say("wrk: %lu requests in %.1f s; nginx accepted %" PRIu64 " connections",
		    wrk_requests(out), (double)(clock_ns() - start) / 1e9, s.want_opened);
		wait_until(sums_settled, &s, 10000);
		storm_check(l, &s, s.want_opened);
		losses_check(l, &m, loss);
	}
	nginx_stop(&n, &a, &b, &c);
	millrace_stop(&m, 15);
}

static unsigned int shape_index(const char *name)
{
	for (unsigned int i = 0; i < load_shape_count; i++)
		if (strcmp(load_shapes[i].name, name) == 0)
			return i;
	return UINT_MAX;
}

/* Sums by role, of all processes and ports together. */
static void load_sums_check(struct live *l, const struct load *load, struct sums *s)
{
	static const enum mr_counter compared[] = {MR_OPENED, MR_CLOSED, MR_BYTES_TO_SERVER,
						   MR_BYTES_TO_CLIENT};
	static const char *const names[] = {"opened", "closed", "bytes to server",
					    "bytes to client"};
	char what[64];

	for (int role = LOAD_CLIENT; role <= LOAD_SERVER; role++)
		for (int i = 0; i < 4; i++) {
			const struct ends *e = role == LOAD_CLIENT ? &s->client : &s->server;

			snprintf(what, sizeof(what), "%s end: %s",
				 role == LOAD_CLIENT ? "client" : "server", names[i]);
			check_equal(l, what, load_sum(load, compared[i], role),
				    e->counter[compared[i]]);
		}
}

static void storm_load(struct live *l, const char *const *arguments, const char *loss)
{
	unsigned int pick[] = {shape_index("short4"),
			       shape_index("short6"),
			       shape_index("mapped"),
			       shape_index("loopback4"),
			       shape_index("long4"),
			       shape_index("empty"),
			       shape_index("half_client"),
			       shape_index("half_server"),
			       shape_index("drip"),
			       shape_index("fire"),
			       shape_index("rst_client"),
			       shape_index("rst_server"),
			       shape_index("reuseport"),
			       shape_index("forked"),
			       shape_index("exit"),
			       shape_index("sendfile"),
			       UINT_MAX};
	struct load load = {.net = &l->net,
			    .seed = l->seed,
			    .scale = l->scale * (l->is_short ? 0.3 : 1),
			    .pick = pick};
	struct millrace m;
	struct sums s = {.millrace = &m};

	if (!check(l, load_start(&load) == 0, "the load starts"))
		goto out;
	if (!millrace_start(&m, l, arguments))
		goto out;
	load_go(&load);
	load_wait(&load, patience(l, 120000));
	load_check(l, &load);
	say("load: %" PRIu64 " connections of 16 shapes", load_connections(&load));
	if (!loss) {
		load_compare(l, &load, &m);
	} else {
		s.want_opened = load_sum(&load, MR_CLOSED, LOAD_CLIENT);
		wait_until(sums_settled, &s, patience(l, 10000));
		load_sums_check(l, &load, &s);
		losses_check(l, &m, loss);
	}
	millrace_stop(&m, 15);
out:
	load_free(&load);
}

static enum verdict storm(struct live *l, const char *const *arguments, const char *loss)
{
	if (program_find("nginx") && program_find("wrk") && !l->whole_machine)
		storm_wrk(l, arguments, loss);
	else
		say("no nginx or wrk here: the load alone");
	storm_load(l, arguments, loss);
	return verdict(l);
}

enum verdict test_storm(struct live *l)
{
	return storm(l, NULL, NULL);
}

enum verdict test_storm_slots(struct live *l)
{
	return storm(l, (const char *const[]){"--slots", "16", NULL}, "slots_full");
}

/* wrk on nginx is few flows; the load's are many more than 8. */
enum verdict test_storm_flows(struct live *l)
{
	if (program_find("nginx") && program_find("wrk") && !l->whole_machine)
		storm_wrk(l, (const char *const[]){"--flows", "64", NULL}, NULL);
	storm_load(l, (const char *const[]){"--flows", "64", NULL}, "flows_full");
	return verdict(l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Real programs that count for themselves: nginx under wrk, iperf3. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "actor.h"
#include "nginx.h"
#include "pair.h"
#include "run.h"

#define IPERF_PORT    "24092"
#define IPERF_CONTROL 16384 /* bytes of its control connection, at most */

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
	if (!whole_start(l, &m))
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
	whole_finish(l, &m);
	return verdict(l);
}

static uint64_t report_bytes(const json_t *report, const char *path)
{
	return (uint64_t)json_integer_value(api_at(report, path));
}

/* The server may have closed well, and data that came later was answered by an RST that only the
 * client saw. */
static bool was_reset(const struct pair *p)
{
	return p->s.counter[MR_RESET_BY_CLIENT] || p->s.counter[MR_RESET_BY_SERVER] ||
	       p->c.counter[MR_RESET_BY_CLIENT] || p->c.counter[MR_RESET_BY_SERVER];
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
	if (!whole_start(l, &m))
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
	if (was_reset(&p))
		check(l, p.s.counter[MR_BYTES_TO_SERVER] <= p.c.counter[MR_BYTES_TO_SERVER],
		      "reset by an end with data under way: the server took no more than was sent");
	else
		check_equal(l, "bytes to server, both ends", p.c.counter[MR_BYTES_TO_SERVER],
			    p.s.counter[MR_BYTES_TO_SERVER]);
	json_decref(report);
	whole_finish(l, &m);
	return verdict(l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams of all kinds between two namespaces, softirqs on the other CPU, swaps 20 times a
 * second: what the programs' own calls said, at both ends, is what the API says, exactly.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "millrace.h"
#include "run.h"
#include "tracer.h"
#include "udp_load.h"

#define DATAGRAMS    1000000
#define PEERS        2000
#define OUTSIDER_MAX 1000000
#define FULL_BYTES   1400 /* of one datagram: none that finds the queue full is larger */

struct watched {
	const struct udp_load *load;
	const struct millrace *millrace;
	struct ends client[LANE_COUNT], server[LANE_COUNT];
	uint64_t untold; /* drops at the full queue of which the kernel told no tracer */
};

static bool end_agrees(const struct ends *e, const struct udp_tally *t, int to_server_is_sent)
{
	int sent = !to_server_is_sent, received = to_server_is_sent;

	return e->counter[MR_DATAGRAMS_TO_SERVER + sent] >= t->sent &&
	       e->counter[MR_DATAGRAMS_TO_SERVER + received] >= t->received;
}

static bool all_counted(void *userdata)
{
	struct watched *w = userdata;
	json_t *answer = api_ends(w->millrace);
	bool agrees = true;

	for (int lane = 0; lane < LANE_COUNT; lane++) {
		uint16_t port = udp_lane_port((enum udp_lane)lane);

		ends_sum(answer, LOAD_CLIENT, "udp-client", port, &w->client[lane]);
		ends_sum(answer, LOAD_SERVER, "udp-server", port, &w->server[lane]);
		agrees = agrees &&
			 w->server[lane].counter[MR_DROPPED_TO_SERVER] >=
				 udp_tally(w->load, (enum udp_lane)lane, false)->dropped -
					 (lane == LANE_FULL ? w->untold : 0) &&
			 end_agrees(&w->client[lane], udp_tally(w->load, (enum udp_lane)lane, true),
				    true) &&
			 end_agrees(&w->server[lane],
				    udp_tally(w->load, (enum udp_lane)lane, false), false);
	}
	json_decref(answer);
	return agrees;
}

static void compare(struct live *l, const char *lane, const char *what, uint64_t told,
		    uint64_t seen)
{
	char text[96];

	snprintf(text, sizeof(text), "%s, %s", lane, what);
	if (told || seen)
		check_equal(l, text, told, seen);
}

/* Drops at a full queue that are told to no tracer stand as received. */
static void compare_lane(struct live *l, const struct watched *w, enum udp_lane lane)
{
	const uint64_t *c = w->client[lane].counter, *s = w->server[lane].counter;
	const struct udp_tally *client = udp_tally(w->load, lane, true);
	const struct udp_tally *server = udp_tally(w->load, lane, false);
	uint64_t untold = lane == LANE_FULL ? w->untold : 0;
	const char *name = udp_lane_names[lane];

	compare(l, name, "client sent, datagrams", client->sent, c[MR_DATAGRAMS_TO_SERVER]);
	compare(l, name, "client sent, bytes", client->sent_bytes, c[MR_BYTES_TO_SERVER]);
	compare(l, name, "client received, datagrams", client->received, c[MR_DATAGRAMS_TO_CLIENT]);
	compare(l, name, "client received, bytes", client->received_bytes, c[MR_BYTES_TO_CLIENT]);
	compare(l, name, "server received, datagrams", server->received + untold,
		s[MR_DATAGRAMS_TO_SERVER]);
	if (untold)
		check(l, s[MR_BYTES_TO_SERVER] - server->received_bytes <= untold * FULL_BYTES,
		      "%s, server received: no more bytes than were told to no tracer", name);
	else
		compare(l, name, "server received, bytes", server->received_bytes,
			s[MR_BYTES_TO_SERVER]);
	compare(l, name, "server sent, datagrams", server->sent, s[MR_DATAGRAMS_TO_CLIENT]);
	compare(l, name, "server sent, bytes", server->sent_bytes, s[MR_BYTES_TO_CLIENT]);
	compare(l, name, "server's queue was full, datagrams", server->dropped - untold,
		s[MR_DROPPED_TO_SERVER]);
}

/* Nothing that these programs did may be under another role or another process. */
static void nothing_astray(struct live *l, const struct millrace *m)
{
	json_t *answer = api_ends(m);
	struct ends e;

	for (int lane = 0; lane < LANE_COUNT; lane++) {
		uint16_t port = udp_lane_port((enum udp_lane)lane);
		uint64_t known, all;

		ends_sum(answer, LOAD_CLIENT, NULL, port, &e);
		all = e.rows;
		ends_sum(answer, LOAD_CLIENT, "udp-client", port, &e);
		known = e.rows;
		ends_sum(answer, LOAD_SERVER, NULL, port, &e);
		all += e.rows;
		ends_sum(answer, LOAD_SERVER, "udp-server", port, &e);
		known += e.rows;
		if (all != known)
			check(l, false,
			      "%s: %" PRIu64 " of %" PRIu64 " rows have the right process",
			      udp_lane_names[lane], known, all);
	}
	json_decref(answer);
}

static void check_edge(struct live *l, const struct millrace *m)
{
	json_t *graph;
	const json_t *edge =
		api_edge(m, "udp-client", "udp-server", udp_lane_port(LANE_MIXED4), &graph);

	check(l, edge && !strcmp(api_string(edge, "transport"), "udp"),
	      "the graph has the edge udp-client -> udp-server, udp");
	check(l, edge && json_is_null(json_object_get(edge, "connections")),
	      "it has no connections");
	check(l, edge && json_is_object(json_object_get(edge, "server_view")),
	      "both ends are one edge");
	json_decref(graph);
}

/* What the running agent says that serves. */
static bool hooks_have(const struct millrace *m, const char *text)
{
	json_t *answer = NULL;
	bool found;

	api_get(m, "/api/v1/agents", NULL, &answer);
	found = strstr(api_string(json_array_get(json_object_get(answer, "agents"), 0), "hooks"),
		       text);
	json_decref(answer);
	return found;
}

static void exchange(struct live *l, struct udp_load *u, struct millrace *m)
{
	struct watched w = {.load = u, .millrace = m};
	uint64_t start = clock_ns();
	struct tracer tracer;
	char text[512];
	bool ended;

	tracer_open(&tracer, TRACER_QUEUE_FULL, NULL);
	ended = check(l, udp_load_go(u, l) && udp_load_wait(u, l),
		      "both programs came to their end");
	w.untold = tracer_untold(&tracer, udp_tally(u, LANE_FULL, false)->dropped);
	tracer_close(&tracer);
	if (!ended)
		return;
	say("they ran %.1f s", (double)(clock_ns() - start) / 1e9);
	if (w.untold)
		say("of %" PRIu64 " drops at the full queue the kernel told no tracer", w.untold);
	wait_until(all_counted, &w, patience(l, 8000));
	for (int lane = 0; lane < LANE_COUNT; lane++)
		compare_lane(l, &w, (enum udp_lane)lane);
	say("the kernel at the server: RcvbufErrors %lld, MemErrors %lld, InErrors %lld",
	    net_snmp(&l->net, l->net.server, "Udp:", "RcvbufErrors"),
	    net_snmp(&l->net, l->net.server, "Udp:", "MemErrors"),
	    net_snmp(&l->net, l->net.server, "Udp:", "InErrors"));
	check(l, udp_tally(u, LANE_FULL, false)->dropped > 0, "the full queue dropped");
	nothing_astray(l, m);
	check_edge(l, m);
	check(l, api_losses(m, text, sizeof(text)) == 0, "completeness: nothing lost %s", text);
}

/* A socket of nobody's cgroup whose queue is full all the time: none of what it drops is ours. */
static pid_t outsider_start(struct live *l)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	pid_t pid = fork();
	int receiver, sender;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	if (net_enter(l->net.server))
		_exit(1);
	receiver = socket(AF_INET, SOCK_DGRAM, 0);
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &(int){1}, sizeof(int));
	if (bind(receiver, (struct sockaddr *)&a, size) ||
	    getsockname(receiver, (struct sockaddr *)&a, &size))
		_exit(1);
	for (unsigned int i = 0; i < OUTSIDER_MAX; i++) {
		sendto(sender, "nobody's", 8, 0, (struct sockaddr *)&a, size);
		pause_us(500);
	}
	_exit(0);
}

static enum verdict run_with(struct live *l, const char *hook)
{
	struct udp_load u = {.seed = l->seed,
			     .datagrams = scaled(l, l->is_short ? DATAGRAMS / 10 : DATAGRAMS, 2000),
			     .peers = scaled(l, l->is_short ? PEERS / 4 : PEERS, 40)};
	const char *arguments[] = {"--window",
				   "50ms",
				   "--cpu-budget",
				   "100",
				   "--flows",
				   "16384",
				   hook ? "--udp-hook" : NULL,
				   hook,
				   NULL};
	struct millrace m;
	pid_t outsider = outsider_start(l);

	if (!check(l, udp_load_start(&u, l), "the load starts"))
		goto out;
	if (!millrace_start(&m, l, arguments))
		goto out;
	say("%u datagrams, %u peers, by %s", u.datagrams, u.peers,
	    hooks_have(&m, "fentry") ? "fentry" : "cgroup_skb");
	exchange(l, &u, &m);
	check_equal(l, "exit status after SIGTERM", 0, (uint64_t)millrace_stop(&m, SIGTERM));
out:
	udp_load_end(&u);
	process_end(outsider, SIGKILL, 1000);
	return verdict(l);
}

enum verdict test_udp(struct live *l)
{
	return run_with(l, NULL);
}

/* Where fentry serves, the other kind of hook has to be as exact. */
enum verdict test_udp_packets(struct live *l)
{
	char out[8192];
	int r = run(&(struct spawn){0}, (const char *const[]){l->millrace, "check", "--json", NULL},
		    out, sizeof(out), patience(l, 20000));
	json_t *answer = r < 0 ? NULL : json_loads(out, 0, NULL), *feature;
	bool fentry = false;
	size_t i;

	json_array_foreach (json_object_get(answer, "features"), i, feature)
		fentry |= !strcmp(api_string(feature, "name"), "fentry") &&
			  json_is_true(json_object_get(feature, "works"));
	json_decref(answer);
	if (!fentry)
		return skip(l, "no fentry here: udp has tested cgroup_skb");
	return run_with(l, "cgroup_skb");
}

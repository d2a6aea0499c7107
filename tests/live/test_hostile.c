/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server has to bear: bodies that are damaged, huge, bombs, sent again changed, of another
 * schema, in another's name; wrong credentials; slow and many connections. Each is refused with a
 * status and a reason, and counted; meanwhile a good agent goes on, exactly.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster.h"
#include "run.h"
#include "sink.h"

#define PORT         18500
#define PATH         "/api/v1/batches"
#define TYPE         "application/x-millrace"
#define HUGE_SIZE    (6u << 20)
#define CHUNKED_SIZE (9u << 19) /* not much more than may be: the rest is read, and answered */
#define BOMB_SIZE    (60u << 20)
#define FLIPS        300
#define CROWD        1500
#define CROWD_MS     5000
#define UNKNOWN_END  "\xc0\x3e\x01" /* field 1000, a number: read by nobody */

struct hostile {
	struct cluster cluster;
	struct caught ghost, newer, impostor; /* an agent's; its next life's; of a taken name */
	uint64_t random;
	unsigned int refused;
};

static uint64_t any(struct hostile *h, uint64_t below)
{
	h->random ^= h->random << 13;
	h->random ^= h->random >> 7;
	h->random ^= h->random << 17;
	return h->random % below;
}

static struct post post_of(const struct caught *k)
{
	return (struct post){.path = PATH,
			     .token = CLUSTER_TOKEN_AGENTS,
			     .now = k->now,
			     .type = TYPE,
			     .body = k->body,
			     .size = k->size};
}

/* A refusal says why, as JSON. */
static void expect(struct hostile *h, const char *what, const struct post *p, int wanted,
		   int or_wanted)
{
	char text[1000];
	int status = post_send(&h->cluster.server, p, text, sizeof(text));
	json_t *answer = json_loads(text, 0, NULL);
	const char *why = api_string(answer, "error");

	check(h->cluster.live, (status == wanted || status == or_wanted) && (status < 300 || *why),
	      "%s: %d %s%s", what, status, why, status == wanted ? "" : " (another was expected)");
	h->refused += status >= 400;
	json_decref(answer);
}

/* In its own frame, changed by one that knows what it does. */
static void expect_content(struct hostile *h, const char *what, const struct caught *k,
			   uint8_t *content, size_t size, int wanted)
{
	struct post p = post_of(k);
	uint8_t *frame = frame_make(content, size, true, &p.size);

	p.body = frame;
	expect(h, what, &p, wanted, wanted);
	free(frame);
}

static void credentials(struct hostile *h)
{
	struct post p = post_of(&h->ghost);
	struct millrace as = h->cluster.server;

	p.token = NULL;
	expect(h, "no token", &p, 401, 401);
	p.token = "a-token-that-nobody-has-given";
	expect(h, "an unknown token", &p, 401, 401);
	p.token = CLUSTER_TOKEN_READERS;
	expect(h, "a reader's token", &p, 403, 403);
	as.token = CLUSTER_TOKEN_AGENTS;
	check_equal(h->cluster.live, "an agent's token asks for the graph", 403,
		    (uint64_t)api_get(&as, "/api/v1/graph", NULL, NULL));
	as.token = NULL;
	check_equal(h->cluster.live, "no token asks for the graph", 401,
		    (uint64_t)api_get(&as, "/api/v1/graph", NULL, NULL));
	as.token = CLUSTER_TOKEN_READERS;
	check_equal(h->cluster.live, "GET of batches", 405,
		    (uint64_t)api_get(&as, PATH, NULL, NULL));
}

static void headers(struct hostile *h)
{
	struct post p = post_of(&h->ghost);

	p.type = "application/json";
	expect(h, "another content type", &p, 415, 415);
	p = post_of(&h->ghost);
	p.now = "";
	expect(h, "no clock", &p, 400, 400);
	p.now = "yesterday";
	expect(h, "a clock that is no number", &p, 400, 400);
	p.now = "1";
	expect(h, "a clock before the window's end", &p, 400, 422);
}

static void bodies(struct hostile *h)
{
	struct post p = post_of(&h->ghost);
	uint8_t *large = calloc(1, BOMB_SIZE), *frame;

	p.size = 0;
	expect(h, "an empty body", &p, 400, 400);
	p.size = h->ghost.size / 2;
	expect(h, "half a body", &p, 400, 400);
	p.body = "GET / HTTP/1.1\r\n\r\n";
	p.size = 18;
	expect(h, "another protocol as body", &p, 400, 400);
	for (size_t i = 0; i < HUGE_SIZE; i++)
		large[i] = (uint8_t)any(h, 256);
	p.body = large;
	p.size = HUGE_SIZE;
	expect(h, "a huge body", &p, 413, 413);
	p.chunked = true;
	p.size = CHUNKED_SIZE;
	expect(h, "a huge body of unknown length", &p, 413, 413);
	memset(large, 0, BOMB_SIZE);
	p = post_of(&h->ghost);
	frame = frame_make(large, BOMB_SIZE, true, &p.size);
	p.body = frame;
	expect(h, "a zstd bomb", &p, 413, 400);
	free(frame);
	frame = frame_make(large, BOMB_SIZE, false, &p.size);
	p.body = frame;
	expect(h, "a zstd bomb that does not say how large it is", &p, 400, 413);
	free(frame);
	free(large);
}

static void schema(struct hostile *h)
{
	size_t size;
	uint8_t *content = frame_open(h->ghost.body, h->ghost.size, &size);

	if (!check(h->cluster.live, content && size > 2 && content[0] == 8 && content[1] == 1,
		   "a batch begins with its version"))
		return;
	content[1] = 99;
	expect_content(h, "another version of the schema", &h->ghost, content, size, 422);
	free(content);
}

/* The same bytes again are an answer that was lost; other bytes are a lie. */
static void replays(struct hostile *h)
{
	struct post p = post_of(&h->ghost);
	size_t size;
	uint8_t *content = frame_open(h->ghost.body, h->ghost.size, &size), *longer;

	expect(h, "a good batch", &p, 204, 200);
	expect(h, "the same again", &p, 204, 200);
	longer = content ? malloc(size + sizeof(UNKNOWN_END) - 1) : NULL;
	if (longer) {
		memcpy(longer, content, size);
		memcpy(longer + size, UNKNOWN_END, sizeof(UNKNOWN_END) - 1);
		expect_content(h, "the same sequence with other bytes", &h->ghost, longer,
			       size + sizeof(UNKNOWN_END) - 1, 422);
	}
	expect(h, "the first once more", &p, 204, 200);
	p = post_of(&h->newer);
	expect(h, "a newer life", &p, 204, 200);
	p = post_of(&h->ghost);
	expect(h, "the older life again", &p, 410, 410);
	p = post_of(&h->impostor);
	expect(h, "another machine under the good agent's name", &p, 403, 403);
	free(longer);
	free(content);
}

/* Bits flipped in the frame, which its checksum tells, and behind it, which nothing tells. */
static void flips(struct hostile *h, bool behind)
{
	struct post p = post_of(&h->newer);
	unsigned int of[6] = {0};
	char text[1000];
	size_t size;

	for (int i = 0; i < FLIPS; i++) {
		uint8_t *content = behind ? frame_open(h->newer.body, h->newer.size, &size)
					  : malloc(size = h->newer.size);
		uint8_t *frame = NULL;
		int status;

		if (!behind)
			memcpy(content, h->newer.body, size);
		for (uint64_t n = 1 + any(h, 8); n; n--)
			content[any(h, size)] ^= (uint8_t)(1u << any(h, 8));
		p.body = content;
		p.size = size;
		if (behind)
			p.body = frame = frame_make(content, size, true, &p.size);
		status = post_send(&h->cluster.server, &p, text, sizeof(text));
		of[status > 0 && status < 600 ? status / 100 : 0]++;
		h->refused += status >= 400;
		free(frame);
		free(content);
	}
	check(h->cluster.live, of[0] + of[5] == 0 && of[4] + of[2] == FLIPS && (behind || !of[2]),
	      "%d with bits flipped %s: %u refused, %u taken, %u without a clear answer", FLIPS,
	      behind ? "inside of a good frame" : "on their way", of[4], of[2], of[0] + of[5]);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	connect(fd, (struct sockaddr *)&a, sizeof(a));
	return fd;
}

static bool is_answered(void *userdata)
{
	return api_get(userdata, "/api/v1/agents", NULL, NULL) == 200;
}

/* Half of them say nothing at all, half a byte of a body at a time. */
static void crowd(struct hostile *h)
{
	static const char head[] = "POST " PATH " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				   "Authorization: Bearer " CLUSTER_TOKEN_AGENTS "\r\n"
				   "Content-Type: " TYPE "\r\nMillrace-Now: 1\r\n"
				   "Content-Length: 100000\r\n\r\n";
	struct rlimit files, more = {CROWD + 100, CROWD + 100};
	static int fd[CROWD];
	uint64_t end;

	getrlimit(RLIMIT_NOFILE, &files);
	more.rlim_max = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more)) {
		say("skipped: no %d descriptors here", CROWD);
		return;
	}
	for (int i = 0; i < CROWD; i++)
		fd[i] = connect_to(h->cluster.server.port);
	pause_us(100000);
	end = clock_ns() + CROWD_MS * 1000000ull;
	for (int i = 0; i < CROWD; i += 2)
		send(fd[i], head, sizeof(head) - 1, MSG_NOSIGNAL);
	while (clock_ns() < end) {
		for (int i = 0; i < CROWD; i += 2)
			send(fd[i], "x", 1, MSG_NOSIGNAL);
		pause_us(100000);
	}
	check(h->cluster.live,
	      wait_until(is_answered, &h->cluster.server, patience(h->cluster.live, 20000)),
	      "a reader is answered beside %d connections that are slow or idle", CROWD);
	for (int i = 0; i < CROWD; i++)
		close(fd[i]);
	setrlimit(RLIMIT_NOFILE, &files);
}

static void check_counted(struct hostile *h)
{
	json_t *answer = NULL, *value;
	const char *name;
	uint64_t sum = 0;

	api_get(&h->cluster.server, "/api/v1/agents", NULL, &answer);
	json_object_foreach (json_object_get(json_object_get(answer, "server"), "intake"), name,
			     value)
		sum += strncmp(name, "refused", 7) == 0 ? (uint64_t)json_number_value(value) : 0;
	check(h->cluster.live, sum > 0 && sum >= h->refused / 2, "counted: %llu refused, of %u",
	      (unsigned long long)sum, h->refused);
	json_decref(answer);
}

static bool catch_all(struct hostile *h)
{
	struct cluster_node *n = &h->cluster.node[1];

	bool good = agent_catch(n, "ghost", false, &h->ghost) &&
		    agent_catch(n, "ghost", false, &h->newer) &&
		    agent_catch(n, "node-a", true, &h->impostor);

	return check(h->cluster.live, good, "agents' first batches, caught: %zu, %zu and %zu bytes",
		     h->ghost.size, h->newer.size, h->impostor.size);
}

static void attack(struct hostile *h)
{
	credentials(h);
	headers(h);
	bodies(h);
	schema(h);
	replays(h);
	flips(h, false);
	if (!h->cluster.live->failures)
		flips(h, true);
	crowd(h);
	check_counted(h);
}

static void run_hostile(struct hostile *h)
{
	struct cluster *c = &h->cluster;
	struct traffic t = {0}, *all[] = {&t};
	struct traffic_way way = {.client = "good",
				  .server = "good-db",
				  .from = cluster_place(&c->node[0]),
				  .to = cluster_place(&c->node[0]),
				  .address = "127.0.0.1",
				  .port = PORT,
				  .pause_us = 3000};

	if (traffic_start(&t, c->live, &way)) {
		attack(h);
		traffic_stop(&t, c->live);
		cluster_exact(c, all, 1, 30000, NULL);
		check(c->live, millrace_alive(&c->server) && agent_alive(&c->node[0]),
		      "server and agent have lived through it");
	}
	traffic_end(&t);
}

enum verdict test_hostile(struct live *l)
{
	struct hostile *h = calloc(1, sizeof(*h));
	struct cluster *c;

	if (!h)
		return FAIL;
	h->random = l->seed * 2 + 1;
	c = &h->cluster;
	if (cluster_open(c, l, 2, false)) {
		cluster_tokens(c, true);
		if (catch_all(h) && cluster_server_start(c) && agent_start(&c->node[0]) &&
		    cluster_reporting(c, 1, 30000))
			run_hostile(h);
	}
	cluster_close(c);
	caught_free(&h->ghost);
	caught_free(&h->newer);
	caught_free(&h->impostor);
	free(h);
	return verdict(l);
}

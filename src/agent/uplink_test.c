/* SPDX-License-Identifier: Apache-2.0 */
/* The real thread and the real HTTP, against a small server on loopback that misbehaves on purpose.
 */
#include "agent/uplink.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/sink_for_test.h"
#include "wire/life_for_test.h"

#define PATIENCE_S 20

struct world {
	struct sink sink;
	/* under the sink's lock */
	unsigned int requests, sweeps, changes;
	char problem[512];
};

static void on_request(void *userdata, const struct wire_request *request)
{
	struct world *w = userdata;

	pthread_mutex_lock(&w->sink.lock);
	w->requests += request->id == 7 && request->connections_max == 10;
	pthread_cond_broadcast(&w->sink.changed);
	pthread_mutex_unlock(&w->sink.lock);
}

static void on_sweep_now(void *userdata)
{
	struct world *w = userdata;

	pthread_mutex_lock(&w->sink.lock);
	w->sweeps++;
	pthread_cond_broadcast(&w->sink.changed);
	pthread_mutex_unlock(&w->sink.lock);
}

static void on_change(void *userdata, const char *problem)
{
	struct world *w = userdata;

	pthread_mutex_lock(&w->sink.lock);
	snprintf(w->problem, sizeof(w->problem), "%s", problem);
	w->changes++;
	pthread_cond_broadcast(&w->sink.changed);
	pthread_mutex_unlock(&w->sink.lock);
}

static struct uplink *open_uplink(struct world *w, const char *token_file)
{
	const struct uplink_config config = {
		.server = {.server = w->sink.url, .token_file = token_file},
		.on_request = on_request,
		.on_sweep_now = on_sweep_now,
		.on_change = on_change,
		.userdata = w};
	struct error error = {""};
	struct uplink *u;

	if (uplink_open(&u, &config, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(uplink_start(u), 0);
	return u;
}

/* Until the condition holds, which is looked at when something changed. */
#define WAIT_FOR(w, condition)                                                                     \
	do {                                                                                       \
		struct timespec until;                                                             \
                                                                                                   \
		clock_gettime(CLOCK_REALTIME, &until);                                             \
		until.tv_sec += PATIENCE_S;                                                        \
		pthread_mutex_lock(&(w)->sink.lock);                                               \
		while (!(condition))                                                               \
			if (pthread_cond_timedwait(&(w)->sink.changed, &(w)->sink.lock, &until))   \
				fail_msg("waited for " #condition);                                \
		pthread_mutex_unlock(&(w)->sink.lock);                                             \
	} while (0)

static void world_init(struct world *w)
{
	*w = (struct world){.changes = 0};
	sink_init(&w->sink);
}

static void world_done(struct world *w)
{
	sink_done(&w->sink);
}

static void submit(struct uplink *u, struct life *life, struct book *said)
{
	struct wire_batch *b = life_window(life);

	book_add(said, b);
	uplink_submit(u, b);
}

static void all_arrives_over_one_connection(void **state)
{
	struct uplink_figures figures;
	struct wire_answer *answer;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;

	world_init(&w);
	book_init(&said);
	life_init(&life, 1);
	u = open_uplink(&w, NULL);
	for (unsigned int i = 1; i <= 10; i++) {
		submit(u, &life, &said);
		WAIT_FOR(&w, w.sink.sequence == i);
	}
	WAIT_FOR(&w, w.requests == 5 && w.sweeps == 5);
	answer = wire_answer_new();
	answer->id = 7;
	uplink_answer(u, answer);
	WAIT_FOR(&w, w.sink.answer_id == 7);
	uplink_stop(u, &figures);
	assert_int_equal(figures.sent, 10);
	assert_int_equal(w.sink.connections, 1);
	assert_string_equal(w.problem, "");
	assert_int_equal(w.changes, 1);
	assert_string_equal(w.sink.headers, "Host Content-Type Millrace-Now Content-Length ");
	assert_true(w.sink.clock_ns > 0);
	assert_null(book_difference(&said, &w.sink.book, false));
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

static void what_is_wrong_is_said_once(void **state)
{
	struct uplink_figures figures;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;
	char expected[128];

	world_init(&w);
	book_init(&said);
	life_init(&life, 2);
	w.sink.status = 503;
	u = open_uplink(&w, NULL);
	submit(u, &life, &said);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.sink.posts == 3);
	w.sink.url[strlen(w.sink.url) - 1] = '\0';
	snprintf(expected, sizeof(expected), "%s answers 503: it is not to be", w.sink.url);
	assert_string_equal(w.problem, expected);
	assert_int_equal(w.changes, 1);
	pthread_mutex_lock(&w.sink.lock);
	w.sink.status = 0;
	pthread_mutex_unlock(&w.sink.lock);
	WAIT_FOR(&w, w.sink.sequence == 2);
	uplink_stop(u, &figures);
	assert_int_equal(w.changes, 2);
	assert_string_equal(w.problem, "");
	assert_null(book_difference(&said, &w.sink.book, false));
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

/* The server goes and comes back at the same place. */
static void a_server_that_was_away_gets_it_all(void **state)
{
	struct uplink_figures figures;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;
	uint16_t port;

	world_init(&w);
	book_init(&said);
	life_init(&life, 3);
	port = sink_port(&w.sink);
	u = open_uplink(&w, NULL);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.sink.sequence == 1);
	sink_stop(&w.sink);
	for (unsigned int i = 0; i < 30; i++)
		submit(u, &life, &said);
	WAIT_FOR(&w, w.problem[0]);
	assert_non_null(strstr(w.problem, "cannot reach http://127.0.0.1:"));
	sink_start(&w.sink, port);
	WAIT_FOR(&w, !w.problem[0]);
	uplink_stop(u, &figures);
	assert_int_equal(figures.pending_windows, 0);
	assert_true(w.sink.sequence == 3 ||
		    w.sink.sequence == 2); /* the first answer may be lost */
	assert_null(book_difference(&said, &w.sink.book, false));
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

/* At the end nobody waits for ever, and what is left is known. */
static void the_end_comes_in_time(void **state)
{
	struct uplink_figures figures;
	struct timespec begin, end;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;

	world_init(&w);
	book_init(&said);
	life_init(&life, 4);
	sink_stop(&w.sink);
	u = open_uplink(&w, NULL);
	for (unsigned int i = 0; i < 3; i++)
		submit(u, &life, &said);
	WAIT_FOR(&w, w.problem[0]);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	uplink_stop(u, &figures);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec >= UPLINK_END_MS / 1000 - 1);
	assert_true(end.tv_sec - begin.tv_sec < PATIENCE_S);
	assert_int_equal(figures.pending_windows, 2);
	assert_int_equal(figures.undelivered_windows, 3);
	uplink_free(u);
	book_done(&said);
	world_done(&w);
}

static void a_new_token_is_used(void **state)
{
	char path[] = "/tmp/millrace-token-XXXXXX";
	int fd = mkstemp(path);
	struct uplink_figures figures;
	struct life life;
	struct book said;
	struct world w;
	struct uplink *u;

	world_init(&w);
	book_init(&said);
	life_init(&life, 5);
	assert_true(write(fd, "first-token-of-16\n", 18) == 18);
	u = open_uplink(&w, path);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.sink.sequence == 1);
	assert_string_equal(w.sink.authorization, "Bearer first-token-of-16");
	assert_true(write(fd, "not the first\n", 14) == 14);
	assert_true(pwrite(fd, "other", 5, 0) == 5);
	submit(u, &life, &said);
	WAIT_FOR(&w, w.sink.sequence == 2);
	assert_string_equal(w.sink.authorization, "Bearer other-token-of-16");
	uplink_stop(u, &figures);
	uplink_free(u);
	close(fd);
	unlink(path);
	book_done(&said);
	world_done(&w);
}

static void what_cannot_be_used_is_refused_at_once(void **state)
{
	static const struct {
		struct poster_config config;
		int code;
		const char *words;
	} tries[] = {
		{{.server = "nowhere"}, -EINVAL, "not a URL"},
		{{.server = "ftp://nowhere"}, -EINVAL, "not a URL"},
		{{.server = ""}, -EINVAL, "not a URL"},
		{{.server = "http://x", .token_file = "/none"}, -ENOENT, "the token file /none"},
		{{.server = "http://x", .token_file = "/etc/hostname"}, -EINVAL, "no token of 16"},
		{{.server = "http://x", .ca = "/none"}, -ENOENT, "the certificates to trust"},
		{{.server = "http://x", .cert = "/none"}, -ENOENT, "the certificate /none"},
		{{.server = "http://x", .key = "/none"}, -ENOENT, "the certificate's key"},
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		struct error error = {""};
		struct poster *p = NULL;

		assert_int_equal(poster_new(&p, &tries[i].config, &error), tries[i].code);
		if (!strstr(error.text, tries[i].words))
			fail_msg("\"%s\" does not say \"%s\"", error.text, tries[i].words);
		assert_null(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_arrives_over_one_connection),
		cmocka_unit_test(what_is_wrong_is_said_once),
		cmocka_unit_test(a_server_that_was_away_gets_it_all),
		cmocka_unit_test(the_end_comes_in_time),
		cmocka_unit_test(a_new_token_is_used),
		cmocka_unit_test(what_cannot_be_used_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

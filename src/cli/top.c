/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `millrace top`: the first answer decides whether to begin at all; then a loop of keys, answers
 * and drawing until q or a signal.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "output.h"
#include "top_source.h"
#include "top_terminal.h"

#define SPAN_DEFAULT_S 10
#define TICK_MS        1000

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

/* Without SA_RESTART: poll() ends, and the loop sees why. */
static void watch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int set_text(char *to, size_t size, const char *text, const char *what,
		    struct error *ret_error)
{
	if ((size_t)snprintf(to, size, "%s", text ? text : "") < size)
		return 0;
	return error_set(ret_error, -EINVAL,
			 "cannot use this %s: it is longer than %zu bytes; "
			 "give a shorter one",
			 what, size - 1);
}

static int read_arguments(struct top_view *v, const struct arguments *a, struct error *ret_error)
{
	int r;

	v->question.span_s = a->span_ns ? round((double)a->span_ns / 1e9) : SPAN_DEFAULT_S;
	if (a->span_ns && a->span_ns < UINT64_C(1000000000))
		return error_set(ret_error, -EINVAL,
				 "cannot show the last %g s: no window is that short; give --span "
				 "1s or more",
				 (double)a->span_ns / 1e9);
	r = set_text(v->question.group, sizeof(v->question.group), a->group ? a->group : "workload",
		     "--group", ret_error);
	if (!r)
		r = set_text(v->question.filter, sizeof(v->question.filter), a->filter, "--filter",
			     ret_error);
	if (!r && a->sort && top_sort_parse(a->sort, &v->sort) < 0)
		r = error_set(ret_error, -EINVAL,
			      "cannot sort by \"%.40s\": expected " TOP_SORT_EXPECTED, a->sort);
	if (!r && a->json && !a->once)
		r = error_set(ret_error, -EINVAL,
			      "cannot draw JSON: give --once --json for one table, or take "
			      "/api/v1/stream for more");
	return r;
}

static void take_news(struct top_view *v, struct top_source *source)
{
	struct top_news news;

	if (!top_source_take(source, &news))
		return;
	if (!news.r)
		top_view_take(v, &news.table, news.number);
	else
		top_view_fail(v, news.error.text, news.r == -EINVAL, news.number,
			      (double)time(NULL));
}

static void draw(struct top_terminal *t, struct top_view *v, const struct server_access *server)
{
	struct top_moment m = {.now_s = (double)time(NULL), .server = server->url};
	time_t now = time(NULL);
	struct tm parts;
	char clock[16] = "";

	if (localtime_r(&now, &parts))
		strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
	m.clock = clock;
	top_terminal_draw(t, v, &m);
}

/* False: the terminal is gone. */
static bool wait_for_anything(const struct top_source *source)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = top_source_fd(source), .events = POLLIN}};

	if (poll(fds, 2, TICK_MS) < 0)
		return errno == EINTR;
	return !(fds[0].revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void loop(struct top_terminal *t, struct top_view *v, struct top_source *source,
		 const struct server_access *server)
{
	bool alive = true;
	int key;

	while (alive && !v->quit && !stop_signal) {
		draw(t, v, server);
		alive = wait_for_anything(source);
		while ((key = top_terminal_key(t)) >= 0)
			top_view_key(v, key);
		top_source_set(source, &v->question);
		take_news(v, source);
		top_source_set(source, &v->question);
	}
}

static int watch(struct top_view *v, const struct server_access *server, struct error *ret_error)
{
	struct top_terminal *terminal = NULL;
	struct top_source *source = NULL;
	int r = top_terminal_open(&terminal, ret_error);

	if (r < 0)
		return r;
	watch_signals();
	r = top_source_start(&source, server, &v->question);
	if (!r)
		loop(terminal, v, source, server);
	top_terminal_close(terminal);
	top_source_stop(source);
	if (r < 0)
		error_set(ret_error, r, "cannot start a thread: %s; free some memory",
			  strerror(-r));
	return r;
}

static int show_once(const struct top_view *v, const struct arguments *a, struct error *ret_error)
{
	struct table_style style = output_style();

	return output_result(a->json ? top_write_json(v, stdout)
				     : top_write_text(v, &style, stdout),
			     a->server.url, ret_error);
}

int top_run(const struct arguments *a, struct error *ret_error)
{
	struct top_view *v = calloc(1, sizeof(*v));
	struct top_table table;
	int r = v ? read_arguments(v, a, ret_error)
		  : error_set(ret_error, -ENOMEM, "cannot start: out of memory; free some");

	if (!r)
		r = top_ask(&a->server, &v->question, &table, ret_error);
	if (!r) {
		top_view_take(v, &table, v->question.number);
		r = a->once ? show_once(v, a, ret_error) : watch(v, &a->server, ret_error);
	}
	if (v)
		top_view_done(v);
	free(v);
	return client_exit_code(r);
}

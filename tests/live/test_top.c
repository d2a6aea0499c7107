/* SPDX-License-Identifier: Apache-2.0 */
/* `millrace top` in a terminal, against real traffic: what a person sees at 80 and 200 columns,
 * what keys do, a server that goes and comes back, names that would break a terminal. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "run.h"
#include "screen.h"

#define PORT           23500
#define NOBODY_PORT    23501
#define PIECE_SIZE     12000 /* a hundred times a second: 1.2 MB/s */
#define PIECE_PAUSE    10000
#define BYTES_A_SECOND (PIECE_SIZE * (1000000.0 / PIECE_PAUSE))
#define HOSTILE        "e\033[2J\033]0;x\a" /* clears the screen, sets the title, rings */
#define TERM_USED      "xterm-256color"

struct cast {
	struct live *live;
	struct millrace millrace;
	pid_t server, client, refused, hostile;
	char url[64];
};

static void drain_all(int listener)
{
	for (;;) {
		static char bytes[65536];
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && fork() == 0) {
			while (read(fd, bytes, sizeof(bytes)) > 0)
				;
			_exit(0);
		}
		close(fd);
	}
}

static pid_t server_start(struct live *l)
{
	pid_t pid = actor_fork(l, "topserver", false);

	if (pid)
		return pid;
	signal(SIGCHLD, SIG_IGN);
	drain_all(actor_listen(NET_SERVER4, PORT));
	_exit(0);
}

/* A steady rate by the clock, whatever the machine is busy with. */
static void send_steadily(int fd)
{
	static char piece[PIECE_SIZE];
	uint64_t start = clock_ns(), sent = 0;

	for (;;) {
		uint64_t due = (clock_ns() - start) / 1000 / PIECE_PAUSE;

		for (; sent < due; sent++)
			if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL) < 0)
				_exit(1);
		pause_us(PIECE_PAUSE / 2);
	}
}

static pid_t client_start(struct live *l, const char *name)
{
	pid_t pid = actor_fork(l, name, true);
	int error;

	if (pid)
		return pid;
	send_steadily(actor_connect(NET_SERVER4, PORT, true, &error));
	_exit(0);
}

/* What fails goes on failing, so that it stays in the time shown. */
static pid_t refused_start(struct live *l)
{
	pid_t pid = actor_fork(l, "toprefused", true);
	int error;

	if (pid)
		return pid;
	for (;;) {
		close(actor_connect(NET_SERVER4, NOBODY_PORT, true, &error));
		pause_us(500000);
	}
}

static bool open_top(struct screen *s, const struct cast *c, int width, int height,
		     const char *term, const char *environment)
{
	const char *argv[] = {c->live->millrace, "top", "--server", c->url, NULL};

	return check(c->live, screen_open(s, width, height, term, environment, argv),
		     "a terminal of %d by %d", width, height);
}

static bool expect(const struct cast *c, struct screen *s, const char *text, const char *why)
{
	bool shown = screen_shows(s, text, patience(c->live, 10000));

	check(c->live, shown, "%s: \"%s\" is shown", why, text);
	if (!shown)
		screen_say(s);
	return shown;
}

static void look_at_80(struct cast *c, struct screen *s)
{
	int row;

	expect(c, s, "topclient", "the client");
	expect(c, s, "topserver:23500", "the server and its port");
	expect(c, s, "1.2 MB/s", "the rate");
	expect(c, s, "failing", "what is wrong, at the top");
	row = screen_find(s, "topserver:23500");
	check(c->live, row >= 3 && !strncmp(screen_line(s, row), "✓ ", 4),
	      "a sign says that it is well: %s", row < 0 ? "" : screen_line(s, row));
	row = screen_find(s, "23501");
	check(c->live, row >= 3 && strstr(screen_line(s, row), " refused"), "… and what is not: %s",
	      row < 0 ? "" : screen_line(s, row));
	check(c->live, screen_coloured(s), "colours are used");
	check(c->live, screen_find(s, "waits for") < 0 && screen_find(s, "q quit") == 23,
	      "80 columns hold the most important, the last line tells the keys");
}

static void press_keys(struct cast *c, struct screen *s)
{
	screen_type(s, "?");
	expect(c, s, "figures of the last 2 s", "help");
	screen_type(s, "q");
	expect(c, s, "q quit", "back from help");
	screen_type(s, "/port:many\r");
	expect(c, s, "cannot ask", "a filter that is none");
	expect(c, s, "filter: port:many", "… stays to be mended");
	screen_type(s, "\025port:23500 client:topcl*\r");
	expect(c, s, ", only port:23500", "a filter");
	check(c->live, screen_lost(s, "23501", patience(c->live, 5000)), "other rows go");
	screen_type(s, "\r");
	expect(c, s, "port 23500: works", "Enter: plain words");
	expect(c, s, "what to do next", "… with advice");
	screen_type(s, "q");
	expect(c, s, "q quit", "back in the table");
	screen_type(s, "g");
	expect(c, s, "by process", "groups");
	screen_type(s, "gggg/\025\r");
	expect(c, s, "by workload", "groups come round");
	screen_type(s, "w");
	expect(c, s, "worst first", "order");
	check(c->live,
	      screen_shows(s, "23501", patience(c->live, 5000)) && screen_find(s, "23501") == 3,
	      "the worst is the first row");
	screen_type(s, "b");
}

static void look_at_200(struct cast *c, struct screen *s)
{
	screen_resize(s, 200, 50);
	expect(c, s, "waits for", "200 columns hold more");
	expect(c, s, "connect", "… and more");
	expect(c, s, "failures", "… and the rest");
	screen_read(s, 500);
	check(c->live, screen_find(s, "q quit") == 49, "the last line is the last line");
	screen_type(s, "p");
	expect(c, s, "paused", "pause");
	screen_type(s, "p");
	check(c->live, screen_lost(s, "paused", 5000), "it goes on");
}

static void server_goes(struct cast *c, struct screen *s)
{
	uint16_t port = c->millrace.port;

	millrace_stop(&c->millrace, SIGTERM);
	expect(c, s, "no answer for", "the server is gone");
	expect(c, s, "topserver:23500", "what was known stays");
	if (!millrace_start_at(&c->millrace, c->live, port, NULL))
		return;
	check(c->live, screen_lost(s, "no answer for", patience(c->live, 10000)),
	      "the server is back, and so is the table");
	expect(c, s, "topserver:23500", "it shows the same connection again");
}

static void hostile_name(struct cast *c, struct screen *s)
{
	c->hostile = client_start(c->live, HOSTILE);
	expect(c, s, "e\xef\xbf\xbd[2J", "a name with escape sequences is text");
	check(c->live, screen_find(s, "millrace") == 0 && screen_find(s, "topclient") > 0,
	      "the screen was not cleared");
	check(c->live, !s->bell && !s->title, "no bell, no new window title");
	process_end(c->hostile, SIGKILL, 5000);
}

static void ends_well(struct cast *c, struct screen *s)
{
	int status;

	screen_type(s, "q");
	status = screen_ended(s, patience(c->live, 10000));
	check(c->live, status == 0, "q: status %d", status);
	check(c->live, screen_find(s, "topserver") < 0, "the terminal is as it was");
	screen_close(s);
}

static void other_terminals(struct cast *c)
{
	struct screen s;
	int status;

	if (open_top(&s, c, 80, 24, "dumb", NULL)) {
		status = screen_ended(&s, patience(c->live, 10000));
		check(c->live, status == 1 && screen_find(&s, "--once") >= 0,
		      "TERM=dumb: status %d, says what to do: %s", status, screen_line(&s, 0));
	}
	screen_close(&s);
	if (open_top(&s, c, 80, 24, TERM_USED, "NO_COLOR=1")) {
		expect(c, &s, "topclient", "without colour");
		check(c->live, !screen_coloured(&s), "NO_COLOR: none");
		screen_type(&s, "\003");
		status = screen_ended(&s, patience(c->live, 10000));
		check(c->live, status == 0, "Ctrl-C: status %d", status);
	}
	screen_close(&s);
}

static json_t *once_json(struct cast *c)
{
	static char out[1 << 18];
	int r = millrace_command(
		&c->millrace,
		(const char *const[]){"top", "--once", "--json", "--filter", "port:23500", NULL},
		out, sizeof(out));

	check_equal(c->live, "top --once --json: status", 0, (uint64_t)r);
	return json_loads(out, 0, NULL);
}

static void print_once(struct cast *c)
{
	json_t *json = once_json(c), *row = json_array_get(json_object_get(json, "rows"), 0);
	double rate = json_number_value(json_object_get(row, "bytes_to_server_per_s"));
	double covered_s = json_number_value(json_object_get(json, "covered_s"));
	char out[4096];
	int r;

	check(c->live, rate > BYTES_A_SECOND * 0.9 && rate < BYTES_A_SECOND * 1.1,
	      "%.0f bytes a second sent, %.0f told", BYTES_A_SECOND, rate);
	check(c->live, covered_s > 9 && covered_s < 11.5, "10 s asked for, %.1f s told", covered_s);
	json_decref(json);
	r = millrace_command(&c->millrace,
			     (const char *const[]){"top", "--once", "--filter", "port:23500", NULL},
			     out, sizeof(out));
	check(c->live, r == 0 && strstr(out, "topserver:23500") && !strchr(out, '\033'),
	      "top --once is plain text: %s", strchr(out, '\n') ? strchr(out, '\n') + 1 : out);
	r = millrace_command(&c->millrace, (const char *const[]){"top", "--sort", "speed", NULL},
			     out, sizeof(out));
	check(c->live, r == 2 && strstr(out, "traffic"), "a key that is none: %s", out);
	r = millrace_command(&c->millrace, (const char *const[]){"top", "--span", "500ms", NULL},
			     out, sizeof(out));
	check(c->live, r == 2 && strstr(out, "1s or more"), "shorter than any window: %s", out);
	r = millrace_command(&c->millrace, (const char *const[]){"top", NULL}, out, sizeof(out));
	check(c->live, r == 1 && strstr(out, "--once"), "no terminal: %s", out);
}

static void whole_visit(struct cast *c)
{
	struct screen s;

	print_once(c);
	if (open_top(&s, c, 80, 24, TERM_USED, NULL)) {
		look_at_80(c, &s);
		press_keys(c, &s);
		look_at_200(c, &s);
		hostile_name(c, &s);
		server_goes(c, &s);
		ends_well(c, &s);
	}
	screen_close(&s);
	other_terminals(c);
}

enum verdict test_top(struct live *l)
{
	struct cast c = {.live = l};
	struct actor_port ready = {l, NET_SERVER4, PORT};

	if (access("/lib/terminfo/x/xterm-256color", R_OK) &&
	    access("/usr/share/terminfo/x/xterm-256color", R_OK))
		return skip(l, "no description of terminals (ncurses-base)");
	if (!millrace_start(&c.millrace, l, NULL))
		return FAIL;
	snprintf(c.url, sizeof(c.url), "http://127.0.0.1:%u", c.millrace.port);
	c.server = server_start(l);
	check(l, wait_until(actor_accepts, &ready, patience(l, 5000)), "the server listens");
	c.client = client_start(l, "topclient");
	c.refused = refused_start(l);
	pause_us(12000000); /* a whole span of steady traffic */
	whole_visit(&c);
	process_end(c.client, SIGKILL, 5000);
	process_end(c.refused, SIGKILL, 5000);
	process_end(c.server, SIGKILL, 5000);
	return verdict(l);
}

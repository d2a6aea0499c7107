/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong is said in one line with the right code, and harms nobody. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "millrace.h"
#include "run.h"

#define NOBODY 65534

static unsigned int lines_of(const char *text)
{
	unsigned int n = 0;

	for (const char *c = text; *c; c++)
		n += *c == '\n' || !c[1];
	return n;
}

/* One line with this word in it, and this exit status. */
static void refused(struct live *l, const char *what, const char *word, const struct spawn *how,
		    int code, const char *const *argv)
{
	char out[2048];
	int r = run(how, argv, out, sizeof(out), patience(l, 15000));
	unsigned int lines = lines_of(out);

	check(l, r == code && lines == 1 && strstr(out, word),
	      "%s: status %d (%d wanted), %u line(s), with \"%s\": %.*s", what, r, code, lines,
	      word, (int)strcspn(out, "\n"), out);
}

static void wrong_use(struct live *l)
{
	const struct spawn plain = {0};
	const char *m = l->millrace;

	refused(l, "unknown flag", "--no-such-flag", &plain, 2,
		(const char *const[]){m, "up", "--no-such-flag", NULL});
	refused(l, "unknown command", "nonsense", &plain, 2,
		(const char *const[]){m, "nonsense", NULL});
	refused(l, "flag without value", "--window", &plain, 2,
		(const char *const[]){m, "up", "--window", NULL});
	refused(l, "window of no time", "soon", &plain, 2,
		(const char *const[]){m, "up", "--window", "soon", NULL});
	refused(l, "window too short", "from 10ms on", &plain, 2,
		(const char *const[]){m, "up", "--window", "1us", NULL});
	refused(l, "negative slots", "-1", &plain, 2,
		(const char *const[]){m, "up", "--slots", "-1", NULL});
	refused(l, "address that is not loopback", "0.0.0.0", &plain, 2,
		(const char *const[]){m, "up", "--listen", "0.0.0.0:7070", NULL});
	refused(l, "port out of range", "99999", &plain, 2,
		(const char *const[]){m, "up", "--listen", "127.0.0.1:99999", NULL});
	refused(l, "server that is not there", "127.0.0.1:1", &plain, 1,
		(const char *const[]){m, "map", "--server", "http://127.0.0.1:1", NULL});
}

static void wrong_agent(struct live *l)
{
	const struct spawn plain = {0};
	const char *m = l->millrace, *server = "http://127.0.0.1:1";

	refused(l, "agent: no URL", "not a URL", &plain, 2,
		(const char *const[]){m, "agent", "--server", "nowhere", NULL});
	refused(l, "agent: no token file", "/nowhere", &plain, 1,
		(const char *const[]){m, "agent", "--server", server, "--token-file", "/nowhere",
				      NULL});
	refused(l, "agent: no token in it", "16 printable", &plain, 2,
		(const char *const[]){m, "agent", "--server", server, "--token-file",
				      "/proc/sys/kernel/ostype", NULL});
	refused(l, "agent: no such certificate", "/nowhere", &plain, 1,
		(const char *const[]){m, "agent", "--server", server, "--ca", "/nowhere", NULL});
	refused(l, "agent: a zone that is none", "--zone", &plain, 2,
		(const char *const[]){m, "agent", "--server", server, "--zone", "a b", NULL});
	refused(l, "agent: no such cloud", "metadata", &plain, 2,
		(const char *const[]){m, "agent", "--server", server, "--metadata", "x", NULL});
}

static void wrong_machine(struct live *l)
{
	char listen[32];
	const char *up[] = {l->millrace, "up", "--listen", listen, NULL};
	const char *binary = live_file(l, "millrace"); /* where nobody may read it, too */

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", port_free());
	run(&(struct spawn){0}, (const char *const[]){"cp", l->millrace, binary, NULL}, NULL, 0,
	    20000);
	refused(l, "no root", "root", &(struct spawn){.uid = NOBODY}, 1,
		(const char *const[]){binary, "up", "--listen", listen, NULL});
	unlink(binary);
	refused(l, "no cgroup v2", "cgroup v2", &(struct spawn){.hide = cgroup_root()}, 1, up);
	refused(l, "no BTF", "BTF", &(struct spawn){.hide = "/sys/kernel/btf/vmlinux"}, 1, up);
	refused(l, "a cgroup that is not there", "/nowhere", &(struct spawn){0}, 1,
		(const char *const[]){l->millrace, "up", "--listen", listen, "--cgroup", "/nowhere",
				      NULL});
}

static void taken_port(struct live *l, const struct millrace *m)
{
	char listen[32];

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", m->port);
	refused(l, "taken port", "in use", &(struct spawn){0}, 1,
		(const char *const[]){l->millrace, "up", "--listen", listen, NULL});
}

static void wrong_query(struct live *l, const struct millrace *m)
{
	static const char *const paths[] = {
		"/api/v1/graph?from=yesterday",    "/api/v1/graph?group=nonsense",
		"/api/v1/graph?filter=port:many",  "/api/v1/graph?from=now&to=-5m",
		"/api/v1/flows?view=sideways",     "/api/v1/series?from=1e999",
		"/api/v1/graph?from=-5m&to=later",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		json_t *body;
		int status = api_get(m, paths[i], NULL, &body);

		check(l, status == 400 && api_string(body, "error")[0], "GET %s: %d %s", paths[i],
		      status, api_string(body, "error"));
		json_decref(body);
	}
	check(l, api_get(m, "/api/v1/nothing", NULL, NULL) == 404, "GET /api/v1/nothing: 404");
}

static void foreign_host(struct live *l, const struct millrace *m)
{
	static const char *const hosts[] = {"evil.example", "evil.example:7070",
					    "127.0.0.1.evil.example"};

	for (size_t i = 0; i < 3; i++) {
		int status = api_get(m, "/api/v1/graph", hosts[i], NULL);

		check(l, status >= 400 && status < 500, "Host: %s: %d", hosts[i], status);
	}
}

/* Bytes that are no request, in pieces, from several connections at once. */
static void garbage(struct live *l, const struct millrace *m)
{
	static const char *const starts[] = {
		"GET ",
		"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX: ",
		"\x16\x03\x01\x02\x00",
		"",
		"GET /api/v1/flows?filter="};
	char bytes[20000];
	int fds[200], error;
	unsigned int sent = 0;

	for (unsigned int i = 0; i < 200; i++) {
		const char *start = starts[i % 6];

		for (unsigned int k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char)((k * 2654435761u + i * 40503u + l->seed) >> 7);
		fds[i] = actor_connect("127.0.0.1", m->port, true, &error);
		send(fds[i], start, strlen(start), MSG_NOSIGNAL);
		sent += send(fds[i], bytes, i * 97 % sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) >
			0;
	}
	check(l, api_get(m, "/healthz", NULL, NULL) == 200,
	      "answers while 200 connections hold garbage (%u sent some)", sent);
	for (unsigned int i = 0; i < 200; i++)
		close(fds[i]);
}

enum verdict test_input(struct live *l)
{
	struct millrace m;

	wrong_use(l);
	wrong_agent(l);
	wrong_machine(l);
	if (!millrace_start(&m, l, NULL))
		return FAIL;
	taken_port(l, &m);
	wrong_query(l, &m);
	foreign_host(l, &m);
	garbage(l, &m);
	check(l, millrace_alive(&m) && api_get(&m, "/api/v1/graph", NULL, NULL) == 200,
	      "alive and answers after all of it");
	check_equal(l, "exit status after SIGTERM", 0, (uint64_t)millrace_stop(&m, SIGTERM));
	return verdict(l);
}

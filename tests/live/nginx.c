/* SPDX-License-Identifier: Apache-2.0 */
#include "nginx.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actor.h"
#include "run.h"

#define STATUS_PORT 24081

static const char config[] = "daemon off;\n"
			     "master_process on;\n"
			     "worker_processes 1;\n"
			     "user root;\n"
			     "pid %s;\n"
			     "error_log %s;\n"
			     "events { worker_connections 4096; }\n"
			     "http {\n"
			     "log_format bytes '$request_length $bytes_sent';\n"
			     "access_log %s;\n"
			     "keepalive_requests 1000000;\n"
			     "server { listen " NET_SERVER4 ":%d backlog=4096;\n"
			     "location / { return 200 '%s'; } }\n"
			     "server { listen 127.0.0.1:%d; access_log off;\n"
			     "location / { stub_status; } }\n"
			     "}\n";

static bool config_write(struct live *l, bool log)
{
	char body[601], access[200];
	FILE *f = fopen(live_file(l, "nginx.conf"), "w");

	if (!f)
		return false;
	memset(body, 'm', sizeof(body) - 1);
	body[sizeof(body) - 1] = 0;
	if (log)
		snprintf(access, sizeof(access), "%s bytes", live_file(l, "access.log"));
	fprintf(f, config, live_file(l, "nginx.pid"), live_file(l, "nginx-error.log"),
		log ? access : "off", NGINX_PORT, body, STATUS_PORT);
	return fclose(f) == 0;
}

/* Asks stub_status over a connection of its own, which counts as one. */
static uint64_t status_accepted(struct live *l)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	char text[2048] = "";
	const char *numbers;
	unsigned long long accepted = 0;
	int error, fd;
	ssize_t n, used = 0;

	net_enter(l->net.server);
	fd = actor_connect("127.0.0.1", STATUS_PORT, true, &error);
	net_enter(l->net.home);
	send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	while ((n = recv(fd, text + used, sizeof(text) - 1 - (size_t)used, 0)) > 0)
		used += n;
	close(fd);
	numbers = strstr(text, "requests\n");
	if (numbers)
		sscanf(numbers + 9, "%llu", &accepted);
	return accepted;
}

bool nginx_start(struct nginx *n, struct live *l, bool log)
{
	const char *program = program_find("nginx");
	struct actor_port ports[] = {{l, NET_SERVER4, NGINX_PORT}, {l, "127.0.0.1", STATUS_PORT}};

	*n = (struct nginx){.live = l};
	unlink(live_file(l, "access.log"));
	if (!config_write(l, log))
		return false;
	n->pid = actor_spawn(l, false, 0, live_file(l, "nginx.log"),
			     (const char *const[]){program, "-c", live_file(l, "nginx.conf"), "-p",
						   l->directory, NULL});
	if (!wait_until(actor_accepts, &ports[0], patience(l, 10000)) ||
	    !wait_until(actor_accepts, &ports[1], patience(l, 10000)))
		return check(l, false, "nginx listens");
	n->accepted_before = status_accepted(l);
	return true;
}

static bool accepted_stands(void *userdata)
{
	struct nginx *n = userdata;
	uint64_t before = n->accepted;

	n->asked++;
	n->accepted = status_accepted(n->live) - n->accepted_before - n->asked;
	return n->accepted == before;
}

uint64_t nginx_accepted(struct nginx *n)
{
	wait_until(accepted_stands, n, patience(n->live, 5000));
	return n->accepted;
}

bool nginx_stop(struct nginx *n, uint64_t *ret_requests, uint64_t *ret_received, uint64_t *ret_sent)
{
	unsigned long long received, sent;
	FILE *f;

	process_end(n->pid, SIGQUIT, 10000);
	n->pid = 0;
	*ret_requests = *ret_received = *ret_sent = 0;
	f = fopen(live_file(n->live, "access.log"), "r");
	while (f && fscanf(f, "%llu %llu\n", &received, &sent) == 2) {
		*ret_requests += 1;
		*ret_received += received;
		*ret_sent += sent;
	}
	return f && fclose(f) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's thread and loop: batches and answers out of the inbox into the core, requests from
 * HTTP into the API. All of it is built in server_open(), so that what can fail fails there.
 */
#include "server/server.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/api.h"
#include "server/http.h"
#include "server/inbox.h"
#include "server/keep.h"
#include "server/listen.h"
#include "server/query.h"

#define TICK_MS    1000
#define FILES_ELSE 512 /* that the process has open beside connections */

struct server {
	struct server_config config;
	struct listen_address address;
	uv_loop_t loop;
	uv_async_t stop;
	uv_timer_t tick;
	struct inbox inbox;
	struct core *core;
	struct keep keep;
	struct past *past;
	struct intake intake;
	struct auth auth;
	struct http *http;
	struct api api;
	pthread_t thread;
	bool started;
};

static uint64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

static void take_batch(struct server *s, const struct wire_batch *batch)
{
	uint64_t now_ns = wall_clock_ns();

	if (!core_ingest(s->core, batch, now_ns)) /* which counts its refusals */
		keep_batch(&s->keep, 0, now_ns);
}

/* Takes all there is, at most one inbox full: HTTP gets its turn between. */
static void on_inbox(uv_async_t *wake)
{
	struct server *s = wake->data;
	struct inbox_item item = {0};
	int left = INBOX_MAX;

	while (left && keep_has_room(&s->keep) && inbox_pop(&s->inbox, &item)) {
		left--;
		if (item.batch) {
			take_batch(s, item.batch);
			api_on_batch(&s->api, intake_agent(&s->intake, item.batch), true);
		} else {
			api_on_answer(&s->api, item.answer);
		}
		inbox_item_free(item);
	}
	if (!left)
		uv_async_send(wake);
}

static void on_tick(uv_timer_t *tick)
{
	struct server *s = tick->data;
	uint64_t before = core_version(s->core);

	core_tick(s->core, wall_clock_ns());
	if (core_version(s->core) == before)
		return;
	keep_batch(&s->keep, 0, wall_clock_ns());
	api_stream_window(&s->api);
}

/* While the store had no room the inbox was left alone, and whoever fills it waited. */
static void on_durable(void *userdata, uint64_t ticket, int r)
{
	struct server *s = userdata;

	if (ticket)
		intake_durable(&s->intake, ticket, r);
	else if (!r)
		uv_async_send(&s->inbox.wake);
}

static void on_stop(uv_async_t *stop)
{
	uv_stop(stop->loop);
}

static void close_all(struct server *s)
{
	api_close(&s->api);
	keep_stop(&s->keep);
	if (s->past)
		past_close(s->past);
	intake_done(&s->intake); /* what waits there is of requests that end now */
	s->http = http_close(s->http);
	inbox_close(&s->inbox);
	uv_close((uv_handle_t *)&s->stop, NULL);
	uv_close((uv_handle_t *)&s->tick, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	api_done(&s->api);
}

static void *run(void *userdata)
{
	struct server *s = userdata;

	pthread_setname_np(pthread_self(), "millrace-server");
	uv_run(&s->loop, UV_RUN_DEFAULT);
	close_all(s);
	return NULL;
}

static int open_loop(struct server *s, struct error *ret_error)
{
	int r = uv_loop_init(&s->loop);

	if (r < 0)
		return error_set(ret_error, r, "cannot start the server: %s", uv_strerror(r));
	r = inbox_init(&s->inbox, &s->loop, on_inbox, s);
	if (r < 0) {
		uv_loop_close(&s->loop);
		return error_set(ret_error, r, "cannot start the server: %s", uv_strerror(r));
	}
	uv_async_init(&s->loop, &s->stop, on_stop);
	uv_timer_init(&s->loop, &s->tick);
	s->tick.data = s;
	uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
	intake_init(&s->intake, s->core, NULL);
	api_init(&s->api, &s->loop, s->core, &s->inbox, &s->intake, &s->auth, &s->config);
	s->api.keep = &s->keep;
	return 0;
}

static int open_http(struct server *s, int fd, struct error *ret_error)
{
	struct http_config config = {
		.fd = fd,
		.address = s->address,
		.routes = api_routes,
		.userdata = &s->api,
		.authorize = api_authorize,
		.tls = s->auth.tls,
	};
	int r = http_open(&s->http, &s->loop, &config, ret_error);

	s->api.http = s->http;
	return r;
}

static struct server *free_core(struct server *s)
{
	auth_close(&s->auth);
	core_free(s->core);
	free(s);
	return NULL;
}

static void free_loop(struct server *s)
{
	s->past = past_free(s->past);
	keep_close(&s->keep);
	inbox_done(&s->inbox);
	uv_loop_close(&s->loop);
	free_core(s);
}

/* Connections are files: as many as HTTP would take, if we may. */
static void raise_files_limit(void)
{
	const rlim_t wanted = HTTP_CONNECTIONS_MAX + FILES_ELSE;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= wanted)
		return;
	files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &files); /* else HTTP takes fewer */
}

/* What agents of a few thousand machines tell; memory is taken as it is used. */
static const struct core_config of_many = {
	.history_bytes_max = 256u << 20,
	.flows_max = 1u << 20,
	.actors_max = 1u << 18,
	.agents_max = HTTP_AGENTS_MAX,
	.listeners_max = 1u << 18,
};

int server_open(struct server **ret, const struct server_config *config, struct error *ret_error)
{
	struct server *s = calloc(1, sizeof(*s));
	int r, fd;

	if (!s || core_new(&s->core, config->auth.takes_agents ? &of_many : NULL) < 0) {
		free(s);
		return error_set(ret_error, -ENOMEM, "cannot start the server: out of memory");
	}
	s->config = *config;
	raise_files_limit();
	r = listen_parse(config->listen, &s->address, ret_error);
	s->address.names = config->hosts;
	if (!r)
		r = auth_open(&s->auth, &config->auth, &s->address, ret_error);
	if (!r)
		r = listen_open(&s->address, &fd, ret_error);
	if (r < 0) {
		free_core(s);
		return r;
	}
	r = open_loop(s, ret_error);
	if (r < 0) {
		close(fd);
		free_core(s);
		return r;
	}
	r = open_http(s, fd, ret_error);
	if (r < 0) {
		close_all(s);
		free_loop(s);
		return r;
	}
	*ret = s;
	return 0;
}

int server_keep(struct server *s, const struct store_config *config, struct error *ret_error)
{
	int r = keep_open(&s->keep, config, s->core, ret_error);

	if (r < 0)
		return r;
	s->keep.on_durable = on_durable;
	s->keep.userdata = s;
	intake_init(&s->intake, s->core, keep_door(&s->keep));
	r = past_new(&s->past, &s->loop, store_path(s->keep.store), s->core);
	if (r < 0)
		return error_set(ret_error, r, "cannot open the store: out of memory");
	s->api.past = s->past;
	return 0;
}

/* Signals are the program's business, not this thread's. */
int server_start(struct server *s)
{
	sigset_t all, before;
	int r;

	r = keep_start(&s->keep, &s->loop);
	if (r < 0)
		return r;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->started = !r;
	return r;
}

void server_submit(struct server *s, struct wire_batch *batch)
{
	inbox_push(&s->inbox, (struct inbox_item){.batch = batch});
}

void server_answer(struct server *s, struct wire_answer *answer)
{
	inbox_push(&s->inbox, (struct inbox_item){.answer = answer});
}

const char *server_scheme(const struct server *s)
{
	return s->auth.tls ? "https" : "http";
}

bool server_asks_readers(const struct server *s)
{
	return auth_asks_readers(&s->auth);
}

bool server_asks_agents(const struct server *s)
{
	return auth_asks_agents(&s->auth);
}

uint16_t server_port(const struct server *s)
{
	return s->address.port;
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	if (s->started) {
		uv_async_send(&s->stop);
		pthread_join(s->thread, NULL);
	} else {
		close_all(s);
	}
	free_loop(s);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: takes batches, joins both ends of every connection, keeps the last hour and answers
 * the API. With a folder for data it keeps all of it there. One thread, one loop (libuv;
 * libmicrohttpd is driven by it), so nothing in it is locked; batches and answers come in over one
 * bounded queue.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "server/auth_config.h"
#include "server/store/store.h"
#include "wire/batch.h"

struct server;

struct server_config {
	const char *listen; /* "127.0.0.1:7070", "[::1]:7070"; beyond loopback as auth.h has it */
	const char *hosts;  /* further names it is asked by, separated by commas; NULL: none */
	const char *version;
	struct auth_config auth;

	/* Asks the agent (there is one, in this process) for live connections; the answer comes
	 * back through server_answer. Called from the server's thread. */
	void (*request)(void *userdata, const struct wire_request *request);
	/* Asks the agent to end its window now and visit every socket (`verify`). */
	void (*sweep_now)(void *userdata);
	void *userdata;
};

/* Binds. -EINVAL, -EPERM: wrong use, what was given does not go together. */
int server_open(struct server **ret, const struct server_config *config, struct error *ret_error);
/* What comes in is kept in a folder, and what is there is taken up again. After rights were given
 * up and before server_start(). */
int server_keep(struct server *s, const struct store_config *config, struct error *ret_error);
int server_start(struct server *s);                           /* its thread begins */
void server_submit(struct server *s, struct wire_batch *batch);   /* any thread; takes */
void server_answer(struct server *s, struct wire_answer *answer); /* any thread; takes */
/* As it stands before a host and port in a URL: "http" or "https". */
const char *server_scheme(const struct server *s);
bool server_asks_readers(const struct server *s); /* for a token or a certificate */
bool server_asks_agents(const struct server *s);
uint16_t server_port(const struct server *s);                 /* the one bound, for port 0 */
struct server *server_free(struct server *s);                 /* stops; always NULL; accepts NULL */

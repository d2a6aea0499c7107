/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSTs to a server, one at a time, over a connection that is kept.
 *
 * As few bytes as HTTP allows: no header beside Host, Content-Type, Content-Length, the clock and
 * who we are. HTTP/1.1, TLS from 1.2 on, no redirects, no proxy to loopback. Tokens and
 * certificates may change while we run (secret.h); a connection that is open is not ended for that.
 *
 * Limits: an answer of 64 KB; 5 s to connect, 10 s without a byte, 10 minutes in all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/uplink_state.h"
#include "base/error.h"

struct poster;

struct poster_config {
	const char *server;     /* "https://millrace.example:7070" */
	const char *token_file; /* NULL: none; the next as well */
	const char *ca, *cert, *key;
};

/* Reads the files: call it while they can be read. -EINVAL: the URL is none; else what went wrong.
 */
int poster_new(struct poster **ret, const struct poster_config *config, struct error *ret_error);
struct poster *poster_free(struct poster *p); /* always NULL; accepts NULL */

/* Begins to send; the post's data is borrowed until it is done. -ENOMEM. */
int poster_begin(struct poster *p, const struct uplink_post *post);

/* Waits until what was begun is done (true), or until it is woken, or so long. *ret: its result,
 * borrowed until the next begin. *ret_problem: what to tell people, one line; "": it was taken. */
bool poster_wait(struct poster *p, int timeout_ms, struct uplink_result *ret,
		 struct error *ret_problem);
void poster_wake(struct poster *p); /* any thread */

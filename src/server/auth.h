/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may talk: agents report and do nothing else, readers ask and do nothing else. Each shows a
 * token of its file, or a certificate that its CA has signed; a reader on the page has signed in
 * with such a token (sessions.h).
 *
 * Where neither tokens nor a CA are given for agents or for readers, they are not asked: on
 * loopback only. Anywhere else auth_open() refuses to begin without credentials for both and TLS.
 */
#pragma once

#include "server/auth_config.h"
#include "server/http.h"
#include "server/sessions.h"
#include "server/tls.h"
#include "server/tokens.h"

#define AUTH_COOKIE "millrace_session"

struct auth_stats {
	uint64_t unauthorized, forbidden, cross_site, sign_ins, sign_ins_failed, sign_ins_stopped;
};

struct auth {
	struct tokens *agents, *readers; /* NULL: none */
	struct tls *tls;                 /* NULL: plain HTTP */
	bool agent_ca, reader_ca;
	struct sessions sessions;
	struct auth_stats stats;
};

/* -EINVAL: these do not go together, or not with that address; else as files have it. */
int auth_open(struct auth *a, const struct auth_config *config,
	      const struct listen_address *address, struct error *ret_error);
void auth_close(struct auth *a);

bool auth_asks_agents(const struct auth *a);
bool auth_asks_readers(const struct auth *a);

/* Whether this request may be made; if not, it is answered. */
bool auth_allows(struct auth *a, struct http_request *r, const struct http_route *route);
/* Whether it comes from a reader. */
bool auth_is_reader(struct auth *a, struct http_request *r);

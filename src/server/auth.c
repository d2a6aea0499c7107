/* SPDX-License-Identifier: Apache-2.0 */
#include "server/auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- what goes together --------------------------------------------------------------------- */

static int check_tls(const struct tls_files *f, struct error *e)
{
	if (!f->certificate != !f->key)
		return error_set(e, -EINVAL,
				 "cannot start TLS: --cert and --key go together; give both");
	if (!f->certificate && (f->agent_ca || f->reader_ca))
		return error_set(e, -EINVAL,
				 "cannot check certificates of clients without TLS: --agent-ca and "
				 "--reader-ca need --cert and --key");
	return 0;
}

/* Whoever can reach the address could else report, or read who talks to whom. */
static int check_open(const struct auth_config *c, const struct listen_address *a, struct error *e)
{
	char where[80];

	if (a->loopback)
		return 0;
	snprintf(where, sizeof(where), "%s:%u", a->host, a->port);
	if (c->takes_agents && !c->agent_tokens && !c->tls.agent_ca)
		return error_set(e, -EINVAL,
				 "cannot listen on %s: anybody there could report as an agent; "
				 "give --agent-tokens FILE or --agent-ca FILE, or listen on "
				 "127.0.0.1",
				 where);
	if (!c->reader_tokens && !c->tls.reader_ca)
		return error_set(e, -EINVAL,
				 "cannot listen on %s: anybody there could read who talks to "
				 "whom; give --reader-tokens FILE or --reader-ca FILE, or listen "
				 "on 127.0.0.1",
				 where);
	if (!c->tls.certificate && !c->plain_http)
		return error_set(e, -EINVAL,
				 "cannot listen on %s: tokens and figures would cross the network "
				 "in the clear; give --cert FILE and --key FILE, or --plain-http "
				 "where something else encrypts",
				 where);
	return 0;
}

int auth_open(struct auth *a, const struct auth_config *config,
	      const struct listen_address *address, struct error *ret_error)
{
	int r = check_tls(&config->tls, ret_error);

	*a = (struct auth){.agent_ca = config->tls.agent_ca, .reader_ca = config->tls.reader_ca};
	if (!r)
		r = check_open(config, address, ret_error);
	if (!r && config->agent_tokens)
		r = tokens_open(&a->agents, config->agent_tokens, ret_error);
	if (!r && config->reader_tokens)
		r = tokens_open(&a->readers, config->reader_tokens, ret_error);
	if (!r && config->tls.certificate)
		r = tls_open(&a->tls, &config->tls, ret_error);
	if (r < 0)
		auth_close(a);
	return r;
}

void auth_close(struct auth *a)
{
	a->agents = tokens_free(a->agents);
	a->readers = tokens_free(a->readers);
	a->tls = tls_free(a->tls);
}

bool auth_asks_agents(const struct auth *a)
{
	return a->agents || a->agent_ca;
}

bool auth_asks_readers(const struct auth *a)
{
	return a->readers || a->reader_ca;
}

/* --- whose a request is --------------------------------------------------------------------- */

/* enum tls_right, or'ed, by the token that it carries. */
static unsigned int token_rights(const struct auth *a, const struct http_request *r)
{
	const char *value = http_request_header(r, "Authorization");
	struct digest token;

	if (!value || strncasecmp(value, "Bearer ", 7) != 0)
		return 0;
	value += 7 + strspn(value + 7, " ");
	token = digest_of(value, strlen(value));
	return (a->agents && tokens_have(a->agents, &token) ? TLS_AGENT : 0) |
	       (a->readers && tokens_have(a->readers, &token) ? TLS_READER : 0);
}

static unsigned int session_rights(struct auth *a, struct http_request *r)
{
	const char *cookie = a->readers ? http_request_cookie(r, AUTH_COOKIE) : NULL;

	return cookie && sessions_have(&a->sessions, cookie, a->readers, http_request_now_ms(r))
		       ? TLS_READER
		       : 0;
}

static void refresh(struct auth *a, const struct http_request *r)
{
	uint64_t now_ms = http_request_now_ms(r);

	if (a->agents)
		tokens_refresh(a->agents, now_ms);
	if (a->readers)
		tokens_refresh(a->readers, now_ms);
	if (a->tls)
		tls_refresh(a->tls, now_ms);
}

static unsigned int rights_of(struct auth *a, struct http_request *r)
{
	refresh(a, r);
	return token_rights(a, r) | http_request_peer_rights(r) | session_rights(a, r);
}

bool auth_is_reader(struct auth *a, struct http_request *r)
{
	return !auth_asks_readers(a) || rights_of(a, r) == TLS_READER;
}

/* --- refusing ------------------------------------------------------------------------------- */

static bool refuse_unknown(struct auth *a, struct http_request *r, bool agent)
{
	bool tokens = agent ? a->agents != NULL : a->readers != NULL;
	bool ca = agent ? a->agent_ca : a->reader_ca;
	char what[200];

	a->stats.unauthorized++;
	snprintf(what, sizeof(what), "%s%s%s",
		 tokens ? "a token (Authorization: Bearer …; --token-file FILE)" : "",
		 tokens && ca ? " or " : "",
		 ca ? "a certificate that its CA has signed (--cert FILE --key FILE)" : "");
	http_reply_error(r, 401, "%s: expected %s%s",
			 agent ? "only agents that are known report here"
			       : "only readers that are known may ask",
			 what, !agent && tokens ? "; in a browser, sign in on the page" : "");
	http_reply_add_header(r, "WWW-Authenticate", "Bearer realm=\"millrace\"");
	return false;
}

static bool refuse_other(struct auth *a, struct http_request *r, unsigned int rights, bool agent)
{
	a->stats.forbidden++;
	if (rights == (TLS_AGENT | TLS_READER))
		http_reply_error(r, 403,
				 "these credentials are an agent's and a reader's: give agents and "
				 "readers different ones");
	else
		http_reply_error(r, 403,
				 agent ? "a reader's credentials cannot report: expected an agent's"
				       : "an agent's credentials cannot read: expected a reader's");
	return false;
}

/* A page of somebody else's that makes a browser send something here. */
static bool is_cross_site(const struct http_request *r)
{
	const char *site = http_request_header(r, "Sec-Fetch-Site");
	const char *origin = http_request_header(r, "Origin");

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return true;
	return origin && !http_request_origin_is_ours(r, origin);
}

static bool refuse_cross_site(struct auth *a, struct http_request *r)
{
	a->stats.cross_site++;
	http_reply_error(r, 403,
			 "this comes from a page of another site: only the page that this "
			 "server serves may send it");
	return false;
}

bool auth_allows(struct auth *a, struct http_request *r, const struct http_route *route)
{
	bool agent = route->right == HTTP_FOR_AGENTS;
	unsigned int rights;

	if (route->method != HTTP_GET && is_cross_site(r))
		return refuse_cross_site(a, r);
	if (route->right == HTTP_FOR_ANYBODY ||
	    !(agent ? auth_asks_agents(a) : auth_asks_readers(a)))
		return true;
	rights = rights_of(a, r);
	if (!rights)
		return refuse_unknown(a, r, agent);
	if (rights != (agent ? TLS_AGENT : TLS_READER))
		return refuse_other(a, r, rights, agent);
	return true;
}

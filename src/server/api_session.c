/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/session: signing in on the page. A reader's token once, then a cookie that scripts cannot
 * read and other sites' pages cannot send. Failed attempts are few a minute.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "server/api.h"

#define COOKIE_ATTRIBUTES "; Path=/; HttpOnly; SameSite=Strict"

/* Also where somebody before us does TLS, as the page's own address tells. */
static const char *secure(const struct api *a, const struct http_request *r)
{
	const char *origin = http_request_header(r, "Origin");

	return a->auth->tls || (origin && !strncasecmp(origin, "https://", 8)) ? "; Secure" : "";
}

void api_session_get(void *userdata, struct http_request *r)
{
	struct api *a = userdata;
	bool required = auth_asks_readers(a->auth);
	struct emit e;

	emit_init(&e, 4096);
	emit_object_begin(&e, NULL);
	emit_boolean(&e, "required", required);
	emit_boolean(&e, "signed_in", auth_is_reader(a->auth, r));
	emit_object_end(&e);
	http_reply_json(r, 200, &e);
}

/* The digest of {"token": "…"}; -1: the body is something else. */
static int read_token(struct http_request *r, struct digest *ret)
{
	size_t size;
	const char *body = http_request_body(r, &size), *token;
	json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);

	token = json_string_value(json_object_get(root, "token"));
	if (token)
		*ret = digest_of(token, strlen(token));
	json_decref(root);
	return token ? 0 : -1;
}

static void begin_session(struct api *a, struct http_request *r, const struct digest *token)
{
	uint8_t random[SESSION_ID_SIZE];
	struct session_cookie cookie;
	char header[256];

	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		http_reply_again(r, 503, 1, "no random numbers yet: try again");
		return;
	}
	cookie = sessions_begin(&a->auth->sessions, random, token, http_request_now_ms(r));
	snprintf(header, sizeof(header), AUTH_COOKIE "=%s; Max-Age=%d" COOKIE_ATTRIBUTES "%s",
		 cookie.text, SESSIONS_MS / 1000, secure(a, r));
	a->auth->stats.sign_ins++;
	http_reply_nothing(r, 204);
	http_reply_add_header(r, "Set-Cookie", header);
}

void api_session_post(void *userdata, struct http_request *r)
{
	struct api *a = userdata;
	struct auth *auth = a->auth;
	uint64_t now_ms = http_request_now_ms(r);
	struct digest token;
	uint8_t address[16];

	http_request_peer_address(r, address);
	if (!auth_asks_readers(auth)) {
		http_reply_nothing(r, 204); /* nobody has to */
	} else if (!auth->readers) {
		http_reply_error(r, 403,
				 "readers are known by their certificates here: there is "
				 "no token to sign in with");
	} else if (read_token(r, &token) < 0) {
		http_reply_error(r, 400, "expected {\"token\": \"a reader's token\"}");
	} else if (tokens_have(auth->readers, &token)) {
		begin_session(a, r, &token);
	} else if (!sign_ins_may(&auth->sessions, address, now_ms)) {
		auth->stats.sign_ins_stopped++;
		http_reply_again(r, 429, SIGN_INS_MS / 1000,
				 "too many attempts to sign in: wait a minute");
	} else {
		auth->stats.sign_ins_failed++;
		sign_ins_failed(&auth->sessions, address, now_ms);
		http_reply_error(r, 401,
				 "not a reader's token of this server: see its "
				 "--reader-tokens file");
	}
}

void api_session_delete(void *userdata, struct http_request *r)
{
	const char *cookie = http_request_cookie(r, AUTH_COOKIE);
	struct api *a = userdata;
	char header[128];

	if (cookie)
		sessions_end(&a->auth->sessions, cookie);
	snprintf(header, sizeof(header), AUTH_COOKIE "=; Max-Age=0" COOKIE_ATTRIBUTES "%s",
		 secure(a, r));
	http_reply_nothing(r, 204);
	http_reply_add_header(r, "Set-Cookie", header);
}

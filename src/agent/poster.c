/* SPDX-License-Identifier: Apache-2.0 */
/* See poster.h: libcurl's multi interface with one transfer. */
#include "agent/poster.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/mirrored.h"
#include "agent/secret.h"
#include "wire/exchange.h"

#define ANSWER_SIZE_MAX    65536
#define CONNECT_TIMEOUT_MS 5000l
#define SILENCE_MAX_S      10l
#define TIMEOUT_S          600l
#define TOKEN_SIZE_MAX     1024

struct poster {
	char *server; /* owned, without a slash at its end */
	struct secret token;
	struct mirrored ca, cert, key;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char problem[CURL_ERROR_SIZE];
	uint8_t answer[ANSWER_SIZE_MAX];
	size_t answer_size;
	bool busy;
};

static size_t on_data(char *data, size_t one, size_t size, void *userdata)
{
	struct poster *p = userdata;

	if (size > sizeof(p->answer) - p->answer_size)
		return 0;
	memcpy(p->answer + p->answer_size, data, size);
	p->answer_size += size;
	return size;
}

/* --- files --------------------------------------------------------------------------------------
 */

static int open_files(struct poster *p, const struct poster_config *c, struct error *ret_error)
{
	char token[TOKEN_SIZE_MAX];
	int r = 0;

	if (c->token_file)
		r = secret_open(&p->token, c->token_file, "the token file", ret_error);
	if (!r && c->token_file && secret_token(&p->token, token, sizeof(token)) < 0)
		r = error_set(ret_error, -EINVAL,
			      "cannot use the token file %s: it has no token of 16 printable "
			      "characters or more; put one on a line",
			      c->token_file);
	r = r ? r : mirrored_open(&p->ca, c->ca, "the certificates to trust", ret_error);
	r = r ? r : mirrored_open(&p->cert, c->cert, "the certificate", ret_error);
	return r ? r : mirrored_open(&p->key, c->key, "the certificate's key", ret_error);
}

/* --- setting up ---------------------------------------------------------------------------------
 */

static bool is_url(const char *s)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL;
	bool good = url && !curl_url_set(url, CURLUPART_URL, s, 0) &&
		    !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
		    !curl_url_get(url, CURLUPART_HOST, &host, 0) && *host &&
		    (!strcmp(scheme, "http") || !strcmp(scheme, "https"));

	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(url);
	return good;
}

static int open_curl(struct poster *p)
{
	p->multi = curl_multi_init();
	p->easy = curl_easy_init();
	if (!p->multi || !p->easy)
		return -ENOMEM;
	curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(p->easy, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1,[::1]");
	curl_easy_setopt(p->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(p->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1l);
	curl_easy_setopt(p->easy, CURLOPT_TCP_KEEPALIVE, 1l);
	curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(p->easy, CURLOPT_LOW_SPEED_LIMIT, 1l);
	curl_easy_setopt(p->easy, CURLOPT_LOW_SPEED_TIME, SILENCE_MAX_S);
	curl_easy_setopt(p->easy, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
	curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->problem);
	curl_easy_setopt(p->easy, CURLOPT_POST, 1l);
	return 0;
}

int poster_new(struct poster **ret, const struct poster_config *config, struct error *ret_error)
{
	struct poster *p = calloc(1, sizeof(*p));
	int r;

	if (p)
		p->server = strdup(config->server);
	if (!p || !p->server || open_curl(p) < 0)
		r = error_set(ret_error, -ENOMEM,
			      "cannot reach for a server: out of memory; free "
			      "some");
	else if (!is_url(config->server))
		r = error_set(ret_error, -EINVAL,
			      "cannot report to %s: not a URL; give one such as "
			      "https://millrace.example:7070",
			      config->server);
	else
		r = open_files(p, config, ret_error);
	if (r < 0) {
		poster_free(p);
		return r;
	}
	for (size_t n = strlen(p->server); n && p->server[n - 1] == '/'; n--)
		p->server[n - 1] = '\0';
	*ret = p;
	return 0;
}

struct poster *poster_free(struct poster *p)
{
	if (!p)
		return NULL;
	if (p->busy)
		curl_multi_remove_handle(p->multi, p->easy);
	curl_easy_cleanup(p->easy);
	if (p->multi)
		curl_multi_cleanup(p->multi);
	curl_slist_free_all(p->headers);
	secret_close(&p->token);
	mirrored_close(&p->ca);
	mirrored_close(&p->cert);
	mirrored_close(&p->key);
	free(p->server);
	free(p);
	return NULL;
}

/* --- a post -------------------------------------------------------------------------------------
 */

static int add_header(struct poster *p, const char *line)
{
	struct curl_slist *longer = curl_slist_append(p->headers, line);

	if (longer)
		p->headers = longer;
	return longer ? 0 : -ENOMEM;
}

static int add_token(struct poster *p)
{
	char token[TOKEN_SIZE_MAX], line[TOKEN_SIZE_MAX + 32];

	secret_look(&p->token);
	if (secret_token(&p->token, token, sizeof(token)) < 0)
		return 0;
	snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
	return add_header(p, line);
}

/* "Name:" takes one away that libcurl would add. */
static int set_headers(struct poster *p, const struct uplink_post *post)
{
	char now[64];
	int r;

	curl_slist_free_all(p->headers);
	p->headers = NULL;
	snprintf(now, sizeof(now), WIRE_NOW_HEADER ": %" PRIu64, post->clock_ns);
	r = add_header(p, "Content-Type: " WIRE_CONTENT_TYPE);
	r = r ? r : add_header(p, "Accept:");
	r = r ? r : add_header(p, "Expect:");
	r = r ? r : add_header(p, now);
	r = r ? r : add_token(p);
	return r || curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers) ? -ENOMEM : 0;
}

static int set_certificates(struct poster *p)
{
	const struct {
		struct mirrored *file;
		CURLoption option;
	} files[] = {
		{&p->ca, CURLOPT_CAINFO}, {&p->cert, CURLOPT_SSLCERT}, {&p->key, CURLOPT_SSLKEY}};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		mirrored_look(files[i].file);
		if (files[i].file->path[0] &&
		    curl_easy_setopt(p->easy, files[i].option, files[i].file->path))
			return -ENOMEM;
	}
	return 0;
}

static int set_url(struct poster *p, enum uplink_kind kind)
{
	char *url;
	int r;

	if (asprintf(&url, "%s/api/v1/%s", p->server,
		     kind == UPLINK_ANSWER ? "answers" : "batches") < 0)
		return -ENOMEM;
	r = curl_easy_setopt(p->easy, CURLOPT_URL, url) ? -ENOMEM : 0;
	free(url);
	return r;
}

int poster_begin(struct poster *p, const struct uplink_post *post)
{
	int r = set_url(p, post->kind);

	r = r ? r : set_headers(p, post);
	r = r ? r : set_certificates(p);
	if (r < 0)
		return r;
	p->answer_size = 0;
	p->problem[0] = '\0';
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, post->data);
	curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->size);
	if (curl_multi_add_handle(p->multi, p->easy))
		return -ENOMEM;
	p->busy = true;
	return 0;
}

/* --- what became of it --------------------------------------------------------------------------
 */

/* The server's own words, fit for a terminal. */
static void read_words(const struct poster *p, char *ret, size_t size)
{
	json_t *json = json_loadb((const char *)p->answer, p->answer_size, 0, NULL);
	const char *words = json_string_value(json_object_get(json, "error"));

	snprintf(ret, size, "%s", words ? words : "");
	for (char *c = ret; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	json_decref(json);
}

static void tell_status(const struct poster *p, int status, struct error *ret_problem)
{
	char words[300];

	if (status == 200 || status == 204 || status == 409)
		return;
	read_words(p, words, sizeof(words));
	if (words[0])
		error_set(ret_problem, 0, "%s answers %d: %s", p->server, status, words);
	else
		error_set(ret_problem, 0, "%s answers %d; is a millrace server there?", p->server,
			  status);
}

/* The same words each time, so that what is still wrong is not said again: libcurl's own tell how
 * long it took. */
static void tell_transport(const struct poster *p, CURLcode code, struct error *ret_problem)
{
	const char *words = p->problem[0] ? p->problem : curl_easy_strerror(code);
	long os = 0;

	if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT)
		words = curl_easy_strerror(code);
	curl_easy_getinfo(p->easy, CURLINFO_OS_ERRNO, &os);
	if (code == CURLE_COULDNT_CONNECT && os)
		words = strerror((int)os);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		words = "its certificate is not one we trust, or of another name; give its CA with "
			"--ca FILE";
	error_set(ret_problem, 0, "cannot reach %s: %s", p->server, words);
}

static void finish(struct poster *p, CURLcode code, struct uplink_result *ret,
		   struct error *ret_problem)
{
	curl_off_t again_s = 0;
	long status = 0;

	curl_multi_remove_handle(p->multi, p->easy);
	p->busy = false;
	*ret_problem = (struct error){""};
	*ret = (struct uplink_result){.data = p->answer, .size = p->answer_size};
	if (code) {
		tell_transport(p, code, ret_problem);
		return;
	}
	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &again_s);
	ret->status = (int)status;
	ret->again_ns = again_s > 0 && again_s < 3600 ? (uint64_t)again_s * 1000000000u : 0;
	tell_status(p, ret->status, ret_problem);
}

bool poster_wait(struct poster *p, int timeout_ms, struct uplink_result *ret,
		 struct error *ret_problem)
{
	int running = 0, left;
	CURLMsg *message;

	curl_multi_perform(p->multi, &running);
	if (running || !p->busy)
		curl_multi_poll(p->multi, NULL, 0, timeout_ms, NULL);
	curl_multi_perform(p->multi, &running);
	while ((message = curl_multi_info_read(p->multi, &left)))
		if (message->msg == CURLMSG_DONE) {
			finish(p, message->data.result, ret, ret_problem);
			return true;
		}
	return false;
}

void poster_wake(struct poster *p)
{
	curl_multi_wakeup(p->multi);
}

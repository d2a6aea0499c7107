/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "field.h"

#define ANSWER_SIZE_MAX    (256ul << 20)
#define TIMEOUT_S          30
#define CONNECT_TIMEOUT_MS 5000

struct body {
	char *data;
	size_t size, capacity;
};

static size_t on_data(char *data, size_t one, size_t size, void *userdata)
{
	struct body *b = userdata;

	if (size > ANSWER_SIZE_MAX - b->size)
		return 0;
	if (b->size + size + 1 > b->capacity) {
		size_t capacity = (b->size + size + 1) * 2;
		char *grown = realloc(b->data, capacity);

		if (!grown)
			return 0;
		b->data = grown;
		b->capacity = capacity;
	}
	memcpy(b->data + b->size, data, size);
	b->size += size;
	b->data[b->size] = '\0';
	return size;
}

static int append_query(CURL *curl, CURLU *url, const struct client_parameter *query)
{
	for (; query && query->name; query++) {
		char *escaped, *pair = NULL;
		int r;

		if (!query->value)
			continue;
		escaped = curl_easy_escape(curl, query->value, 0);
		r = escaped ? asprintf(&pair, "%s=%s", query->name, escaped) : -1;
		curl_free(escaped);
		if (r < 0)
			return -ENOMEM;
		r = curl_url_set(url, CURLUPART_QUERY, pair, CURLU_APPENDQUERY) ? -ENOMEM : 0;
		free(pair);
		if (r < 0)
			return r;
	}
	return 0;
}

static int build_url(CURL *curl, const char *server, const char *path,
		     const struct client_parameter *query, char **ret)
{
	CURLU *url = curl_url();
	int r = -ENOMEM;

	if (!url)
		return r;
	if (curl_url_set(url, CURLUPART_URL, server, 0) ||
	    curl_url_set(url, CURLUPART_PATH, path, 0))
		r = -EDESTADDRREQ;
	else
		r = append_query(curl, url, query);
	if (!r && curl_url_get(url, CURLUPART_URL, ret, 0))
		r = -EDESTADDRREQ;
	curl_url_cleanup(url);
	return r;
}

/* The first token of the file, as a header; NULL: none, and the error says why. */
static struct curl_slist *token_header(const char *path, struct error *ret_error)
{
	struct curl_slist *headers = NULL;
	char line[1024], text[1100];
	FILE *file = fopen(path, "re");
	size_t size = 0;

	if (!file) {
		error_set(ret_error, -errno, "cannot read %s: %s; give a file with a token", path,
			  strerror(errno));
		return NULL;
	}
	while (!size && fgets(line, sizeof(line), file))
		size = *line == '#' ? 0 : strcspn(line, " \t\r\n");
	fclose(file);
	if (size) {
		snprintf(text, sizeof(text), "Authorization: Bearer %.*s", (int)size, line);
		headers = curl_slist_append(NULL, text);
	}
	if (!headers)
		error_set(ret_error, -ENODATA,
			  "cannot use %s: there is no token in it; put one in its first line",
			  path);
	explicit_bzero(line, sizeof(line));
	explicit_bzero(text, sizeof(text));
	return headers;
}

static void show_certificate(CURL *curl, const struct server_access *server)
{
	if (server->ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca);
	if (server->certificate)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, server->certificate);
	if (server->key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, server->key);
}

static int transfer(CURL *curl, const char *url, struct body *body)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1,[::1]");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	return (int)curl_easy_perform(curl);
}

/* What is wrong between two ends that do not trust each other. NULL: something else. */
static const char *trust_advice(int curl_error)
{
	switch (curl_error) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate is not one we trust, or of another name; give its CA with "
		       "--ca FILE";
	case CURLE_SSL_CACERT_BADFILE:
		return "the CA cannot be used; give a file of certificates, PEM, with --ca FILE";
	case CURLE_SSL_CERTPROBLEM:
		return "our certificate cannot be used; give --cert FILE and its --key FILE, PEM";
	case CURLE_SSL_CONNECT_ERROR:
		return "TLS failed; is it https there, and does it know our --cert?";
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		return "it hung up; is it https there?";
	default:
		return NULL;
	}
}

static int tell_transport(const char *server, int curl_error, struct error *ret_error)
{
	const char *advice = trust_advice(curl_error);

	if (advice)
		return error_set(ret_error, -EIO, "cannot ask %s: %s", server, advice);
	if (curl_error == CURLE_COULDNT_CONNECT)
		return error_set(
			ret_error, -ECONNREFUSED,
			"cannot ask %s: nothing answers there; start it with `millrace up` "
			"or name it with --server URL",
			server);
	if (curl_error == CURLE_WRITE_ERROR)
		return error_set(ret_error, -EMSGSIZE,
				 "cannot take the answer of %s: it is over 256 MiB; ask for less "
				 "with --filter or --from",
				 server);
	return error_set(ret_error, -EIO, "cannot ask %s: %s; check --server URL", server,
			 curl_easy_strerror((CURLcode)curl_error));
}

/* An answer that is not 200: the server's own words, where it has some. */
static int tell_status(const char *server, long status, const json_t *json, struct error *ret_error)
{
	const char *said = field_text(json, "error");

	if (status == 400)
		return error_set(ret_error, -EINVAL, "cannot ask %s: %s", server,
				 *said ? said : "it did not understand the question");
	if (status == 401)
		return error_set(ret_error, -EACCES,
				 "cannot ask %s: it asks who we are; give a reader's token with "
				 "--token-file FILE, or --cert FILE and --key FILE",
				 server);
	if (status == 404 && !*said)
		said = "no such resource; is a millrace server of this version there?";
	return error_set(ret_error, -EIO, "cannot ask %s: it answered %ld%s%s", server, status,
			 *said ? ": " : "; try again", said);
}

static int ask(CURL *curl, const char *server, const char *url, struct client_answer *ret,
	       struct error *ret_error)
{
	struct body body = {0};
	json_t *json;
	long status = 0;
	int failed = transfer(curl, url, &body), r = 0;

	if (failed) {
		free(body.data);
		return tell_transport(server, failed, ret_error);
	}
	json = body.data ? json_loads(body.data, 0, NULL) : NULL;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		r = tell_status(server, status, json, ret_error);
	else if (!json)
		r = error_set(
			ret_error, -EPROTO,
			"cannot read the answer of %s: it is not JSON; is a millrace server there?",
			server);
	if (r < 0) {
		json_decref(json);
		free(body.data);
		return r;
	}
	*ret = (struct client_answer){.text = body.data, .json = json};
	return 0;
}

int client_get(const struct server_access *server, const char *path,
	       const struct client_parameter *query, struct client_answer *ret,
	       struct error *ret_error)
{
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	char *url = NULL;
	int r;

	if (!curl)
		return error_set(ret_error, -ENOMEM, "cannot ask %s: out of memory; free some",
				 server->url);
	r = build_url(curl, server->url, path, query, &url);
	if (r < 0)
		error_set(ret_error, r,
			  "cannot ask \"%s\": not a URL; give one such as http://127.0.0.1:7070",
			  server->url);
	if (!r && server->token_file) {
		headers = token_header(server->token_file, ret_error);
		r = headers ? 0 : -EACCES;
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	}
	show_certificate(curl, server);
	if (!r)
		r = ask(curl, server->url, url, ret, ret_error);
	curl_slist_free_all(headers);
	curl_free(url);
	curl_easy_cleanup(curl);
	return r == -EDESTADDRREQ ? -EINVAL : r;
}

void client_answer_done(struct client_answer *a)
{
	json_decref(a->json);
	free(a->text);
	*a = (struct client_answer){0};
}

void client_print_json(const struct client_answer *a)
{
	size_t size = strlen(a->text);

	if (isatty(STDOUT_FILENO)) {
		json_dumpf(
			a->json, stdout,
			JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER |
				JSON_REAL_PRECISION(15)); /* 17 show 0.1 as 0.10000000000000001 */
		fputc('\n', stdout);
		return;
	}
	fwrite(a->text, 1, size, stdout);
	if (!size || a->text[size - 1] != '\n')
		fputc('\n', stdout);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

#include "../../src/wire/words.h"
#include "run.h"

#define SINK_PORT   7444 /* in the node's namespace */
#define HEADERS_MAX 8192
#define BODY_MAX    (4u << 20)
#define CONTENT_MAX (64u << 20)
#define CATCH_MS    20000

static int listen_in(const struct cluster_node *n)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(SINK_PORT),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd;

	if (net_enter(n->netns))
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	net_enter(n->cluster->lan.home);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool readable(int fd, unsigned int ms)
{
	struct pollfd p = {fd, POLLIN, 0};

	return poll(&p, 1, (int)ms) == 1;
}

/* Up to the end of the headers; how much of the body came along goes to *ret_more. */
static char *headers_read(int fd, char text[HEADERS_MAX], size_t *ret_used)
{
	size_t used = 0;
	char *end = NULL;

	while (!end && used < HEADERS_MAX - 1 && readable(fd, CATCH_MS)) {
		ssize_t n = recv(fd, text + used, HEADERS_MAX - 1 - used, 0);

		if (n <= 0)
			return NULL;
		used += (size_t)n;
		text[used] = '\0';
		end = strstr(text, "\r\n\r\n");
	}
	*ret_used = used;
	return end ? end + 4 : NULL;
}

static const char *header_of(const char *headers, const char *name)
{
	const char *at = strcasestr(headers, name);

	return at ? at + strlen(name) : NULL;
}

static bool request_read(int fd, struct caught *ret)
{
	static char headers[HEADERS_MAX];
	const char *length, *now;
	size_t used, have;
	char *rest = headers_read(fd, headers, &used);

	if (!rest || strncmp(headers, "POST /api/v1/batches ", 21) != 0)
		return false;
	length = header_of(headers, "\r\nContent-Length: ");
	now = header_of(headers, "\r\nMillrace-Now: ");
	ret->size = length ? strtoul(length, NULL, 10) : 0;
	if (!ret->size || ret->size > BODY_MAX)
		return false;
	if (now)
		snprintf(ret->now, sizeof(ret->now), "%.*s", (int)strcspn(now, "\r"), now);
	if (header_of(headers, "\r\nExpect: ") &&
	    send(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL) != 25)
		return false;
	ret->body = malloc(ret->size);
	have = used - (size_t)(rest - headers);
	memcpy(ret->body, rest, have < ret->size ? have : ret->size);
	while (have < ret->size && readable(fd, CATCH_MS)) {
		ssize_t n = recv(fd, ret->body + have, ret->size - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have >= ret->size;
}

static bool catch_one(int listener, struct caught *ret)
{
	uint64_t end = clock_ns() + CATCH_MS * 1000000ull;
	bool good = false;

	*ret = (struct caught){0};
	while (!good && clock_ns() < end && readable(listener, CATCH_MS)) {
		int fd = accept(listener, NULL, NULL);

		good = request_read(fd, ret);
		close(fd);
		if (!good)
			caught_free(ret);
	}
	return good;
}

bool agent_catch(struct cluster_node *n, const char *name, bool other_machine, struct caught *ret)
{
	const struct cluster *c = n->cluster;
	char url[64], log[160];
	const char *argv[] = {c->live->millrace, "agent",   "--server", url, "--node", name,
			      "--cgroup",        n->cgroup, NULL};
	struct spawn how = {.netns = n->netns, .log = log};
	int listener = listen_in(n);
	bool good;
	pid_t pid;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d", SINK_PORT);
	snprintf(log, sizeof(log), "%s", live_file(c->live, "caught.log"));
	if (listener < 0)
		return false;
	if (other_machine) {
		how.boot_id = live_file(c->live, "boot-other");
		how.hostname = "other";
		if (!cluster_boot_id(how.boot_id, 99))
			return false;
	}
	pid = spawn(&how, argv);
	good = catch_one(listener, ret);
	process_end(pid, SIGKILL, 10000);
	close(listener);
	return good;
}

void caught_free(struct caught *k)
{
	free(k->body);
	*k = (struct caught){0};
}

uint8_t *frame_open(const uint8_t *frame, size_t size, size_t *ret_size)
{
	unsigned long long content = ZSTD_getFrameContentSize(frame, size);
	uint8_t *out = content && content <= CONTENT_MAX ? malloc(content) : NULL;
	ZSTD_DCtx *z = ZSTD_createDCtx();
	size_t n = 0;

	ZSTD_DCtx_refPrefix(z, wire_words, WIRE_WORDS_SIZE);
	if (out)
		n = ZSTD_decompressDCtx(z, out, content, frame, size);
	ZSTD_freeDCtx(z);
	if (!out || ZSTD_isError(n)) {
		free(out);
		return NULL;
	}
	*ret_size = n;
	return out;
}

uint8_t *frame_make(const uint8_t *content, size_t size, bool says_size, size_t *ret_size)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	size_t bound = ZSTD_compressBound(size), n;
	uint8_t *out = malloc(bound);

	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, says_size);
	n = out ? ZSTD_compress2(z, out, bound, content, size) : 0;
	ZSTD_freeCCtx(z);
	if (!out || ZSTD_isError(n)) {
		free(out);
		return NULL;
	}
	*ret_size = n;
	return out;
}

/* Posting */

struct answer {
	char *text;
	size_t size, used;
};

static size_t answer_add(char *data, size_t one, size_t count, void *userdata)
{
	struct answer *a = userdata;
	size_t n = one * count, room = a->size - 1 - a->used;

	memcpy(a->text + a->used, data, n < room ? n : room);
	a->used += n < room ? n : room;
	a->text[a->used] = '\0';
	return n;
}

struct reading {
	const uint8_t *at;
	size_t left;
};

static size_t body_read(char *out, size_t one, size_t count, void *userdata)
{
	struct reading *r = userdata;
	size_t n = one * count < r->left ? one * count : r->left;

	memcpy(out, r->at, n);
	r->at += n;
	r->left -= n;
	return n;
}

static struct curl_slist *header_add(struct curl_slist *list, const char *format, const char *value)
{
	char line[256];

	if (!value || !*value)
		return list;
	snprintf(line, sizeof(line), format, value);
	return curl_slist_append(list, line);
}

int post_send(const struct millrace *server, const struct post *p, char *answer, size_t answer_size)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	struct answer a = {answer, answer_size, 0};
	struct reading reading = {p->body, p->size};
	CURL *c = curl_easy_init();
	char url[256];
	long status = -1;
	CURLcode r;

	answer[0] = '\0';
	headers = header_add(headers, "Authorization: Bearer %s", p->token);
	headers = header_add(headers, "Millrace-Now: %s", p->now);
	headers = header_add(headers, p->type ? "Content-Type: %s" : "%s",
			     p->type ? p->type : "Content-Type:");
	snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", server->ca ? "https" : "http",
		 server->port, p->path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, answer_add);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &a);
	curl_easy_setopt(c, CURLOPT_CAINFO, server->ca);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, body_read);
	curl_easy_setopt(c, CURLOPT_READDATA, &reading);
	if (!p->chunked)
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->size);
	else
		headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
	r = curl_easy_perform(c);
	if (r != CURLE_OK && !answer[0])
		snprintf(answer, answer_size, "{\"error\": \"%s\"}", curl_easy_strerror(r));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	return status ? (int)status : -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves, over real sockets and TLS: agents report and cannot read, readers read and cannot report,
 * nobody else does either; tokens, certificates and CAs are exchanged while the server runs; the
 * page's sign-in; and a server does not begin where anybody could read or write.
 */
#include <curl/curl.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/auth.h"
#include "server/certificates_for_test.h"
#include "server/client_for_test.h"
#include "server/server.h"
#include "wire/exchange.h"

#define AGENT_TOKEN  "agent-0123456789abcdef"
#define READER_TOKEN "reader-0123456789abcdef"
#define BOTH_TOKEN   "both-0123456789abcdef"
#define NEW_TOKEN    "newer-0123456789abcdef"

static char directory[] = "/tmp/millrace-auth-XXXXXX";
static struct authority *server_ca, *agent_ca, *reader_ca;
static struct server *server;

/* One of a few, in turn. */
static const char *path(const char *name)
{
	static char paths[16][128];
	static unsigned int next;
	char *p = paths[next++ % 16];

	snprintf(p, sizeof(*paths), "%s/%s", directory, name);
	return p;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path(name), "we");

	assert_true(file && fputs(text, file) >= 0 && !fclose(file));
}

static int setup_files(void **state)
{
	assert_non_null(mkdtemp(directory));
	curl_global_init(CURL_GLOBAL_DEFAULT);
	server_ca = authority_new("server CA", path("server-ca.pem"));
	agent_ca = authority_new("agents' CA", path("agent-ca.pem"));
	reader_ca = authority_new("readers' CA", path("reader-ca.pem"));
	authority_sign(agent_ca, "agent", true, path("agent.pem"), path("agent.key"));
	authority_sign(reader_ca, "reader", true, path("reader.pem"), path("reader.key"));
	authority_sign(server_ca, "stranger", true, path("stranger.pem"), path("stranger.key"));
	authority_sign_expired(agent_ca, "old agent", path("expired.pem"), path("expired.key"));
	return 0;
}

static int teardown_files(void **state)
{
	char command[128];

	authority_free(server_ca);
	authority_free(agent_ca);
	authority_free(reader_ca);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

/* For as long as the program runs: a server borrows the paths of its files. */
static const char *keep(const char *name)
{
	static char paths[8][128];
	size_t i;

	for (i = 0; paths[i][0] && strcmp(paths[i], path(name)) != 0; i++)
		;
	return strcpy(paths[i], path(name));
}

static void start(bool tokens, bool tls, bool cas)
{
	static char listen[] = "127.0.0.1:0";
	struct server_config config = {.listen = listen, .version = "test"};
	struct error e;

	authority_sign(server_ca, "server", false, path("server.pem"), path("server.key"));
	write_file("agents", AGENT_TOKEN "\n" BOTH_TOKEN "\n");
	write_file("readers", READER_TOKEN "\n" BOTH_TOKEN "\n");
	config.auth = (struct auth_config){
		.agent_tokens = tokens ? keep("agents") : NULL,
		.reader_tokens = tokens ? keep("readers") : NULL,
		.tls = {tls ? keep("server.pem") : NULL, tls ? keep("server.key") : NULL,
			cas ? keep("agent-ca.pem") : NULL, cas ? keep("reader-ca.pem") : NULL},
		.takes_agents = true,
	};
	if (server_open(&server, &config, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(server_start(server), 0);
}

static int stop(void **state)
{
	server = server_free(server);
	return 0;
}

static size_t on_text(char *data, size_t one, size_t size, void *userdata)
{
	char *text = userdata;
	size_t used = strlen(text);

	if (used + size < 8192) {
		memcpy(text + used, data, size);
		text[used + size] = '\0';
	}
	return size;
}

/* What is shown; NULL: not. */
struct shown {
	const char *token, *certificate; /* "agent": agent.pem and agent.key */
	const char *header, *body, *type, *method, *ca;
	CURL *kept; /* a connection to go on with */
};

static char answered[8192]; /* headers and body of the last answer */

static struct curl_slist *headers_of(const struct shown *s)
{
	struct curl_slist *list = NULL;
	char text[256];

	if (s->token) {
		snprintf(text, sizeof(text), "Authorization: Bearer %s", s->token);
		list = curl_slist_append(list, text);
	}
	if (s->type) {
		snprintf(text, sizeof(text), "Content-Type: %s", s->type);
		list = curl_slist_append(list, text);
	}
	return s->header ? curl_slist_append(list, s->header) : list;
}

static void show_certificate(CURL *curl, const char *name)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.pem", name);
	curl_easy_setopt(curl, CURLOPT_SSLCERT, path(file));
	snprintf(file, sizeof(file), "%s.key", name);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, path(file));
}

/* The status; 0: no answer. */
static long ask(const char *target, struct shown s)
{
	struct curl_slist *headers = headers_of(&s);
	CURL *curl = s.kept ? s.kept : curl_easy_init();
	char url[256];
	long status = 0;

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u%s", server_scheme(server),
		 server_port(server), target);
	answered[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_CAINFO, path(s.ca ? s.ca : "server-ca.pem"));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_text);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answered);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_text);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, answered);
	if (s.body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, s.body);
	if (s.method)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, s.method);
	if (s.certificate)
		show_certificate(curl, s.certificate);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	if (!s.kept)
		curl_easy_cleanup(curl);
	return status;
}

/* An answer that nobody awaits: 400 means that it was let in and read. */
static long report(struct shown s)
{
	s.body = "nothing";
	s.type = WIRE_CONTENT_TYPE;
	return ask("/api/v1/answers", s);
}

static long read_graph(struct shown s)
{
	return ask("/api/v1/graph", s);
}

static void test_nobody_is_asked(void **state)
{
	start(false, false, false);
	assert_int_equal(read_graph((struct shown){0}), 200);
	assert_int_equal(report((struct shown){0}), 400);
	assert_int_equal(ask("/api/v1/session", (struct shown){0}), 200);
	assert_non_null(strstr(answered, "{\"required\":false,\"signed_in\":true}"));
}

static void test_tokens(void **state)
{
	start(true, false, false);
	assert_int_equal(read_graph((struct shown){0}), 401);
	assert_non_null(strstr(answered, "WWW-Authenticate: Bearer"));
	assert_non_null(strstr(answered, "--token-file"));
	assert_int_equal(report((struct shown){0}), 401);
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN}), 200);
	assert_int_equal(report((struct shown){.token = AGENT_TOKEN}), 400);
	assert_int_equal(read_graph((struct shown){.token = AGENT_TOKEN}), 403);
	assert_int_equal(report((struct shown){.token = READER_TOKEN}), 403);
	assert_int_equal(read_graph((struct shown){.token = BOTH_TOKEN}), 403);
	assert_int_equal(report((struct shown){.token = BOTH_TOKEN}), 403);
	assert_int_equal(read_graph((struct shown){.token = NEW_TOKEN}), 401);
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN "x"}), 401);
	assert_int_equal(read_graph((struct shown){.header = "Authorization: Basic YTpi"}), 401);
	/* what anybody may see */
	assert_int_equal(ask("/healthz", (struct shown){0}), 200);
	assert_int_equal(ask("/", (struct shown){0}), 200);
	assert_int_equal(ask("/api/v1", (struct shown){0}), 401);
	assert_int_equal(ask("/api/v1/stream", (struct shown){0}), 401);
}

static void test_tokens_exchanged(void **state)
{
	start(true, false, false);
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN}), 200);
	write_file("readers", NEW_TOKEN "\n");
	usleep(1100000);
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN}), 401);
	assert_int_equal(read_graph((struct shown){.token = NEW_TOKEN}), 200);
	assert_int_equal(report((struct shown){.token = AGENT_TOKEN}), 400);
}

static void test_certificates(void **state)
{
	start(false, true, true);
	assert_int_equal(read_graph((struct shown){0}), 401);
	assert_int_equal(read_graph((struct shown){.certificate = "reader"}), 200);
	assert_int_equal(report((struct shown){.certificate = "agent"}), 400);
	assert_int_equal(read_graph((struct shown){.certificate = "agent"}), 403);
	assert_int_equal(report((struct shown){.certificate = "reader"}), 403);
	assert_int_equal(read_graph((struct shown){.certificate = "stranger"}), 401);
	assert_int_equal(report((struct shown){.certificate = "stranger"}), 401);
	assert_int_equal(report((struct shown){.certificate = "expired"}), 401);
	/* the server is not one that this CA signed */
	assert_int_equal(read_graph((struct shown){.ca = "agent-ca.pem"}), 0);
}

static void test_certificates_and_tokens(void **state)
{
	start(true, true, true);
	assert_int_equal(read_graph((struct shown){.certificate = "reader"}), 200);
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN}), 200);
	assert_int_equal(report((struct shown){.token = AGENT_TOKEN}), 400);
	/* of both kinds at once: nobody's */
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN, .certificate = "agent"}),
			 403);
}

/* The server's certificate and the agents' CA change; who is connected goes on. */
static void test_certificates_exchanged(void **state)
{
	struct authority *newer = authority_new("newer agents' CA", path("newer-ca.pem"));
	CURL *kept = curl_easy_init();
	struct shown on = {.token = READER_TOKEN, .kept = kept};
	struct authority *other;
	char text[128];

	start(true, true, true);
	assert_int_equal(read_graph(on), 200);
	authority_sign(newer, "agent", true, path("newer.pem"), path("newer.key"));
	assert_int_equal(report((struct shown){.certificate = "newer"}), 401);
	other = authority_new("other CA", path("other-ca.pem"));
	authority_sign(other, "server", false, path("server.pem"), path("server.key"));
	snprintf(text, sizeof(text), "cp %s/newer-ca.pem %s/agent-ca.pem", directory, directory);
	assert_int_equal(system(text), 0);
	usleep(1100000);
	assert_int_equal(report((struct shown){.certificate = "newer", .ca = "other-ca.pem"}), 400);
	assert_int_equal(report((struct shown){.certificate = "agent", .ca = "other-ca.pem"}), 401);
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN}), 0);
	assert_int_equal(read_graph(on), 200); /* the connection that was open */
	/* half of a pair: nothing changes */
	authority_sign(server_ca, "server", false, path("server.pem"), path("unused.key"));
	usleep(1100000);
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN, .ca = "other-ca.pem"}),
			 200);
	curl_easy_cleanup(kept);
	authority_free(other);
	authority_free(newer);
	authority_free(agent_ca);
	agent_ca = authority_new("agents' CA", path("agent-ca.pem"));
	authority_sign(agent_ca, "agent", true, path("agent.pem"), path("agent.key"));
}

static uint64_t cpu_us(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* Who stops in the middle of a handshake costs next to nothing, and others go on. */
static void test_stalled_handshake(void **state)
{
	static const char half[] = "\x16\x03\x01\x02\x00\x01";
	uint64_t before;
	int fds[20], i;

	start(true, true, false);
	for (i = 0; i < 20; i++) {
		fds[i] = client_connect(server_port(server));
		assert_int_equal(send(fds[i], half, sizeof(half) - 1, 0), sizeof(half) - 1);
	}
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN}), 200);
	before = cpu_us();
	usleep(1000000);
	assert_in_range(cpu_us() - before, 0, 300000);
	for (i = 0; i < 20; i++)
		close(fds[i]);
}

static const char *cookie_of_answer(void)
{
	static char header[160];
	const char *at = strstr(answered, "Set-Cookie: ");

	assert_non_null(at);
	snprintf(header, sizeof(header), "Cookie: %.*s", (int)strcspn(at + 12, ";\r"), at + 12);
	return header;
}

#define SIGN_IN(said)                                                                              \
	.body = "{\"token\":\"" said "\"}", .type = "application/json", .method = "POST"

static void test_sign_in(void **state)
{
	const char *cookie;

	start(true, true, false);
	assert_int_equal(ask("/api/v1/session", (struct shown){0}), 200);
	assert_non_null(strstr(answered, "{\"required\":true,\"signed_in\":false}"));
	assert_int_equal(ask("/api/v1/session", (struct shown){SIGN_IN(AGENT_TOKEN)}), 401);
	assert_int_equal(ask("/api/v1/session", (struct shown){SIGN_IN(READER_TOKEN)}), 204);
	assert_non_null(strstr(answered, "; HttpOnly; SameSite=Strict; Secure"));
	cookie = cookie_of_answer();
	assert_int_equal(read_graph((struct shown){.header = cookie}), 200);
	assert_int_equal(report((struct shown){.header = cookie}), 403);
	assert_int_equal(ask("/api/v1/session", (struct shown){.header = cookie}), 200);
	assert_non_null(strstr(answered, "{\"required\":true,\"signed_in\":true}"));
	assert_int_equal(
		ask("/api/v1/session", (struct shown){.header = cookie, .method = "DELETE"}), 204);
	assert_int_equal(read_graph((struct shown){.header = cookie}), 401);
}

static void test_sign_in_refused(void **state)
{
	char origin[64];
	int i;

	start(true, false, false);
	assert_int_equal(ask("/api/v1/session", (struct shown){.body = "token=x"}), 415);
	assert_int_equal(
		ask("/api/v1/session", (struct shown){.body = "[1]", .type = "application/json"}),
		400);
	assert_int_equal(
		ask("/api/v1/session",
		    (struct shown){.header = "Origin: http://evil.example", SIGN_IN(READER_TOKEN)}),
		403);
	assert_int_equal(
		ask("/api/v1/session",
		    (struct shown){.header = "Sec-Fetch-Site: cross-site", SIGN_IN(READER_TOKEN)}),
		403);
	assert_int_equal(
		ask("/api/v1/session",
		    (struct shown){.header = "Sec-Fetch-Site: same-site", SIGN_IN(READER_TOKEN)}),
		403);
	for (i = 0; i < SIGN_INS_MAX; i++)
		assert_int_equal(ask("/api/v1/session", (struct shown){SIGN_IN("guess")}), 401);
	assert_int_equal(ask("/api/v1/session", (struct shown){SIGN_IN("guess")}), 429);
	assert_non_null(strstr(answered, "Retry-After: "));
	/* somebody else's guesses keep nobody out */
	assert_int_equal(ask("/api/v1/session", (struct shown){SIGN_IN(READER_TOKEN)}), 204);
	assert_null(strstr(answered, "; Secure"));
	snprintf(origin, sizeof(origin), "Origin: https://127.0.0.1:%u", server_port(server));
	assert_int_equal(
		ask("/api/v1/session", (struct shown){.header = origin, SIGN_IN(READER_TOKEN)}),
		204);
	assert_non_null(strstr(answered, "; Secure"));
	assert_int_equal(read_graph((struct shown){.token = READER_TOKEN}), 200);
}

/* --- where it does not begin ----------------------------------------------------------------- */

static void assert_refused(const char *listen, const struct auth_config *config, const char *says)
{
	struct listen_address address;
	struct error e = {""};
	struct auth auth;

	assert_int_equal(listen_parse(listen, &address, NULL), 0);
	assert_true(auth_open(&auth, config, &address, &e) < 0);
	if (!strstr(e.text, says))
		fail_msg("\"%s\" does not say \"%s\"", e.text, says);
}

static void test_beyond_loopback(void **state)
{
	struct auth_config c = {.takes_agents = true};
	struct listen_address address;
	struct auth auth;
	struct error e;

	write_file("agents", AGENT_TOKEN "\n");
	write_file("readers", READER_TOKEN "\n");
	assert_refused("0.0.0.0:7070", &c, "--agent-tokens FILE or --agent-ca FILE");
	c.agent_tokens = path("agents");
	assert_refused("[::]:7070", &c, "--reader-tokens FILE or --reader-ca FILE");
	c.reader_tokens = path("readers");
	assert_refused("10.0.0.1:7070", &c, "--plain-http");
	c.plain_http = true;
	assert_int_equal(listen_parse("10.0.0.1:7070", &address, NULL), 0);
	assert_int_equal(auth_open(&auth, &c, &address, &e), 0);
	auth_close(&auth);
}

static void test_what_does_not_go_together(void **state)
{
	struct auth_config c = {.tls = {.certificate = path("agent.pem")}};

	assert_refused("127.0.0.1:1", &c, "--cert and --key go together");
	c.tls = (struct tls_files){.agent_ca = path("agent-ca.pem")};
	assert_refused("127.0.0.1:1", &c, "need --cert and --key");
	c.tls = (struct tls_files){.certificate = path("agent.pem"), .key = path("reader.key")};
	assert_refused("127.0.0.1:1", &c, "a certificate and its own key");
	c.tls = (struct tls_files){path("agent.pem"), path("agent.key"), path("agent.key"), NULL};
	assert_refused("127.0.0.1:1", &c, "give the CA's certificates as PEM");
	c.tls = (struct tls_files){path("agent.pem"), path("agent.key"), path("agent-ca.pem"),
				   path("agent-ca.pem")};
	assert_refused("127.0.0.1:1", &c, "give them a CA each");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, stop)
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_is_asked),
		TEST(test_tokens),
		TEST(test_tokens_exchanged),
		TEST(test_certificates),
		TEST(test_certificates_and_tokens),
		TEST(test_certificates_exchanged),
		TEST(test_stalled_handshake),
		TEST(test_sign_in),
		TEST(test_sign_in_refused),
		cmocka_unit_test(test_beyond_loopback),
		cmocka_unit_test(test_what_does_not_go_together),
	};

	return cmocka_run_group_tests(tests, setup_files, teardown_files);
}

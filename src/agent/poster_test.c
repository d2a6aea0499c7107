/* SPDX-License-Identifier: Apache-2.0 */
/* TLS as the poster does it: whom it trusts, what it shows, and certificates that are replaced. */
#include "agent/poster.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/certificates_for_test.h"

#define PATIENCE_MS 20000

static struct {
	char dir[32];
	struct authority *ours, *theirs;
	struct MHD_Daemon *daemon;
	char url[64];
	unsigned int shown; /* certificates that the client showed in the last request */
} w;

static const char *file(const char *name)
{
	static char paths[4][64];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", w.dir, name);
	return path;
}

static char *contents(const char *name)
{
	char *text = calloc(1, 16384);
	FILE *f = fopen(file(name), "r");

	assert_true(f && fread(text, 1, 16383, f) > 0);
	fclose(f);
	return text;
}

static enum MHD_Result on_http(void *userdata, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *size, void **request)
{
	struct MHD_Response *response;
	enum MHD_Result r;

	if (!*request || *size) {
		*request = connection;
		*size = 0;
		return MHD_YES;
	}
	w.shown = 0;
	gnutls_certificate_get_peers(
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)
			->tls_session,
		&w.shown);
	response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	r = MHD_queue_response(connection, 204, response);
	MHD_destroy_response(response);
	return r;
}

static void server_start(const char *certificate, const char *key)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	char *cert = contents(certificate), *private = contents(key), *trust = contents("ours.pem");

	w.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL,
				    on_http, NULL, MHD_OPTION_SOCK_ADDR, &address,
				    MHD_OPTION_HTTPS_MEM_CERT, cert, MHD_OPTION_HTTPS_MEM_KEY,
				    private, MHD_OPTION_HTTPS_MEM_TRUST, trust, MHD_OPTION_END);
	assert_non_null(w.daemon);
	snprintf(w.url, sizeof(w.url), "https://127.0.0.1:%u",
		 MHD_get_daemon_info(w.daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	free(cert);
	free(private);
	free(trust);
}

static int begin(void **state)
{
	strcpy(w.dir, "/tmp/millrace-tls-XXXXXX");
	if (!mkdtemp(w.dir))
		return -1;
	w.ours = authority_new("ours", file("ours.pem"));
	w.theirs = authority_new("theirs", file("theirs.pem"));
	authority_sign(w.ours, "server", false, file("server.pem"), file("server.key"));
	authority_sign_expired(w.ours, "server", file("expired.pem"), file("expired.key"));
	authority_sign(w.ours, "agent", true, file("agent.pem"), file("agent.key"));
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = {"ours.pem",   "theirs.pem",  "server.pem",
					    "server.key", "expired.pem", "expired.key",
					    "agent.pem",  "agent.key",   "trusted.pem"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(file(names[i]));
	rmdir(w.dir);
	authority_free(w.ours);
	authority_free(w.theirs);
	return 0;
}

static struct poster *open_poster(const char *ca, const char *cert, const char *key)
{
	const struct poster_config config = {.server = w.url, .ca = ca, .cert = cert, .key = key};
	struct error error = {""};
	struct poster *p;

	if (poster_new(&p, &config, &error) < 0)
		fail_msg("%s", error.text);
	return p;
}

static int post(struct poster *p, struct error *ret_problem)
{
	const struct uplink_post post = {.data = (const uint8_t *)"body", .size = 4};
	struct uplink_result result;

	assert_int_equal(poster_begin(p, &post), 0);
	for (unsigned int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 100)
		if (poster_wait(p, 100, &result, ret_problem))
			return result.status;
	fail_msg("no answer in %d ms", PATIENCE_MS);
	return -1;
}

static void a_server_of_a_trusted_ca_is_spoken_to(void **state)
{
	struct error problem;
	struct poster *p;

	server_start("server.pem", "server.key");
	p = open_poster(file("ours.pem"), NULL, NULL);
	assert_int_equal(post(p, &problem), 204);
	assert_string_equal(problem.text, "");
	assert_int_equal(w.shown, 0);
	poster_free(p);
	p = open_poster(file("ours.pem"), file("agent.pem"), file("agent.key"));
	assert_int_equal(post(p, &problem), 204);
	assert_int_equal(w.shown, 1);
	poster_free(p);
	MHD_stop_daemon(w.daemon);
}

static void another_is_not(void **state)
{
	struct error problem;
	struct poster *p;

	server_start("server.pem", "server.key");
	p = open_poster(file("theirs.pem"), NULL, NULL);
	assert_int_equal(post(p, &problem), 0);
	assert_non_null(strstr(problem.text, "certificate"));
	poster_free(p);
	MHD_stop_daemon(w.daemon);
	server_start("expired.pem", "expired.key");
	p = open_poster(file("ours.pem"), NULL, NULL);
	assert_int_equal(post(p, &problem), 0);
	assert_non_null(strstr(problem.text, "certificate"));
	poster_free(p);
	MHD_stop_daemon(w.daemon);
}

/* The next connection is judged by what the file holds then. */
static void a_new_ca_is_noticed(void **state)
{
	struct error problem;
	struct poster *p;

	server_start("server.pem", "server.key");
	assert_int_equal(link(file("theirs.pem"), file("trusted.pem")), 0);
	p = open_poster(file("trusted.pem"), NULL, NULL);
	assert_int_equal(post(p, &problem), 0);
	unlink(file("trusted.pem"));
	assert_int_equal(link(file("ours.pem"), file("trusted.pem")), 0);
	assert_int_equal(post(p, &problem), 204);
	poster_free(p);
	MHD_stop_daemon(w.daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_of_a_trusted_ca_is_spoken_to),
		cmocka_unit_test(another_is_not),
		cmocka_unit_test(a_new_ca_is_noticed),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

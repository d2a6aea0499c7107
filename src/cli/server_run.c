/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `millrace server`: what agents on many machines report, kept and served.
 *
 * Order: bind (and whatever else root may have to open), give up root, and only then start threads:
 * nothing that reads a byte from the network ever ran with privileges. It needs none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "command.h"
#include "daemon.h"
#include "data.h"
#include "privilege.h"
#include "server/listen.h"
#include "server/server.h"

static const char *folder_of(const struct arguments *a)
{
	return a->data ? a->data : DATA_DEFAULT;
}

static int start(struct server *server, const struct arguments *a, struct error *ret_error)
{
	int r = privilege_drop(ret_error);

	if (!r)
		r = data_open(server, a, folder_of(a), ret_error);
	if (r < 0)
		return r;
	r = server_start(server);
	if (r < 0)
		error_set(ret_error, r, "cannot start a thread: %s; raise the limit of processes",
			  strerror(-r));
	return r;
}

/* An address of this machine's, not loopback; false: it has none. */
static bool own_address(char ret[INET_ADDRSTRLEN])
{
	struct ifaddrs *all, *i;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i && !found; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
		    !(i->ifa_flags & IFF_LOOPBACK))
			found = inet_ntop(AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr,
					  ret, INET_ADDRSTRLEN);
	freeifaddrs(all);
	return found;
}

/* How it is asked for: "0.0.0.0" is nowhere to go to. */
static void write_url(const struct server *server, const struct arguments *a,
		      const struct listen_address *address, char *ret, size_t size)
{
	char own[INET_ADDRSTRLEN];
	const char *host = address->host;
	size_t length = strlen(host);

	if (address->any && a->hosts) {
		host = a->hosts;
		length = strcspn(host, ",");
	} else if (address->any && own_address(own)) {
		host = own;
		length = strlen(own);
	}
	snprintf(ret, size, "%s://%.*s:%u", server_scheme(server), (int)length, host,
		 server_port(server));
}

/* Each line: who, and what they have to show. */
static void report(const struct server *server, const struct arguments *a,
		   const struct listen_address *address)
{
	const char *open = address->loopback ? "anybody on this machine" : "anybody";
	char url[320];

	write_url(server, a, address, url, sizeof(url));
	printf("millrace " MILLRACE_VERSION " takes what agents report, at %s\n"
	       "page:         %s/ (the API: %s/api/v1)\n",
	       url, url, url);
	printf("agents:       %s\n", !server_asks_agents(server) ? open
				     : !a->agent_tokens          ? "with a certificate of their CA"
				     : !a->agent_ca              ? "with a token"
						    : "with a token or a certificate of their CA");
	printf("readers:      %s\n", !server_asks_readers(server) ? open
				     : !a->reader_tokens          ? "with a certificate of their CA"
				     : !a->reader_ca              ? "with a token"
						     : "with a token or a certificate of their CA");
	if (address->loopback && !server_asks_agents(server))
		puts("to take agents of other machines: --listen ADDR:PORT with --agent-tokens, "
		     "--reader-tokens, --cert and --key");
	printf("data:         %s\n", folder_of(a));
	fflush(stdout);
}

int server_run(const struct arguments *a, struct error *ret_error)
{
	struct server_config config = {
		.listen = a->listen,
		.hosts = a->hosts,
		.version = MILLRACE_VERSION,
		.auth = {.agent_tokens = a->agent_tokens,
			 .reader_tokens = a->reader_tokens,
			 .tls = {a->server.certificate, a->server.key, a->agent_ca, a->reader_ca},
			 .plain_http = a->plain_http,
			 .takes_agents = true},
	};
	struct listen_address address;
	struct server *server = NULL;
	sigset_t ending;
	int r;

	if (listen_parse(a->listen, &address, ret_error) < 0)
		return EXIT_WRONG_USE;
	daemon_block_signals(&ending);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* a touched entry would take 2 MB of its table */
	r = server_open(&server, &config, ret_error);
	if (r == -EINVAL)
		return EXIT_WRONG_USE;
	if (!r)
		r = data_make(folder_of(a), ret_error);
	if (!r)
		r = start(server, a, ret_error);
	if (!r) {
		report(server, a, &address);
		daemon_wait(&ending);
	}
	server_free(server);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

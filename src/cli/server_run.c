/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `millrace server`: what agents on many machines report, kept and served.
 *
 * Order: bind (and whatever else root may have to open), give up root, and only then start threads:
 * nothing that reads a byte from the network ever ran with privileges. It needs none.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "command.h"
#include "daemon.h"
#include "privilege.h"
#include "server/listen.h"
#include "server/server.h"

static int start(struct server *server, struct error *ret_error)
{
	int r = geteuid() == 0 ? privilege_drop(ret_error) : privilege_drop_rest(ret_error);

	if (r < 0)
		return r;
	r = server_start(server);
	if (r < 0)
		error_set(ret_error, r, "cannot start a thread: %s; raise the limit of processes",
			  strerror(-r));
	return r;
}

static void report(const struct listen_address *address)
{
	printf("millrace " MILLRACE_VERSION " takes what agents report\n"
	       "page:         http://%s:%u/ (the API: http://%s:%u/api/v1)\n"
	       "agents:       millrace agent --server http://%s:%u\n",
	       address->host, address->port, address->host, address->port, address->host,
	       address->port);
	fflush(stdout);
}

int server_run(const struct arguments *a, struct error *ret_error)
{
	struct server_config config = {
		.listen = a->listen, .version = MILLRACE_VERSION, .takes_agents = true};
	struct listen_address address;
	struct server *server = NULL;
	sigset_t ending;
	int r;

	if (listen_parse(a->listen, &address, ret_error) < 0)
		return EXIT_WRONG_USE;
	daemon_block_signals(&ending);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* a touched entry would take 2 MB of its table */
	r = server_open(&server, &config, ret_error);
	if (!r)
		r = start(server, ret_error);
	if (!r) {
		address.port = server_port(server);
		report(&address);
		daemon_wait(&ending);
	}
	server_free(server);
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

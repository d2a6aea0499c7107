/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of the test of NAT: a client that asks one address, and back ends of which one serves.
 * Each answer begins with the name of who gave it, so the client knows by itself.
 */
#pragma once

#include <linux/types.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "../../bpf/flow.h"
#include "live.h"

#define NAT_BACKENDS    3
#define NAT_PORT_ASKED  8000 /* and on, one a phase */
#define NAT_PORT_SERVES 9000

enum { NAT_DNAT = 1, NAT_SNAT = 2 };

struct nat_phase {
	const char *name;
	int translates, family;
	unsigned int index;
	enum mr_transport transport;
};

/* Shared with the client's process. Of UDP an exchange of two datagrams is a connection. */
struct nat_told {
	uint64_t connections, up, down;
};

struct nat_work {
	const struct nat_phase *phase;
	unsigned int connections, next, failed;
	struct nat_told told[NAT_BACKENDS];
};

const char *nat_backend_address(const struct nat_phase *p, unsigned int i);
const char *nat_asked_address(const struct nat_phase *p);

/* Processes "natback0" and on, and "natclient", which ends when all is done. */
pid_t nat_backend_start(const struct live *l, const struct nat_phase *p, unsigned int i);
pid_t nat_client_start(const struct live *l, struct nat_work *w);

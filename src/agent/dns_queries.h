/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries and their answers, brought together: how long a name server took, what it answered, and
 * what it never answered, by flow.
 *
 * An answer belongs to a query of the same addresses, ports, id and question (RFC 5452); others are
 * counted as unasked and teach nothing. A query without an answer after DNS_TIMEOUT_S, or asked
 * again under the same id before, has timed out. Both ends of an exchange are counted alike: at the
 * client from its sending, at the server from its arrival.
 *
 * Bounded in queries that wait and in flows a window; what is too much is counted. Clocks are
 * given.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../bpf/flow.h"
#include "agent/dns_message.h"
#include "agent/flow_table.h"
#include "wire/dns.h"

#define DNS_TIMEOUT_S 5

/* Whose figures they are: a flow, and what translation did to it. Every byte set. */
struct dns_flow {
	struct mr_flow_key key;
	struct flow_nat nat;
};

/* A datagram to or from port 53. */
struct dns_datagram {
	struct mr_flow_key seen; /* as its socket sees it */
	struct dns_flow flow;
	uint64_t process_start_ns;
	char comm[16];
	uint64_t time_ns;
	uint16_t client_port;
	bool to_client;
};

struct dns_queries;

int dns_queries_new(struct dns_queries **ret, uint32_t waiting_max,
		    uint32_t flows_max);                     /* 0: 4096, 1024; -ENOMEM */
struct dns_queries *dns_queries_free(struct dns_queries *q); /* always NULL; accepts NULL */

/* Counts it. True: the answer to a query that was seen. */
bool dns_queries_see(struct dns_queries *q, const struct dns_datagram *d,
		     const struct dns_message *m);

/* Gives up what waits for too long. */
void dns_queries_expire(struct dns_queries *q, uint64_t now_ns);

/* What happened since the last time, by flow; d tells whose, its time and port mean nothing. */
typedef void (*dns_flow_fn)(void *userdata, const struct dns_datagram *d,
			    const struct wire_dns *figures);
void dns_queries_drain(struct dns_queries *q, dns_flow_fn fn, void *userdata);

struct dns_queries_losses {
	uint64_t forgotten; /* queries, since too many waited */
	uint64_t uncounted; /* queries and answers, since too many flows had some */
	uint64_t unasked;   /* answers without a query */
};
void dns_queries_losses(const struct dns_queries *q, struct dns_queries_losses *ret);

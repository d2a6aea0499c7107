/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted of DNS, by flow: the same on the wire, in the server and in the API. */
#pragma once

#include <stdint.h>

#include "base/histogram.h"

/* Errors are answers, by their code (RFC 1035, 4.1.1); a time-out is none. */
#define WIRE_DNS_COUNTERS(X)                                                                       \
	X(QUERIES, "queries")                                                                      \
	X(ANSWERS, "answers")                                                                      \
	X(TIMEOUTS, "timeouts")                                                                    \
	X(FORMERR, "formerr")                                                                      \
	X(SERVFAIL, "servfail")                                                                    \
	X(NXDOMAIN, "nxdomain")                                                                    \
	X(NOTIMP, "notimp")                                                                        \
	X(REFUSED, "refused")                                                                      \
	X(OTHER, "other")
#define WIRE_DNS_ENUM(id, name) WIRE_DNS_##id,
enum wire_dns_counter { WIRE_DNS_COUNTERS(WIRE_DNS_ENUM) WIRE_DNS_COUNT };
#define WIRE_DNS_FIRST_ERROR WIRE_DNS_FORMERR

struct wire_dns {
	uint64_t counter[WIRE_DNS_COUNT];
	struct histogram latency_us; /* of answers, errors too */
};

const char *wire_dns_name(enum wire_dns_counter counter);

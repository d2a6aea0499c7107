/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a name server as a program would, and remembers what it was told; a name server that answers
 * as none should. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DNS_LATENCIES_MAX 4096

/* What a client was told, in memory shared with the test. */
struct dns_told {
	uint32_t asked, answered, silent;
	uint32_t code[16];
	uint32_t latency_count;
	double latency_us[DNS_LATENCIES_MAX];
};

/* A query's bytes; their number. */
size_t dns_query(uint8_t *bytes, uint16_t id, const char *name, uint16_t type);

/* Asks and waits; the code of the answer, -1: none within timeout_ms. */
int dns_ask(struct dns_told *told, const char *server, const char *name, uint16_t type,
	    unsigned int timeout_ms);

/* Answers each query on port 53 of this address with something hostile, each time another; never
 * returns. */
void dns_serve_hostile(const char *address);
#define DNS_HOSTILE_KINDS 7

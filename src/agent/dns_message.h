/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one DNS message (RFC 1035, 2782, 3596, 6891): bytes in, a struct out. No I/O, no clock, no
 * memory of its own.
 *
 * Messages come from anybody on the network. What is wrong with one is told as a fault, to be
 * counted by cause; a message with a fault gives no addresses. A name is followed backwards only,
 * so compression cannot loop, and all work is bounded: DNS_RECORDS_MAX records of at most 255 bytes
 * of name each.
 *
 * A message may be cut: only its first bytes were copied. Then what was read whole counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX       255 /* of a name as text; a longer one is a fault */
#define DNS_ADDRESSES_MAX  64  /* further ones are left out */
#define DNS_TARGETS_MAX    16  /* aliases, and targets of SRV, followed in one message */
#define DNS_RECORDS_MAX    512
#define DNS_RCODE_NXDOMAIN 3

#define DNS_FAULTS(X)                                                                              \
	X(SHORT, "short", "it ends before its counts say")                                         \
	X(LOOP, "loop", "a name points forwards or to itself")                                     \
	X(LABEL, "label", "a label of a kind that does not exist")                                 \
	X(NAME, "name", "a name that is too long")                                                 \
	X(COUNTS, "counts", "not one question, or more records than we read")                      \
	X(DATA, "data", "a record whose length does not fit its type")
#define DNS_FAULT_ENUM(id, name, help) DNS_FAULT_##id,
enum dns_fault { DNS_FAULT_NONE, DNS_FAULTS(DNS_FAULT_ENUM) DNS_FAULT_COUNT };

extern const char *const dns_fault_names[DNS_FAULT_COUNT]; /* "" for none */

/* An address, and the name that it answers for: the one that was asked for, whatever aliases lie
 * between, or, where services were asked for (SRV), the target's. */
struct dns_address {
	uint8_t address[16]; /* network order, IPv4 mapped */
	uint32_t ttl_s;      /* the least on the way to it */
	uint8_t name;        /* 0: the question's; else 1 + the place of a target */
};

struct dns_message {
	uint16_t id;
	bool is_answer; /* else a query */
	uint8_t opcode; /* 0: a standard query */
	uint16_t rcode; /* 0: well; with EDNS's upper bits */
	bool truncated; /* the server left records out (TC) */
	bool cut;       /* we hold only its beginning */
	enum dns_fault fault;
	char question[DNS_NAME_MAX + 1]; /* lower case, printable; "": none */
	uint16_t question_type;
	struct dns_address addresses[DNS_ADDRESSES_MAX];
	size_t address_count;
	char targets[DNS_TARGETS_MAX][DNS_NAME_MAX + 1]; /* of SRV */
	size_t target_count;
};

/* size bytes are held of a message of length bytes. 0, or -EBADMSG: not even a header. */
int dns_message_parse(struct dns_message *ret, const void *data, size_t size, size_t length);

/* The name of an address; never NULL. */
const char *dns_message_name(const struct dns_message *m, const struct dns_address *a);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers under which counters and losses travel.
 *
 * An enum's positions change when something is put in between; these never do. Agents and servers
 * of any age must agree: a number once given belongs to its meaning for ever. Take the next free
 * one for what is new, and never reuse that of something gone: leave a line that says whose it was.
 *
 * The build fails when a counter has no number, or two have one.
 */
#pragma once

#include <stdint.h>

#include "wire/batch.h"

/* What a row of updates may have besides counters, and its counters, share one space: bits of a
 * mask. 64 and more need a second mask in the schema. */
enum wire_part {
	WIRE_PART_RTT = 0,
	WIRE_PART_CONNECT = 1,
	WIRE_PART_DNS = 2,
	WIRE_PART_DROPS = 3,
	/* 4 to 7: kept for such parts; counters begin at 8 */
};

#define WIRE_COUNTER_NUMBERS(X)                                                                    \
	X(ATTEMPTED, 8)                                                                            \
	X(OPENED, 9)                                                                               \
	X(ADOPTED, 10)                                                                             \
	X(CLOSED, 11)                                                                              \
	X(RESET_BY_CLIENT, 12)                                                                     \
	X(RESET_BY_SERVER, 13)                                                                     \
	X(BROKEN, 14)                                                                              \
	X(FAILED_REFUSED, 15)                                                                      \
	X(FAILED_TIMED_OUT, 16)                                                                    \
	X(FAILED_UNREACHABLE, 17)                                                                  \
	X(FAILED_RESET, 18)                                                                        \
	X(FAILED_ABORTED, 19)                                                                      \
	X(FAILED_OTHER, 20)                                                                        \
	X(SYNACK_RETRANSMITS, 21)                                                                  \
	X(BYTES_TO_SERVER, 22)                                                                     \
	X(BYTES_TO_CLIENT, 23)                                                                     \
	X(ADOPTED_BYTES_TO_SERVER, 24)                                                             \
	X(ADOPTED_BYTES_TO_CLIENT, 25)                                                             \
	X(SEGMENTS_TO_SERVER, 26)                                                                  \
	X(SEGMENTS_TO_CLIENT, 27)                                                                  \
	X(DATAGRAMS_TO_SERVER, 28)                                                                 \
	X(DATAGRAMS_TO_CLIENT, 29)                                                                 \
	X(DROPPED_TO_SERVER, 30)                                                                   \
	X(DROPPED_TO_CLIENT, 31)                                                                   \
	X(RETRANSMITS_TO_SERVER, 32)                                                               \
	X(RETRANSMITS_TO_CLIENT, 33)                                                               \
	X(RETRANSMITTED_BYTES_TO_SERVER, 34)                                                       \
	X(RETRANSMITTED_BYTES_TO_CLIENT, 35)                                                       \
	X(UNACKED_TO_SERVER, 36)                                                                   \
	X(UNACKED_TO_CLIENT, 37)                                                                   \
	X(BUSY_TO_SERVER, 38)                                                                      \
	X(BUSY_TO_CLIENT, 39)                                                                      \
	X(RECEIVE_WINDOW_TO_SERVER, 40)                                                            \
	X(RECEIVE_WINDOW_TO_CLIENT, 41)                                                            \
	X(SEND_BUFFER_TO_SERVER, 42)                                                               \
	X(SEND_BUFFER_TO_CLIENT, 43)

#define WIRE_DNS_NUMBERS(X)                                                                        \
	X(QUERIES, 1)                                                                              \
	X(ANSWERS, 2)                                                                              \
	X(TIMEOUTS, 3)                                                                             \
	X(FORMERR, 4)                                                                              \
	X(SERVFAIL, 5)                                                                             \
	X(NXDOMAIN, 6)                                                                             \
	X(NOTIMP, 7)                                                                               \
	X(REFUSED, 8)                                                                              \
	X(OTHER, 9)

#define WIRE_NETNS_NUMBERS(X)                                                                      \
	X(ATTEMPTED, 1)                                                                            \
	X(ACCEPTED, 2)                                                                             \
	X(RETRANSMITS, 3)                                                                          \
	X(DATAGRAMS_SENT, 4)                                                                       \
	X(DATAGRAMS_RECEIVED, 5)                                                                   \
	X(DATAGRAMS_DROPPED, 6)

#define WIRE_LOSS_NUMBERS(X)                                                                       \
	X(SLOTS_FULL, 1)                                                                           \
	X(FLOWS_FULL, 2)                                                                           \
	X(COARSE_FULL, 3)                                                                          \
	X(DROPPED, 4)                                                                              \
	X(LISTENERS_FULL, 5)                                                                       \
	X(CLOSE_UNSEEN, 6)                                                                         \
	X(UNADOPTED, 7)                                                                            \
	X(RECURSION, 8)                                                                            \
	X(DROPS_FULL, 9)                                                                           \
	X(PROCESSES_FULL, 10)                                                                      \
	X(PROCESS_EVENTS_FULL, 11)                                                                 \
	X(ACTORS_FULL, 12)                                                                         \
	X(HANDLES_FULL, 13)                                                                        \
	X(LATE_WINDOWS, 14)                                                                        \
	X(DNS_FULL, 15)                                                                            \
	X(DNS_QUERIES_FULL, 16)                                                                    \
	X(DNS_NAMES_FULL, 17)                                                                      \
	X(DNS_BAD, 18)                                                                             \
	X(NAT_OVERRUNS, 19)                                                                        \
	X(NAT_FULL, 20)                                                                            \
	X(NAT_UNRESOLVED, 21)                                                                      \
	X(QUEUE_FULL, 22)                                                                          \
	X(REFUSED_BY_SERVER, 23)                                                                   \
	X(PENDING_FULL, 24)

/* A set of counters with their numbers. */
struct wire_numbers {
	const uint8_t *number; /* of each counter, by its place */
	const uint8_t
		*place; /* by number, one more than the place; 0: a number nobody here knows */
	uint8_t count;
};

#define WIRE_NUMBER_MAX 63

extern const struct wire_numbers wire_counter_numbers, wire_dns_numbers, wire_netns_numbers,
	wire_loss_numbers;

/* The place of a number's counter; -1: not known. */
int wire_number_find(const struct wire_numbers *n, uint64_t number);

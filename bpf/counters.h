/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counters of a flow, in one table.
 *
 * The kernel adds into an array in this order, the agent carries it, the server sums it and the API
 * prints it under these names: one table, one meaning, from tcp_sock to JSON.
 *
 * Every counter is a sum over a window and only ever added up. Directions are "to server" and "to
 * client", never "in" and "out": whoever adds knows its own role (see flow.h).
 * Times are jiffies in the kernel's records and microseconds from the agent on.
 *
 * Invariant: new counters go at the end of their group; nothing stores their places: names do, and the
 * numbers of src/wire/numbers.h, where a new one needs its own.
 */
#pragma once

/* clang-format off */
#define MR_COUNTERS(X)                                                                             \
	/* connections */                                                                          \
	X(ATTEMPTED, "attempted")                         /* connect() sent or queued a SYN     */ \
	X(OPENED, "opened")                               /* reached ESTABLISHED                */ \
	X(ADOPTED, "adopted")                             /* found open when the agent started  */ \
	X(CLOSED, "closed")                               /* opened or adopted, and gone        */ \
	X(RESET_BY_CLIENT, "reset_by_client")             /* closed by an RST, by who sent it   */ \
	X(RESET_BY_SERVER, "reset_by_server")                                                      \
	X(BROKEN, "broken")                               /* closed: the peer stopped answering */ \
	X(FAILED_REFUSED, "failed_refused")               /* attempted, never opened, because:  */ \
	X(FAILED_TIMED_OUT, "failed_timed_out")                                                    \
	X(FAILED_UNREACHABLE, "failed_unreachable")                                                \
	X(FAILED_RESET, "failed_reset")                                                            \
	X(FAILED_ABORTED, "failed_aborted")               /* the client gave up by itself       */ \
	X(FAILED_OTHER, "failed_other")                                                            \
	X(SYNACK_RETRANSMITS, "synack_retransmits")       /* server: its SYN-ACK got no answer  */ \
	/* payload: handed to the network once by the sender, seen from the reporting end */       \
	X(BYTES_TO_SERVER, "bytes_to_server")                                                      \
	X(BYTES_TO_CLIENT, "bytes_to_client")                                                      \
	X(ADOPTED_BYTES_TO_SERVER, "adopted_bytes_to_server")  /* carried before the agent came */ \
	X(ADOPTED_BYTES_TO_CLIENT, "adopted_bytes_to_client")                                      \
	X(SEGMENTS_TO_SERVER, "segments_to_server")                                                \
	X(SEGMENTS_TO_CLIENT, "segments_to_client")                                                \
	X(DATAGRAMS_TO_SERVER, "datagrams_to_server")     /* UDP: taken by the reporting end,   */ \
	X(DATAGRAMS_TO_CLIENT, "datagrams_to_client")     /* or handed to the network by it     */ \
	X(DROPPED_TO_SERVER, "datagrams_dropped_to_server") /* its receive queue was full       */ \
	X(DROPPED_TO_CLIENT, "datagrams_dropped_to_client")                                        \
	/* what only the sending end knows; the other direction comes from the other end's view */ \
	X(RETRANSMITS_TO_SERVER, "retransmits_to_server")                                          \
	X(RETRANSMITS_TO_CLIENT, "retransmits_to_client")                                          \
	X(RETRANSMITTED_BYTES_TO_SERVER, "retransmitted_bytes_to_server")                          \
	X(RETRANSMITTED_BYTES_TO_CLIENT, "retransmitted_bytes_to_client")                          \
	X(UNACKED_TO_SERVER, "unacked_to_server")         /* bytes never acknowledged, at close */ \
	X(UNACKED_TO_CLIENT, "unacked_to_client")                                                  \
	X(BUSY_TO_SERVER, "busy_to_server")               /* time with data to send             */ \
	X(BUSY_TO_CLIENT, "busy_to_client")                                                        \
	X(RECEIVE_WINDOW_TO_SERVER, "receive_window_to_server") /* … waiting for the receiver   */ \
	X(RECEIVE_WINDOW_TO_CLIENT, "receive_window_to_client")                                    \
	X(SEND_BUFFER_TO_SERVER, "send_buffer_to_server") /* … waiting for its own send buffer  */ \
	X(SEND_BUFFER_TO_CLIENT, "send_buffer_to_client")
/* clang-format on */

#define MR_COUNTER_ENUM(id, name) MR_##id,
enum mr_counter { MR_COUNTERS(MR_COUNTER_ENUM) MR_COUNTER_COUNT };

/* The counter of the other direction of one that comes in a pair. */
#define MR_TO_CLIENT(to_server) ((to_server) + 1)

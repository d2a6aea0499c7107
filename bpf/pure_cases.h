/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cases for the pure headers, run natively (pure_test.c) and in the kernel (pure.bpf.c): the same
 * inputs must give the same answers on both sides.
 */
#pragma once

#include "account.h"
#include "histogram.h"
#include "udp_role.h"

struct account_case {
	const char *name;
	struct mr_tcp tcp;
	__u64 sent, received, acked;
	__u32 unacked;
	__u32 outcome_client, outcome_server; /* enum mr_counter */
};

#define NO_OUTCOME MR_COUNTER_COUNT
#define OPEN       .phase = MR_PHASE_OPENED

/* clang-format off */
static const struct account_case account_cases[] = {
	{"client, sent 100, FIN acknowledged, peer sent 50 and FIN",
	 {.bytes_acked = 102, .bytes_received = 51, .snd_nxt = 1102, .snd_una = 1102, .write_seq = 1102,
	  .state = MR_TCP_FIN_WAIT2, .connected = 1, .done = 1, OPEN},
	 100, 50, 100, 0, NO_OUTCOME, NO_OUTCOME},
	{"server, the same from the other end, still waiting for its FIN's ACK",
	 {.bytes_acked = 50, .bytes_received = 101, .snd_nxt = 1051, .snd_una = 1050, .write_seq = 1051,
	  .state = MR_TCP_LAST_ACK, .done = 1, OPEN},
	 50, 100, 49, 0, NO_OUTCOME, NO_OUTCOME},
	{"established, nothing moved, closed by our RST",
	 {.bytes_acked = 1, .snd_nxt = 1, .snd_una = 1, .write_seq = 1, .state = MR_TCP_ESTABLISHED,
	  .connected = 1, OPEN},
	 0, 0, 0, 0, MR_RESET_BY_CLIENT, MR_RESET_BY_SERVER},
	{"400 bytes under way when the peer reset",
	 {.bytes_acked = 101, .snd_nxt = 501, .snd_una = 101, .write_seq = 901, .err = 104,
	  .state = MR_TCP_ESTABLISHED, .connected = 1, OPEN},
	 500, 0, 100, 400, MR_RESET_BY_SERVER, MR_RESET_BY_CLIENT},
	{"sequence numbers wrap",
	 {.bytes_acked = 5000000001ull, .snd_nxt = 90, .snd_una = 0xfffffff6u, .write_seq = 90,
	  .state = MR_TCP_ESTABLISHED, .connected = 1, OPEN},
	 5000000100ull, 0, 5000000000ull, 100, MR_RESET_BY_CLIENT, MR_RESET_BY_SERVER},
	{"FIN_WAIT1 with a FIN that the local stack refused: 20 of 30 bytes left",
	 {.bytes_acked = 1, .snd_nxt = 21, .snd_una = 1, .write_seq = 32, .state = MR_TCP_FIN_WAIT1,
	  .connected = 1, .err = 110, OPEN},
	 20, 0, 0, 20, MR_BROKEN, MR_BROKEN},
	{"FIN_WAIT1, data and FIN under way, given up",
	 {.bytes_acked = 1, .snd_nxt = 32, .snd_una = 1, .write_seq = 32, .state = MR_TCP_FIN_WAIT1,
	  .connected = 1, .err = 110, OPEN},
	 30, 0, 0, 30, MR_BROKEN, MR_BROKEN},
	{"both closed at once",
	 {.bytes_acked = 11, .bytes_received = 8, .snd_nxt = 12, .snd_una = 11, .write_seq = 12,
	  .state = MR_TCP_CLOSING, .connected = 1, .done = 1, OPEN},
	 10, 7, 9, 0, NO_OUTCOME, NO_OUTCOME},
	{"closed with unread data after the peer's FIN",
	 {.bytes_acked = 1, .bytes_received = 11, .snd_nxt = 1, .snd_una = 1, .write_seq = 1,
	  .state = MR_TCP_CLOSE_WAIT, .connected = 1, .done = 1, OPEN},
	 0, 10, 0, 0, MR_RESET_BY_CLIENT, MR_RESET_BY_SERVER},
	{"reset after the peer's FIN",
	 {.bytes_acked = 1, .bytes_received = 1, .snd_nxt = 1, .snd_una = 1, .write_seq = 1, .err = 32,
	  .state = MR_TCP_CLOSE_WAIT, .connected = 1, .done = 1, OPEN},
	 0, 0, 0, 0, MR_RESET_BY_SERVER, MR_RESET_BY_CLIENT},
	{"refused", {.snd_nxt = 1, .state = MR_TCP_SYN_SENT, .connected = 1, .err = 111, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_REFUSED, MR_FAILED_REFUSED},
	{"timed out", {.snd_nxt = 1, .state = MR_TCP_SYN_SENT, .connected = 1, .err = 110, .total_retrans = 6, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_TIMED_OUT, MR_FAILED_TIMED_OUT},
	{"given up after a retransmit", {.snd_nxt = 1, .state = MR_TCP_SYN_SENT, .connected = 1, .total_retrans = 1, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_TIMED_OUT, MR_FAILED_TIMED_OUT},
	{"ICMP's end, and the program was quicker to take the error",
	 {.snd_nxt = 1, .state = MR_TCP_SYN_SENT, .connected = 1, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_UNREACHABLE, MR_FAILED_UNREACHABLE},
	{"given up at once", {.snd_nxt = 1, .state = MR_TCP_SYN_SENT, .connected = 1, .owned = 1, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_ABORTED, MR_FAILED_ABORTED},
	{"refused, and the program was quicker to take the error",
	 {.snd_nxt = 1, .state = MR_TCP_SYN_SENT, .connected = 1, .segs_in = 1, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_REFUSED, MR_FAILED_REFUSED},
	{"given up after the SYNs crossed, before the last ACK",
	 {.snd_nxt = 1, .state = MR_TCP_SYN_RECV, .connected = 1, .segs_in = 1, .owned = 1, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_ABORTED, MR_FAILED_ABORTED},
	{"reset after the SYNs crossed, and the program was quicker to take the error",
	 {.snd_nxt = 1, .state = MR_TCP_SYN_RECV, .connected = 1, .segs_in = 2, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_RESET, MR_FAILED_RESET},
	{"no route to the host", {.state = MR_TCP_SYN_SENT, .connected = 1, .err = 113, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_UNREACHABLE, MR_FAILED_UNREACHABLE},
	{"network unreachable", {.state = MR_TCP_SYN_SENT, .connected = 1, .err = 101, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_UNREACHABLE, MR_FAILED_UNREACHABLE},
	{"something else", {.state = MR_TCP_SYN_SENT, .connected = 1, .err = 92, .phase = MR_PHASE_ATTEMPTED},
	 0, 0, 0, 0, MR_FAILED_OTHER, MR_FAILED_OTHER},
};

struct histogram_case {
	__u32 value, bucket;
};

static const struct histogram_case histogram_cases[] = {
	{0, 0}, {1, 0}, {2, 4}, {3, 6}, {4, 8}, {5, 9}, {6, 10}, {7, 11}, {8, 12}, {1000, 39},
	{1024, 40}, {1217, 40}, {1218, 41}, {1448, 41}, {1449, 42}, {1722, 42}, {1723, 43}, {2047, 43},
	{20000, 57}, {1000000, 79}, {16777215, 95}, {16777216, 95}, {4294967295u, 95},
};

struct role_case {
	const char *name;
	struct udp_ends ends; /* of one end; the other's are the same, turned round */
	__u8 other_bound, other_received_first;
	__u8 role;
};

#define V4(a, b, c, d) {[10] = 0xff, 0xff, a, b, c, d}
static const struct role_case role_cases[] = {
	{"a resolver and who asks it", {V4(10, 0, 0, 9), V4(10, 0, 0, 1), 40000, 53, 32768, 0, 0}, 1, 1, MR_ROLE_CLIENT},
	{"a resolver that names high ports itself asks another", {V4(10, 0, 0, 1), V4(9, 9, 9, 9), 50000, 53, 32768, 1, 0}, 1, 1, MR_ROLE_CLIENT},
	{"a server on a named high port", {V4(10, 0, 0, 1), V4(10, 0, 0, 9), 51000, 40000, 32768, 1, 1}, 0, 0, MR_ROLE_SERVER},
	{"a server that took any port, and was spoken to first", {V4(10, 0, 0, 1), V4(10, 0, 0, 9), 51000, 40000, 32768, 0, 1}, 0, 0, MR_ROLE_SERVER},
	{"DHCP: both named theirs", {V4(10, 0, 0, 1), V4(10, 0, 0, 9), 67, 68, 32768, 1, 1}, 1, 0, MR_ROLE_SERVER},
	{"NTP: the same port at both", {V4(10, 0, 0, 1), V4(10, 0, 0, 9), 123, 123, 32768, 1, 0}, 1, 1, MR_ROLE_SERVER},
	{"WireGuard: the same high port at both", {V4(10, 0, 0, 9), V4(10, 0, 0, 1), 51820, 51820, 32768, 1, 0}, 1, 1, MR_ROLE_CLIENT},
	{"mDNS: a group serves, whatever the ports", {V4(10, 0, 0, 1), V4(224, 0, 0, 251), 5353, 5353, 32768, 1, 0}, 1, 1, MR_ROLE_CLIENT},
	{"IPv6 multicast, from a low port to a high one", {{0xfd, 0, [15] = 1}, {0xff, 2, [15] = 1}, 500, 40000, 32768, 1, 0}, 1, 1, MR_ROLE_CLIENT},
	{"DHCP to all", {V4(0, 0, 0, 0), V4(255, 255, 255, 255), 68, 67, 32768, 1, 0}, 1, 1, MR_ROLE_CLIENT},
	{"an IPv6 server", {{0xfd, 0, [15] = 2}, {0xfd, 0, [15] = 1}, 443, 40001, 32768, 1, 1}, 0, 0, MR_ROLE_SERVER},
};
/* clang-format on */

#define ROLE_CASES      (sizeof(role_cases) / sizeof(role_cases[0]))
#define ACCOUNT_CASES   (sizeof(account_cases) / sizeof(account_cases[0]))
#define HISTOGRAM_CASES (sizeof(histogram_cases) / sizeof(histogram_cases[0]))

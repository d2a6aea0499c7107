/* SPDX-License-Identifier: Apache-2.0 */
/* Version 1, with every field it began with; see recorded.h. Never changed. */
#include <linux/types.h>

#include "../../bpf/flow.h"
#include "recorded.h"

#define IPV4(a, b, c, d)                                                                           \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d                   \
	}

static struct wire_actor actors[] = {
	{1, 4711, "nginx", "nginx.service", "", "", "system.slice/nginx.service"},
	{2, 0, "report.py", "", "3f2a990123456789abcdef0123456789abcdef0123456789abcdef0123456789",
	 "0d1c6f8e-5f4b-4a37-9a43-f8a1b2c3d4e5", "kubepods.slice/pod0d1c6f8e"},
	{8191, 4194304, "\xff\xfe not UTF-8 \x01", "", "", "", "user.slice/\xc3\xa4"},
};

static struct wire_flow flows[] = {
	{.handle = 1,
	 .actor = 1,
	 .transport = WIRE_TRANSPORT_TCP,
	 .role = MR_ROLE_SERVER,
	 .port = 443,
	 .netns = 4026531840u,
	 .local = IPV4(10, 1, 2, 3),
	 .remote = IPV4(203, 0, 113, 7)},
	{.handle = 7,
	 .actor = 2,
	 .transport = WIRE_TRANSPORT_UDP,
	 .role = MR_ROLE_CLIENT,
	 .port = 53,
	 .netns = 4026532201u,
	 .local = {0xfd, 0, [15] = 1},
	 .remote = {0xfd, 0, [15] = 0x35},
	 .via_port = 5353,
	 .via = IPV4(169, 254, 20, 10)},
	{.handle = 65535,
	 .actor = 2,
	 .transport = WIRE_TRANSPORT_TCP,
	 .role = MR_ROLE_CLIENT,
	 .port = 65535,
	 .netns = 1,
	 .local = IPV4(127, 0, 0, 1),
	 .remote = IPV4(10, 96, 0, 1),
	 .unresolved = true},
	{.handle = 3, .actor = 8191, .transport = WIRE_TRANSPORT_TCP, .coarse = true},
};

static uint32_t retired[] = {12, 5, 65534};

static struct wire_dns dns;
static struct wire_drop drops[] = {{"NETFILTER_DROP", 3}, {"~other", UINT64_C(1) << 40}};
static struct histogram rtt_us[3], connect_us;
static struct wire_update updates[5];

static struct wire_name names[] = {
	{4026531840u, IPV4(203, 0, 113, 7), "api.example"},
	{4026532201u, {0x20, 0x01, 0x0d, 0xb8, [15] = 9}, "api.example"},
};

static struct wire_listener listeners[] = {
	{1, 4026531840u, IPV4(0, 0, 0, 0), 443, WIRE_TRANSPORT_TCP, 2, 3, 511},
	{2, 4026532201u, {0}, 65535, WIRE_TRANSPORT_UDP, UINT32_MAX, 0, 0},
};

static struct wire_event events[] = {
	{1, 4711, 1, WIRE_EVENT_STARTED, WIRE_EVENT_PROCESS, 0, false, true, 5000000001,
	 5000000001},
	{2, 9, 700, WIRE_EVENT_FAILED, WIRE_EVENT_PROCESS, 255, false, false, 5000000000,
	 5999999999},
	{2, 8, 1, WIRE_EVENT_KILLED, WIRE_EVENT_CONTAINER, 9, true, false, 5500000000, 5500000000},
};

static struct wire_netns netns[2];

/* What version 1 counts, in the order of its numbers. By name, so that a number that changes hands
 * is seen. Counters are numbers from 8, the others from 1. */
static const uint8_t counters[] = {MR_ATTEMPTED,
				   MR_OPENED,
				   MR_ADOPTED,
				   MR_CLOSED,
				   MR_RESET_BY_CLIENT,
				   MR_RESET_BY_SERVER,
				   MR_BROKEN,
				   MR_FAILED_REFUSED,
				   MR_FAILED_TIMED_OUT,
				   MR_FAILED_UNREACHABLE,
				   MR_FAILED_RESET,
				   MR_FAILED_ABORTED,
				   MR_FAILED_OTHER,
				   MR_SYNACK_RETRANSMITS,
				   MR_BYTES_TO_SERVER,
				   MR_BYTES_TO_CLIENT,
				   MR_ADOPTED_BYTES_TO_SERVER,
				   MR_ADOPTED_BYTES_TO_CLIENT,
				   MR_SEGMENTS_TO_SERVER,
				   MR_SEGMENTS_TO_CLIENT,
				   MR_DATAGRAMS_TO_SERVER,
				   MR_DATAGRAMS_TO_CLIENT,
				   MR_DROPPED_TO_SERVER,
				   MR_DROPPED_TO_CLIENT,
				   MR_RETRANSMITS_TO_SERVER,
				   MR_RETRANSMITS_TO_CLIENT,
				   MR_RETRANSMITTED_BYTES_TO_SERVER,
				   MR_RETRANSMITTED_BYTES_TO_CLIENT,
				   MR_UNACKED_TO_SERVER,
				   MR_UNACKED_TO_CLIENT,
				   MR_BUSY_TO_SERVER,
				   MR_BUSY_TO_CLIENT,
				   MR_RECEIVE_WINDOW_TO_SERVER,
				   MR_RECEIVE_WINDOW_TO_CLIENT,
				   MR_SEND_BUFFER_TO_SERVER,
				   MR_SEND_BUFFER_TO_CLIENT};
static const uint8_t dns_counters[] = {WIRE_DNS_QUERIES, WIRE_DNS_ANSWERS,  WIRE_DNS_TIMEOUTS,
				       WIRE_DNS_FORMERR, WIRE_DNS_SERVFAIL, WIRE_DNS_NXDOMAIN,
				       WIRE_DNS_NOTIMP,  WIRE_DNS_REFUSED,  WIRE_DNS_OTHER};
static const uint8_t netns_counters[] = {NETNS_ATTEMPTED,          NETNS_ACCEPTED,
					 NETNS_RETRANSMITS,        NETNS_DATAGRAMS_SENT,
					 NETNS_DATAGRAMS_RECEIVED, NETNS_DATAGRAMS_DROPPED};
static const uint8_t losses[] = {WIRE_LOSS_SLOTS_FULL,
				 WIRE_LOSS_FLOWS_FULL,
				 WIRE_LOSS_COARSE_FULL,
				 WIRE_LOSS_DROPPED,
				 WIRE_LOSS_LISTENERS_FULL,
				 WIRE_LOSS_CLOSE_UNSEEN,
				 WIRE_LOSS_UNADOPTED,
				 WIRE_LOSS_RECURSION,
				 WIRE_LOSS_DROPS_FULL,
				 WIRE_LOSS_PROCESSES_FULL,
				 WIRE_LOSS_PROCESS_EVENTS_FULL,
				 WIRE_LOSS_ACTORS_FULL,
				 WIRE_LOSS_HANDLES_FULL,
				 WIRE_LOSS_LATE_WINDOWS,
				 WIRE_LOSS_DNS_FULL,
				 WIRE_LOSS_DNS_QUERIES_FULL,
				 WIRE_LOSS_DNS_NAMES_FULL,
				 WIRE_LOSS_DNS_BAD,
				 WIRE_LOSS_NAT_OVERRUNS,
				 WIRE_LOSS_NAT_FULL,
				 WIRE_LOSS_NAT_UNRESOLVED,
				 WIRE_LOSS_QUEUE_FULL};

#define COUNTER(number) counters[(number)-8]

/* Each has a value of its own; row 1 has them all, as negative sums. */
static void set_counters(void)
{
	static const uint8_t usual[] = {8, 9, 11, 22, 23, 26, 27};

	for (unsigned int number = 8; number <= 43; number++) {
		updates[1].counter[COUNTER(number)] = 0 - (uint64_t)number * 1000;
		updates[2].counter[COUNTER(number)] = number % 3 ? 0 : UINT64_C(1) << number;
	}
	for (unsigned int i = 0; i < sizeof(usual); i++)
		updates[0].counter[COUNTER(usual[i])] = usual[i] * 10;
	updates[3].counter[MR_DATAGRAMS_TO_SERVER] = 2;
}

static void set_histograms(void)
{
	for (unsigned int i = 0; i < 3; i++)
		updates[i].rtt_us = &rtt_us[i];
	updates[0].connect_us = &connect_us;
	for (uint32_t i = 0; i < 40; i++)
		histogram_add(&rtt_us[0], 90 + i * i * 7);
	histogram_add(&connect_us, 0);
	histogram_add(&rtt_us[1], UINT32_MAX);
	histogram_add(&rtt_us[1], 1);
	rtt_us[2].count = 3; /* read while it was added to */
	rtt_us[2].max = 17;
	rtt_us[2].bucket[95] = UINT32_MAX;
	histogram_add(&dns.latency_us, 1200);
	histogram_add(&dns.latency_us, 5000000);
}

static void set_rows(void)
{
	static const uint32_t handles[] = {1, 3, 7, 7, 65535};

	for (unsigned int i = 0; i < 5; i++)
		updates[i].flow = handles[i];
	set_counters();
	set_histograms();
	for (unsigned int number = 1; number <= 9; number++)
		dns.counter[dns_counters[number - 1]] = number * number;
	updates[3].dns = &dns;
	updates[4].drops = drops;
	updates[4].drop_count = 2;
	for (unsigned int number = 1; number <= 6; number++) {
		uint8_t place = netns_counters[number - 1];

		netns[0].ours[place] = number;
		netns[0].baseline[place] = UINT64_C(1) << (10 * number);
		netns[1].ours[place] = number == 4 ? 99 : 0;
	}
	netns[0].netns = 4026531840u;
	netns[0].cookie = 1;
	netns[1].netns = 4026532201u;
	netns[1].cookie = 65535;
}

static void set_rest(struct wire_batch *b)
{
	b->node = "node-17.example";
	b->boot_id = "4b3c0c5e-0b0e-4a1e-8a59-3a4f6f0d6f55";
	b->version = "0.1.0";
	b->kernel = "6.1.0-28-amd64";
	b->started_ns = 1234567890;
	b->sequence = 5;
	b->window_start_ns = 5000000000;
	b->window_end_ns = 6000000001;
	b->sent_ns = 6100000000;
	b->listeners_changed = true;
	for (unsigned int number = 1; number <= 22; number++)
		b->loss[losses[number - 1]] = number == 13 ? 0 : number * 100;
	b->status = (struct wire_status){.hooks = "sock_ops, inet_sk_error_report",
					 .agent_cpu_ns = 11,
					 .kernel_cpu_ns = 12,
					 .sweep_ns = 13,
					 .sweep_sockets = 14,
					 .window_wanted_ns = 1000000000,
					 .window_ns = 1500000000,
					 .cpu_budget_percent = 0.1,
					 .sockets = 15,
					 .slots = 16384,
					 .flows_max = 2048,
					 .listeners = 2,
					 .cpus = 128,
					 .process_records = UINT64_MAX};
}

#define ROWS(b, kind, number) ((b)->number = sizeof(kind) / sizeof(*(kind)), (b)->kind = (kind))

struct wire_batch *recorded_1(void)
{
	struct wire_batch *b = wire_batch_new();

	if (!b)
		return NULL;
	if (!updates[0].flow)
		set_rows();
	ROWS(b, actors, actor_count);
	ROWS(b, flows, flow_count);
	ROWS(b, retired, retired_count);
	ROWS(b, updates, update_count);
	ROWS(b, names, name_count);
	ROWS(b, listeners, listener_count);
	ROWS(b, events, event_count);
	ROWS(b, netns, netns_count);
	set_rest(b);
	return b;
}

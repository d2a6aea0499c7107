/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Runs the pure headers in the kernel, on demand, for pure_kernel_test.c. Not part of millrace. */
#include "kernel.h"

#include "account.h"
#include "histogram.h"
#include "udp_role.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct mr_tcp tcp;
struct udp_ends ends;
__u8 role;
__u32 value;
__u64 sent, received, acked;
__u32 unacked, outcome_client, outcome_server, bucket;

SEC("raw_tp")
int account_run(void *ctx)
{
	sent = mr_tcp_sent(&tcp);
	received = mr_tcp_received(&tcp);
	acked = mr_tcp_acked(&tcp);
	unacked = mr_tcp_unacked(&tcp);
	outcome_client = mr_tcp_outcome(&tcp, 0);
	outcome_server = mr_tcp_outcome(&tcp, 1);
	return 0;
}

SEC("raw_tp")
int histogram_run(void *ctx)
{
	bucket = mr_histogram_bucket(value);
	return 0;
}

SEC("raw_tp")
int role_run(void *ctx)
{
	role = udp_role(&ends);
	return 0;
}

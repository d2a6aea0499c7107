/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live connections on demand, with what `ss -ti` shows. One record per slot into the iterator's
 * file; nothing is kept. Read like the sweep reads: without a lock, by address.
 */
#pragma once

#include "sweep.h"

static __always_inline void connection_fill(struct mr_connection *c, u64 address)
{
	c->state = SK(__sk_common.skc_state);
	c->rtt_us = TCP(srtt_us) >> 3;
	c->rttvar_us = TCP(mdev_us) >> 2;
	c->min_rtt_us = TCP(rtt_min.s[0].v);
	c->cwnd = TCP(snd_cwnd);
	c->ssthresh = TCP(snd_ssthresh);
	c->mss = TCP(mss_cache);
	c->unacked_segments = TCP(packets_out);
	c->retransmits = TCP(total_retrans);
	c->bytes_sent = TCP(bytes_sent);
	c->bytes_received = TCP(bytes_received);
	c->bytes_acked = TCP(bytes_acked);
	c->segments_sent = TCP(segs_out);
	c->segments_received = TCP(segs_in);
	c->pacing_rate = SK(sk_pacing_rate);
	c->rate_delivered = TCP(rate_delivered);
	c->rate_interval_us = TCP(rate_interval_us);
	c->last_send_jiffies = TCP(lsndtime);
	c->last_receive_jiffies = TCP(inet_conn.icsk_ack.lrcvtime);
}

static __always_inline void connection_age(struct mr_connection *c, const struct slot *s)
{
	u64 connect = s->connect;

	if (s->adopted || !connect)
		return;
	if (connect & CONNECT_OPENED)
		c->age_jiffies = (u32)bpf_jiffies64() - (u32)connect;
	else
		c->age_ns = bpf_ktime_get_ns() - connect;
}

static __noinline int connection_show(struct seq_file *seq, u32 number)
{
	struct slot *s = slot_at(number);
	struct mr_connection c = {};
	u64 address;

	if (!seq || !s || !slot_is_held(s))
		return 0;
	address = owner_address(owner_of(s));
	if (!socket_is_slots(address, s))
		return 0;
	key_probe(&c.key, address, s);
	c.process_start_ns = s->process_start_ns;
	__builtin_memcpy(c.comm, s->comm, sizeof(c.comm));
	connection_age(&c, s);
	c.local_port = bpf_ntohs(INET(inet_sport));
	c.remote_port = s->remote_port;
	c.now_jiffies = bpf_jiffies64();
	connection_fill(&c, address);
	bpf_seq_write(seq, &c, sizeof(c));
	return 0;
}

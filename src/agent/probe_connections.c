/* SPDX-License-Identifier: Apache-2.0 */
/* Live connections on demand: reads the iterator of bpf/connections.h; see probe.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/probe_internal.h"

#define RECORDS_AT_ONCE 64

int probe_connections_open(struct probe *p, struct error *e)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);

	info.map.map_fd = bpf_map__fd(p->skel->maps.mr_regions);
	opts.link_info = &info;
	opts.link_info_len = sizeof(info);
	p->connections_link = bpf_program__attach_iter(p->skel->progs.mr_connections_walk, &opts);
	if (!p->connections_link)
		return error_set(e, -errno,
				 "cannot attach the iterator of live connections: %s; "
				 "'millrace check' tells what this kernel lacks",
				 strerror(errno));
	return 0;
}

static uint32_t jiffies_ago_ms(const struct probe *p, uint32_t now, uint32_t then)
{
	return (uint64_t)(now - then) * p->us_per_jiffy / 1000;
}

static void connection_of(const struct probe *p, const struct mr_connection *m,
			  struct wire_connection *c)
{
	*c = (struct wire_connection){
		.netns = m->key.netns,
		.role = m->key.role,
		.state = m->state,
		.local_port = m->local_port,
		.remote_port = m->remote_port,
		.pid = m->key.tgid,
		.rtt_us = m->rtt_us,
		.rttvar_us = m->rttvar_us,
		.min_rtt_us = m->min_rtt_us == UINT32_MAX ? 0 : m->min_rtt_us,
		.cwnd = m->cwnd,
		.ssthresh = m->ssthresh,
		.mss = m->mss,
		.unacked_segments = m->unacked_segments,
		.retransmits = m->retransmits,
		.bytes_sent = m->bytes_sent,
		.bytes_received = m->bytes_received,
		.bytes_acked = m->bytes_acked,
		.segments_sent = m->segments_sent,
		.segments_received = m->segments_received,
		.pacing_rate = m->pacing_rate,
		.age_ms = m->age_ns / 1000000 + (uint64_t)m->age_jiffies * p->us_per_jiffy / 1000,
		.last_send_ms = jiffies_ago_ms(p, m->now_jiffies, m->last_send_jiffies),
		.last_receive_ms = jiffies_ago_ms(p, m->now_jiffies, m->last_receive_jiffies),
	};
	if (m->rate_interval_us)
		c->delivery_rate =
			(uint64_t)m->rate_delivered * m->mss * 1000000 / m->rate_interval_us;
	memcpy(c->local, m->key.local, sizeof(c->local));
	memcpy(c->remote, m->key.remote, sizeof(c->remote));
}

int probe_connections(struct probe *p, uint32_t max, probe_connection_fn fn, void *userdata,
		      uint64_t *ret_total)
{
	struct mr_connection records[RECORDS_AT_ONCE];
	struct wire_connection c;
	uint64_t total = 0;
	ssize_t n = 0;
	size_t have = 0;
	int r = 0, fd = bpf_iter_create(bpf_link__fd(p->connections_link));

	if (fd < 0)
		return -errno;
	while (r >= 0) {
		n = read(fd, (char *)records + have, sizeof(records) - have);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			break;
		have += n;
		for (size_t i = 0; r >= 0 && i < have / sizeof(records[0]); i++) {
			if (total++ >= max)
				continue;
			connection_of(p, &records[i], &c);
			r = fn(userdata, &records[i].key, &c, records[i].comm,
			       records[i].process_start_ns);
		}
		memmove(records, (char *)records + have - have % sizeof(records[0]),
			have % sizeof(records[0]));
		have %= sizeof(records[0]);
	}
	if (n < 0)
		r = -errno;
	close(fd);
	*ret_total = total;
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's rings: messages of name servers (bpf/dns.h) and what became of processes
 * (bpf/process.h). */
#include <errno.h>

#include <bpf/libbpf.h>

#include "agent/probe_internal.h"

static int on_message(void *userdata, void *data, size_t size)
{
	struct probe *p = userdata;
	const struct mr_dns_head *head = data;

	if (p->reader && size >= sizeof(*head) && head->size <= size - sizeof(*head))
		p->reader->on_dns(p->reader->userdata, head, head + 1);
	return 0;
}

static int on_process(void *userdata, void *data, size_t size)
{
	struct probe *p = userdata;

	if (p->reader && size >= sizeof(struct mr_process_event))
		p->reader->on_process(p->reader->userdata, data);
	return 0;
}

int probe_rings_open(struct probe *p)
{
	const struct millrace_bpf *skel = p->skel;

	p->rings = ring_buffer__new(bpf_map__fd(skel->maps.mr_process_events), on_process, p, NULL);
	if (!p->rings)
		return -errno;
	if (p->udp == PROBE_UDP_OFF)
		return 0;
	return ring_buffer__add(p->rings, bpf_map__fd(skel->maps.mr_dns), on_message, p);
}

int probe_rings_fd(const struct probe *p)
{
	return ring_buffer__epoll_fd(p->rings);
}

void probe_rings_close(struct probe *p)
{
	ring_buffer__free(p->rings);
	p->rings = NULL;
}

void probe_rings_read(struct probe *p, const struct probe_reader *reader)
{
	p->reader = reader;
	ring_buffer__consume(p->rings);
	p->reader = NULL;
}

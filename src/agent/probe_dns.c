/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's ring of DNS messages; see bpf/dns.h. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "agent/probe_internal.h"

static int on_message(void *userdata, void *data, size_t size)
{
	struct probe *p = userdata;
	const struct mr_dns_head *head = data;

	if (p->dns_fn && size >= sizeof(*head) && head->size <= size - sizeof(*head))
		p->dns_fn(p->dns_userdata, head, head + 1);
	return 0;
}

int probe_dns_open(struct probe *p)
{
	if (p->udp == PROBE_UDP_OFF)
		return 0;
	p->dns = ring_buffer__new(bpf_map__fd(p->skel->maps.mr_dns), on_message, p, NULL);
	return p->dns ? 0 : -errno;
}

int probe_dns_fd(const struct probe *p)
{
	return p->dns ? ring_buffer__epoll_fd(p->dns) : -1;
}

void probe_dns_close(struct probe *p)
{
	ring_buffer__free(p->dns);
	p->dns = NULL;
}

void probe_dns(struct probe *p, probe_dns_fn fn, void *userdata)
{
	if (!p->dns)
		return;
	p->dns_fn = fn;
	p->dns_userdata = userdata;
	ring_buffer__consume(p->dns);
	p->dns_fn = NULL;
}

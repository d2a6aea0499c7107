/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dns {
	struct dns_names *names;
	struct dns_queries *queries;
	struct dns_message message; /* 20 KB: not on the stack */
	uint64_t faults[DNS_FAULT_COUNT], headless;
};

int dns_new(struct dns **ret)
{
	struct dns *d = calloc(1, sizeof(*d));
	int r = d ? dns_names_new(&d->names, 0) : -ENOMEM;

	if (!r)
		r = dns_queries_new(&d->queries, 0, 0);
	if (r < 0) {
		dns_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct dns *dns_free(struct dns *d)
{
	if (!d)
		return NULL;
	dns_names_free(d->names);
	dns_queries_free(d->queries);
	free(d);
	return NULL;
}

static struct dns_datagram datagram_of(const struct mr_dns_head *head, const struct dns_flow *flow)
{
	struct dns_datagram d;

	memset(&d, 0, sizeof(d));
	d.seen = head->key;
	memcpy(&d.flow, flow, sizeof(d.flow));
	d.process_start_ns = head->process_start_ns;
	memcpy(d.comm, head->comm, sizeof(d.comm));
	d.time_ns = head->time_ns;
	d.client_port = head->client_port;
	d.to_client = head->to_client;
	return d;
}

void dns_see(struct dns *d, const struct mr_dns_head *head, const struct dns_flow *flow,
	     const void *data)
{
	const struct dns_datagram datagram = datagram_of(head, flow);

	if (!head->size)
		return; /* it lay where we could not read it */
	if (dns_message_parse(&d->message, data, head->size, head->length) < 0) {
		d->headless++;
		return;
	}
	d->faults[d->message.fault]++;
	if (dns_queries_see(d->queries, &datagram, &d->message) && head->key.role == MR_ROLE_CLIENT)
		dns_names_learn(d->names, head->key.netns, &d->message, head->time_ns);
}

void dns_report(struct dns *d, uint64_t now_ns, dns_flow_fn fn, void *userdata)
{
	dns_queries_expire(d->queries, now_ns);
	dns_queries_drain(d->queries, fn, userdata);
}

void dns_tell_names(struct dns *d, struct wire_batch *batch)
{
	dns_names_tell(d->names, batch); /* without memory: the rest the next time */
}

void dns_add_losses(const struct dns *d, uint64_t *loss)
{
	struct dns_queries_losses queries;

	dns_queries_losses(d->queries, &queries);
	loss[WIRE_LOSS_DNS_QUERIES_FULL] += queries.forgotten + queries.uncounted;
	loss[WIRE_LOSS_DNS_NAMES_FULL] += dns_names_evicted(d->names);
	loss[WIRE_LOSS_DNS_BAD] += queries.unasked + d->headless;
	for (int i = DNS_FAULT_NONE + 1; i < DNS_FAULT_COUNT; i++)
		loss[WIRE_LOSS_DNS_BAD] += d->faults[i];
}

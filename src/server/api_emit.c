/* SPDX-License-Identifier: Apache-2.0 */
/* The core's records as JSON, under the names of DESIGN's interface and of bpf/counters.h. */
#include "server/api.h"

#include <math.h>
#include <string.h>

static void emit_one(struct emit *e, const struct query_measures *m, enum mr_counter counter)
{
	emit_counter(e, wire_counter_name(counter), m->counter[counter]);
}

static void emit_buckets(struct emit *e, const struct histogram *h)
{
	unsigned int i;

	emit_array_begin(e, "buckets");
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		emit_object_begin(e, NULL);
		emit_number(e, "ge", histogram_bucket_lower(i));
		emit_number(e, "lt", histogram_bucket_upper(i));
		emit_integer(e, "count", h->bucket[i]);
		emit_object_end(e);
	}
	emit_array_end(e);
}

/* To a tenth: finer than any bucket, and shorter. */
static void emit_quantile(struct emit *e, const char *key, const struct histogram *h, double q)
{
	emit_number(e, key, round(histogram_quantile(h, q) * 10) / 10);
}

void api_emit_histogram(struct emit *e, const char *key, const struct histogram *h, bool buckets)
{
	emit_object_begin(e, key);
	emit_integer(e, "count", (int64_t)h->count);
	emit_integer(e, "min", h->count ? h->min : 0);
	emit_quantile(e, "p50", h, 0.50);
	emit_quantile(e, "p95", h, 0.95);
	emit_quantile(e, "p99", h, 0.99);
	emit_integer(e, "max", h->count ? h->max : 0);
	if (buckets)
		emit_buckets(e, h);
	emit_object_end(e);
}

static void emit_failures(struct emit *e, const struct query_measures *m)
{
	emit_object_begin(e, "failed");
	emit_counter(e, "refused", m->counter[MR_FAILED_REFUSED]);
	emit_counter(e, "timed_out", m->counter[MR_FAILED_TIMED_OUT]);
	emit_counter(e, "unreachable", m->counter[MR_FAILED_UNREACHABLE]);
	emit_counter(e, "reset", m->counter[MR_FAILED_RESET]);
	emit_counter(e, "aborted", m->counter[MR_FAILED_ABORTED]);
	emit_counter(e, "other", m->counter[MR_FAILED_OTHER]);
	emit_object_end(e);
}

static void emit_connections(struct emit *e, const struct query_measures *m)
{
	static const enum mr_counter flat[] = {
		MR_ATTEMPTED,       MR_OPENED,          MR_ADOPTED, MR_CLOSED,
		MR_RESET_BY_CLIENT, MR_RESET_BY_SERVER, MR_BROKEN,  MR_SYNACK_RETRANSMITS};
	size_t i;

	emit_object_begin(e, "connections");
	for (i = 0; i < sizeof(flat) / sizeof(*flat); i++)
		emit_one(e, m, flat[i]);
	emit_integer(e, "active", m->active);
	emit_integer(e, "pending", m->pending);
	emit_failures(e, m);
	emit_object_end(e);
}

static void emit_limited(struct emit *e, const char *key, const struct query_measures *m,
			 unsigned int direction)
{
	emit_object_begin(e, key);
	emit_counter(e, "busy", m->counter[MR_BUSY_TO_SERVER + direction]);
	emit_counter(e, "receive_window", m->counter[MR_RECEIVE_WINDOW_TO_SERVER + direction]);
	emit_counter(e, "send_buffer", m->counter[MR_SEND_BUFFER_TO_SERVER + direction]);
	emit_object_end(e);
}

/* null: nobody asked for a name, or the hook is missing. */
static void emit_dns(struct emit *e, const struct wire_dns *dns, bool buckets)
{
	unsigned int i;

	if (!dns->counter[WIRE_DNS_QUERIES] && !dns->counter[WIRE_DNS_ANSWERS] &&
	    !dns->counter[WIRE_DNS_TIMEOUTS]) {
		emit_null(e, "dns");
		return;
	}
	emit_object_begin(e, "dns");
	for (i = 0; i < WIRE_DNS_FIRST_ERROR; i++)
		emit_counter(e, wire_dns_name(i), dns->counter[i]);
	emit_object_begin(e, "errors");
	for (i = WIRE_DNS_FIRST_ERROR; i < WIRE_DNS_COUNT; i++)
		if (dns->counter[i])
			emit_counter(e, wire_dns_name(i), dns->counter[i]);
	emit_object_end(e);
	api_emit_histogram(e, "latency_us", &dns->latency_us, buckets);
	emit_object_end(e);
}

bool api_has_connections(const char *transport)
{
	return strcmp(transport, "udp") != 0;
}

/* By the kernel's reason. */
static void emit_drops(struct emit *e, const struct query_measures *m)
{
	emit_object_begin(e, "drops");
	for (uint32_t i = 0; m->reason_names && i < m->drops.used; i++)
		emit_counter(e, reason_names_get(m->reason_names, m->drops.item[i].reason),
			     m->drops.item[i].count);
	emit_object_end(e);
}

void api_emit_measures(struct emit *e, const struct query_measures *m, bool connections,
		       bool buckets)
{
	int i;

	for (i = MR_BYTES_TO_SERVER; i < MR_BUSY_TO_SERVER; i++)
		emit_one(e, m, i);
	emit_counter(e, "wire_bytes_to_server", m->wire_bytes_to_server);
	emit_counter(e, "wire_bytes_to_client", m->wire_bytes_to_client);
	if (connections)
		emit_connections(e, m);
	else
		emit_null(e, "connections");
	emit_drops(e, m);
	api_emit_histogram(e, "rtt_us", &m->rtt_us, buckets);
	api_emit_histogram(e, "connect_us", &m->connect_us, buckets);
	emit_limited(e, "limited_us_to_server", m, 0);
	emit_limited(e, "limited_us_to_client", m, 1);
	emit_dns(e, &m->dns, buckets);
}

void api_emit_view(struct emit *e, const struct query_measures *m, bool connections, bool buckets)
{
	if (!m) {
		emit_null(e, "server_view");
		return;
	}
	emit_object_begin(e, "server_view");
	api_emit_measures(e, m, connections, buckets);
	emit_object_end(e);
}

void api_emit_endpoint(struct emit *e, const char *key, const struct query_endpoint *end,
		       bool with_port)
{
	emit_object_begin(e, key);
	emit_string(e, "id", end->id);
	emit_string(e, "address", end->address);
	if (with_port)
		emit_integer(e, "port", end->port);
	emit_string(e, "workload", end->workload);
	emit_string(e, "kind", end->kind);
	emit_string(e, "namespace", end->namespace_name);
	emit_string(e, "pod", end->pod);
	emit_string(e, "container", end->container);
	emit_string(e, "unit", end->unit);
	emit_string(e, "process", end->process);
	emit_integer(e, "pid", end->pid);
	emit_string(e, "image", end->image);
	emit_string(e, "tag", end->tag);
	emit_string(e, "node", end->node);
	emit_string(e, "zone", end->zone);
	emit_object_end(e);
}

void api_emit_losses(struct emit *e, const char *key, const struct query_loss *losses, size_t count)
{
	size_t i;

	emit_array_begin(e, key);
	for (i = 0; i < count; i++) {
		emit_object_begin(e, NULL);
		emit_string(e, "cause", losses[i].cause);
		emit_string(e, "help", losses[i].help);
		emit_counter(e, "count", losses[i].count);
		emit_object_end(e);
	}
	emit_array_end(e);
}

/* What was lost on the way into the core, which cannot know. */
static void emit_inbox_loss(struct emit *e, const struct api *a)
{
	uint64_t dropped, waited;

	inbox_losses(a->inbox, &dropped, &waited);
	if (dropped)
		emit_counter(e, "server_queue_full", dropped);
}

/* null: no window at all. */
static void emit_covered(struct emit *e, const struct query_completeness *c)
{
	if (!c->covered_to_ns) {
		emit_null(e, "covered");
		return;
	}
	emit_object_begin(e, "covered");
	emit_seconds(e, "from", c->covered_from_ns);
	emit_seconds(e, "to", c->covered_to_ns);
	emit_object_end(e);
}

void api_emit_completeness(struct emit *e, const struct api *a, const struct query_completeness *c)
{
	size_t i;

	emit_object_begin(e, "completeness");
	emit_number(e, "share", c->share);
	emit_object_begin(e, "agents");
	emit_integer(e, "expected", c->agents_expected);
	emit_integer(e, "reporting", c->agents_reporting);
	emit_object_end(e);
	emit_object_begin(e, "lost");
	for (i = 0; i < c->loss_count; i++)
		emit_counter(e, c->losses[i].cause, c->losses[i].count);
	emit_inbox_loss(e, a);
	emit_object_end(e);
	emit_counter(e, "unresolved_bytes", c->unresolved_bytes);
	emit_number(e, "window_s", c->window_s);
	emit_number(e, "resolution_s", c->resolution_s);
	emit_covered(e, c);
	emit_array_begin(e, "gaps");
	for (i = 0; i < c->gap_count; i++) {
		emit_object_begin(e, NULL);
		emit_string(e, "node", c->gaps[i].node);
		emit_seconds(e, "from", c->gaps[i].from_ns);
		emit_seconds(e, "to", c->gaps[i].to_ns);
		emit_object_end(e);
	}
	emit_array_end(e);
	emit_object_end(e);
}

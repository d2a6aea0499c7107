/* SPDX-License-Identifier: Apache-2.0 */
/* Two batches, field by field; see sample_for_test.h. */
#include <string.h>

#include "wire/sample_for_test.h"

/* Ends the function with the field's name if it differs. */
#define SAME(field)                                                                                \
	do {                                                                                       \
		if (a->field != b->field)                                                          \
			return #field;                                                             \
	} while (0)
#define SAME_TEXT(field)                                                                           \
	do {                                                                                       \
		if (strcmp(a->field ? a->field : "", b->field ? b->field : ""))                    \
			return #field;                                                             \
	} while (0)
#define SAME_BYTES(field)                                                                          \
	do {                                                                                       \
		if (memcmp(&a->field, &b->field, sizeof(a->field)))                                \
			return #field;                                                             \
	} while (0)
/* Each row of a kind, by a function of its own. */
#define SAME_ROWS(rows, count, difference)                                                         \
	do {                                                                                       \
		SAME(count);                                                                       \
		for (size_t i = 0; i < a->count; i++) {                                            \
			const char *d = difference(&a->rows[i], &b->rows[i]);                      \
                                                                                                   \
			if (d)                                                                     \
				return d;                                                          \
		}                                                                                  \
	} while (0)

static const char *actor_difference(const struct wire_actor *a, const struct wire_actor *b)
{
	SAME(handle);
	SAME(pid);
	SAME_TEXT(process);
	SAME_TEXT(unit);
	SAME_TEXT(container);
	SAME_TEXT(pod);
	SAME_TEXT(cgroup);
	return NULL;
}

static const char *flow_difference(const struct wire_flow *a, const struct wire_flow *b)
{
	SAME(handle);
	SAME(actor);
	SAME(transport);
	SAME(role);
	SAME(coarse);
	SAME(port);
	SAME(netns);
	SAME_BYTES(local);
	SAME_BYTES(remote);
	SAME(unresolved);
	SAME(via_port);
	SAME_BYTES(via);
	return NULL;
}

static const char *dns_difference(const struct wire_dns *a, const struct wire_dns *b)
{
	SAME_BYTES(counter);
	SAME_BYTES(latency_us);
	return NULL;
}

static const char *drop_difference(const struct wire_drop *a, const struct wire_drop *b)
{
	SAME_TEXT(reason);
	SAME(count);
	return NULL;
}

/* One of zeros is none. */
static bool same_histogram(const struct histogram *a, const struct histogram *b)
{
	static const struct histogram none;

	return !memcmp(a ? a : &none, b ? b : &none, sizeof(none));
}

static const char *update_difference(const struct wire_update *a, const struct wire_update *b)
{
	SAME(flow);
	SAME_BYTES(counter);
	if (!same_histogram(a->rtt_us, b->rtt_us))
		return "rtt_us";
	if (!same_histogram(a->connect_us, b->connect_us))
		return "connect_us";
	if (!a->dns != !b->dns)
		return "dns";
	SAME_ROWS(drops, drop_count, drop_difference);
	return a->dns ? dns_difference(a->dns, b->dns) : NULL;
}

static const char *name_difference(const struct wire_name *a, const struct wire_name *b)
{
	SAME(netns);
	SAME_BYTES(address);
	SAME_TEXT(name);
	return NULL;
}

static const char *listener_difference(const struct wire_listener *a, const struct wire_listener *b)
{
	SAME(actor);
	SAME(netns);
	SAME_BYTES(address);
	SAME(port);
	SAME(transport);
	SAME(drops);
	SAME(queue);
	SAME(queue_max);
	return NULL;
}

static const char *cover_difference(const struct wire_cover *a, const struct wire_cover *b)
{
	SAME(netns);
	SAME_BYTES(address);
	return NULL;
}

static const char *event_difference(const struct wire_event *a, const struct wire_event *b)
{
	SAME(actor);
	SAME(pid);
	SAME(count);
	SAME(kind);
	SAME(scope);
	SAME(code);
	SAME(oom);
	SAME(child);
	SAME(first_ns);
	SAME(last_ns);
	return NULL;
}

static const char *netns_difference(const struct wire_netns *a, const struct wire_netns *b)
{
	SAME(netns);
	SAME(cookie);
	SAME_BYTES(ours);
	SAME_BYTES(baseline);
	return NULL;
}

static const char *status_difference(const struct wire_status *a, const struct wire_status *b)
{
	SAME_TEXT(hooks);
	SAME(agent_cpu_ns);
	SAME(kernel_cpu_ns);
	SAME(sweep_ns);
	SAME(sweep_sockets);
	SAME(window_wanted_ns);
	SAME(window_ns);
	SAME(cpu_budget_percent);
	SAME(sockets);
	SAME(slots);
	SAME(flows_max);
	SAME(listeners);
	SAME(cpus);
	SAME(process_records);
	SAME(foreign_drops);
	return NULL;
}

static const char *head_difference(const struct wire_batch *a, const struct wire_batch *b)
{
	SAME_TEXT(node);
	SAME_TEXT(boot_id);
	SAME_TEXT(version);
	SAME_TEXT(kernel);
	SAME(started_ns);
	SAME(sequence);
	SAME(window_start_ns);
	SAME(window_end_ns);
	SAME(sent_ns);
	SAME(listeners_changed);
	SAME(covers_changed);
	SAME(windows);
	SAME(definitions);
	SAME_TEXT(zone);
	SAME_TEXT(region);
	SAME_TEXT(cgroup);
	SAME_BYTES(loss);
	return status_difference(&a->status, &b->status);
}

const char *sample_difference(const struct wire_batch *a, const struct wire_batch *b)
{
	SAME_ROWS(actors, actor_count, actor_difference);
	SAME_ROWS(flows, flow_count, flow_difference);
	SAME(retired_count);
	for (size_t i = 0; i < a->retired_count; i++)
		SAME(retired[i]);
	SAME(retired_actor_count);
	for (size_t i = 0; i < a->retired_actor_count; i++)
		SAME(retired_actors[i]);
	SAME_ROWS(updates, update_count, update_difference);
	SAME_ROWS(names, name_count, name_difference);
	SAME_ROWS(listeners, listener_count, listener_difference);
	SAME_ROWS(covers, cover_count, cover_difference);
	SAME_ROWS(events, event_count, event_difference);
	SAME_ROWS(netns, netns_count, netns_difference);
	return head_difference(a, b);
}

static const char *connection_difference(const struct wire_connection *a,
					 const struct wire_connection *b)
{
	SAME(actor);
	SAME(netns);
	SAME(role);
	SAME(state);
	SAME(local_port);
	SAME(remote_port);
	SAME(pid);
	SAME(rtt_us);
	SAME(rttvar_us);
	SAME(min_rtt_us);
	SAME(cwnd);
	SAME(ssthresh);
	SAME(mss);
	SAME(unacked_segments);
	SAME(retransmits);
	SAME(bytes_sent);
	SAME(bytes_received);
	SAME(bytes_acked);
	SAME(segments_sent);
	SAME(segments_received);
	SAME(pacing_rate);
	SAME(delivery_rate);
	SAME(age_ms);
	SAME(last_send_ms);
	SAME(last_receive_ms);
	SAME_BYTES(local);
	SAME_BYTES(remote);
	return NULL;
}

const char *sample_answer_difference(const struct wire_answer *a, const struct wire_answer *b)
{
	SAME(id);
	SAME(total);
	SAME_ROWS(actors, actor_count, actor_difference);
	SAME_ROWS(connections, connection_count, connection_difference);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The tables; see columns.h. A field of a row that stands in none does not travel. */
#include "wire/columns.h"

#include "millrace.pb-c.h"
#include "wire/batch.h"

#define SIZE_OF(row, field) sizeof(((struct row *)0)->field)
#define MAX_OF(size)        (UINT64_MAX >> (64 - 8 * (size)))

#define COLUMN(message, column, row, field, coding, size, max)                                     \
	{                                                                                          \
#column, max, offsetof(struct row, field), size, WIRE_CODING_##coding,             \
			offsetof(message, n_##column), offsetof(message, column)                   \
	}
#define NUMBER(message, column, row, field, coding)                                                \
	COLUMN(message, column, row, field, coding, SIZE_OF(row, field),                           \
	       MAX_OF(SIZE_OF(row, field)))
#define BOOL(message, row, field)    COLUMN(message, field, row, field, PLAIN, 1, 1)
#define STRING(message, row, field)  COLUMN(message, field, row, field, STRING, 0, 0)
#define ADDRESS(message, row, field) COLUMN(message, field, row, field, ADDRESS, 0, 0)

#define KIND(kind, label, message, columns, size)                                                  \
	const struct wire_kind wire_##kind##_kind = {label, columns,                               \
						     sizeof(columns) / sizeof(*(columns)), size,   \
						     offsetof(message, count)}

#define ACTOR(field, coding) NUMBER(Millrace__Actors, field, wire_actor, field, coding)
static const struct wire_column actors[] = {
	ACTOR(handle, HANDLE),
	ACTOR(pid, PLAIN),
	STRING(Millrace__Actors, wire_actor, process),
	STRING(Millrace__Actors, wire_actor, unit),
	STRING(Millrace__Actors, wire_actor, container),
	STRING(Millrace__Actors, wire_actor, pod),
	STRING(Millrace__Actors, wire_actor, cgroup),
};
KIND(actors, "actors", Millrace__Actors, actors, sizeof(struct wire_actor));

#define FLOW(field, coding) NUMBER(Millrace__Flows, field, wire_flow, field, coding)
static const struct wire_column flows[] = {
	FLOW(handle, HANDLE),
	FLOW(actor, HANDLE),
	FLOW(transport, PLAIN),
	FLOW(role, PLAIN),
	BOOL(Millrace__Flows, wire_flow, coarse),
	FLOW(port, PLAIN),
	FLOW(netns, DELTA),
	ADDRESS(Millrace__Flows, wire_flow, local),
	ADDRESS(Millrace__Flows, wire_flow, remote),
	BOOL(Millrace__Flows, wire_flow, unresolved),
	FLOW(via_port, PLAIN),
	ADDRESS(Millrace__Flows, wire_flow, via),
};
KIND(flows, "flows", Millrace__Flows, flows, sizeof(struct wire_flow));

static const struct wire_column retired[] = {
	{"handle", UINT32_MAX, 0, sizeof(uint32_t), WIRE_CODING_HANDLE,
	 offsetof(Millrace__Retired, n_handle), offsetof(Millrace__Retired, handle)},
};
KIND(retired, "retired", Millrace__Retired, retired, sizeof(uint32_t));
KIND(retired_actors, "retired_actors", Millrace__Retired, retired, sizeof(uint32_t));

/* The rest of a row is not the same for all of them: encode_updates.c, decode_updates.c. */
static const struct wire_column update[] = {
	NUMBER(Millrace__Updates, flow, wire_update, flow, HANDLE),
};
KIND(update, "updates", Millrace__Updates, update, sizeof(struct wire_update));

static const struct wire_column names[] = {
	NUMBER(Millrace__Names, netns, wire_name, netns, DELTA),
	ADDRESS(Millrace__Names, wire_name, address),
	STRING(Millrace__Names, wire_name, name),
};
KIND(names, "names", Millrace__Names, names, sizeof(struct wire_name));

#define LISTENER(field, coding) NUMBER(Millrace__Listeners, field, wire_listener, field, coding)
static const struct wire_column listeners[] = {
	LISTENER(actor, HANDLE),
	LISTENER(netns, DELTA),
	ADDRESS(Millrace__Listeners, wire_listener, address),
	LISTENER(port, PLAIN),
	LISTENER(transport, PLAIN),
	LISTENER(drops, PLAIN),
	LISTENER(queue, PLAIN),
	LISTENER(queue_max, PLAIN),
};
KIND(listeners, "listeners", Millrace__Listeners, listeners, sizeof(struct wire_listener));

static const struct wire_column covers[] = {
	NUMBER(Millrace__Covers, netns, wire_cover, netns, DELTA),
	ADDRESS(Millrace__Covers, wire_cover, address),
};
KIND(covers, "covers", Millrace__Covers, covers, sizeof(struct wire_cover));

#define EVENT(field, coding) NUMBER(Millrace__Events, field, wire_event, field, coding)
static const struct wire_column events[] = {
	EVENT(actor, HANDLE),
	EVENT(pid, PLAIN),
	NUMBER(Millrace__Events, number, wire_event, count, PLAIN),
	EVENT(kind, PLAIN),
	EVENT(scope, PLAIN),
	EVENT(code, PLAIN),
	BOOL(Millrace__Events, wire_event, oom),
	BOOL(Millrace__Events, wire_event, child),
	EVENT(first_ns, DELTA),
	EVENT(last_ns, DELTA),
};
KIND(events, "events", Millrace__Events, events, sizeof(struct wire_event));

static const struct wire_column netns[] = {
	NUMBER(Millrace__Netns, netns, wire_netns, netns, DELTA),
	NUMBER(Millrace__Netns, cookie, wire_netns, cookie, PLAIN),
};
KIND(netns, "netns", Millrace__Netns, netns, sizeof(struct wire_netns));

#define HISTOGRAM(field) NUMBER(Millrace__Histograms, field, wire_histogram_row, field, PLAIN)
static const struct wire_column histograms[] = {
	HISTOGRAM(min), HISTOGRAM(spread), HISTOGRAM(rest), HISTOGRAM(excess), HISTOGRAM(buckets),
};
KIND(histograms, "histograms", Millrace__Histograms, histograms, sizeof(struct wire_histogram_row));

#define CONNECTION(field, coding)                                                                  \
	NUMBER(Millrace__Connections, field, wire_connection, field, coding)
static const struct wire_column connections[] = {
	CONNECTION(actor, HANDLE),
	CONNECTION(netns, DELTA),
	CONNECTION(role, PLAIN),
	CONNECTION(state, PLAIN),
	ADDRESS(Millrace__Connections, wire_connection, local),
	ADDRESS(Millrace__Connections, wire_connection, remote),
	CONNECTION(local_port, PLAIN),
	CONNECTION(remote_port, PLAIN),
	CONNECTION(pid, DELTA),
	CONNECTION(rtt_us, PLAIN),
	CONNECTION(rttvar_us, PLAIN),
	CONNECTION(min_rtt_us, PLAIN),
	CONNECTION(cwnd, PLAIN),
	CONNECTION(ssthresh, PLAIN),
	CONNECTION(mss, PLAIN),
	CONNECTION(unacked_segments, PLAIN),
	CONNECTION(retransmits, PLAIN),
	CONNECTION(bytes_sent, PLAIN),
	CONNECTION(bytes_received, PLAIN),
	CONNECTION(bytes_acked, PLAIN),
	CONNECTION(segments_sent, PLAIN),
	CONNECTION(segments_received, PLAIN),
	CONNECTION(pacing_rate, PLAIN),
	CONNECTION(delivery_rate, PLAIN),
	CONNECTION(age_ms, PLAIN),
	CONNECTION(last_send_ms, PLAIN),
	CONNECTION(last_receive_ms, PLAIN),
};
KIND(connections, "connections", Millrace__Connections, connections,
     sizeof(struct wire_connection));

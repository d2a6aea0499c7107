/* SPDX-License-Identifier: Apache-2.0 */
/* See collector.h. */
#include "agent/collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/actor.h"
#include "agent/baseline.h"
#include "agent/covers.h"
#include "agent/dns.h"
#include "agent/drop_join.h"
#include "agent/flow_table.h"
#include "agent/listener.h"
#include "agent/nat_rows.h"
#include "agent/netns.h"
#include "agent/node.h"
#include "agent/processes.h"
#include "base/lru.h"

#define TOLD_MAX 16384 /* actors of an answer; one that was told longest ago may come twice */

struct collector {
	struct probe *probe; /* borrowed */
	const char *proc;    /* borrowed */
	struct node node;
	struct actors *actors;
	struct flow_table *flows;
	struct listeners *listeners;
	struct netns *netns;
	struct covers *covers;
	struct collector_config config;
	struct nat_rows *rows; /* NULL: nobody tells of translations */
	struct dns *dns;
	struct processes *processes;
	struct wire_batch *batch; /* at hand, and which actors it defines and retires */
	struct vector defined, retired;
	struct probe_stats stats;
	uint64_t sequence, now_ns;
	uint64_t dropped; /* records that found no memory */
	struct sweep sweep;
	struct drop_join drops;
	bool undrained; /* the quiet map still holds records */
};

static void on_row(void *userdata, const struct mr_flow_key *key, const struct mr_flow_value *value,
		   const struct flow_nat *nat);

static int collector_init(struct collector *c, const struct collector_config *config)
{
	const struct actors_config actors = {.proc = config->proc,
					     .cgroup_root = config->cgroup_root,
					     .actors_max = config->actors_max};
	int r = actors_new(&c->actors, &actors);
	const struct processes_config processes = {.actors = c->actors,
						   .cgroup_root = config->cgroup_root,
						   .started_boot_ns = config->started_boot_ns};

	if (r == 0)
		r = processes_new(&c->processes, &processes);
	if (r == 0)
		r = flow_table_new(&c->flows, c->actors, config->flows_max);
	if (r == 0)
		r = listeners_new(&c->listeners, c->actors);
	if (r == 0)
		r = dns_new(&c->dns);
	if (r == 0)
		r = covers_new(&c->covers);
	if (r == 0 && !(c->netns = netns_new()))
		r = -ENOMEM;
	if (r == 0 && config->nat && !(c->rows = nat_rows_new(config->nat, on_row, c)))
		r = -ENOMEM;
	c->drops = (struct drop_join){
		.actors = c->actors, .listeners = c->listeners, .flows = c->flows};
	return r;
}

int collector_new(struct collector **ret, struct probe *probe,
		  const struct collector_config *config, uint64_t now_ns, struct error *ret_error)
{
	struct collector *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (c) {
		c->probe = probe;
		c->config = *config;
		c->proc = config->proc ? config->proc : "/proc";
		node_read(&c->node, c->proc, config->version, now_ns);
		node_set_name(&c->node, config->node, config->observed);
		r = collector_init(c, config);
	}
	if (r < 0) {
		collector_free(c);
		return error_set(ret_error, r,
				 "cannot set up the agent's tables: %s; free some memory, and "
				 "see that /proc is mounted",
				 strerror(-r));
	}
	*ret = c;
	return 0;
}

struct node *collector_node(struct collector *c)
{
	return &c->node;
}

struct collector *collector_free(struct collector *c)
{
	if (!c)
		return NULL;
	wire_batch_free(c->batch);
	nat_rows_free(c->rows);
	netns_free(c->netns);
	covers_free(c->covers);
	dns_free(c->dns);
	processes_free(c->processes);
	listeners_free(c->listeners);
	flow_table_free(c->flows);
	actors_free(c->actors);
	free(c);
	return NULL;
}

int collector_sweep(struct collector *c, const struct sweep_how *how, bool *ret_done)
{
	return sweep_slice(&c->sweep, c->probe, how, ret_done);
}

/* An accepted socket is its listener's; what is coarse and belongs to nobody known is "~other". */
static uint32_t find_actor(struct collector *c, const struct mr_flow_key *key, const char *comm,
			   uint64_t process_start_ns)
{
	struct actor_source source = {.cgroup = key->cgroup,
				      .tgid = key->tgid,
				      .comm = comm,
				      .process_start_ns = process_start_ns};
	uint32_t actor = 0;

	if (key->role == MR_ROLE_SERVER && !key->tgid)
		actor = listeners_find(c->listeners, key);
	if (actor)
		return actor;
	if (key->coarse && !key->cgroup && !key->tgid && !comm[0])
		return actors_other(c->actors);
	return actors_resolve(c->actors, &source, c->now_ns);
}

static void on_row(void *userdata, const struct mr_flow_key *key, const struct mr_flow_value *value,
		   const struct flow_nat *nat)
{
	struct collector *c = userdata;
	uint32_t actor = find_actor(c, key, value->comm, value->process_start_ns);

	if (flow_table_fold(c->flows, key, value, nat, actor, c->now_ns) < 0)
		c->dropped++;
}

static int on_flow(void *userdata, const struct mr_flow_key *key, const struct mr_flow_value *value)
{
	struct collector *c = userdata;

	netns_add(c->netns, key, value);
	if (c->rows)
		nat_rows_add(c->rows, key, value);
	else
		on_row(c, key, value, NULL);
	return 0;
}

/* What the kernel folded before the swap was translated before it, too: it is heard of now. */
static void translate(struct collector *c)
{
	if (!c->rows)
		return;
	if (c->config.read_news)
		c->config.read_news(c->config.userdata);
	nat_advance(c->config.nat);
	nat_rows_retry(c->rows, false);
}

static int begin_batch(struct collector *c)
{
	if (c->batch)
		return 0;
	c->batch = wire_batch_new();
	if (!c->batch)
		return -ENOMEM;
	flow_table_begin(c->flows, c->batch);
	c->defined = vector_init(c->batch->arena, sizeof(struct wire_actor), 0);
	c->retired = vector_init(c->batch->arena, sizeof(uint32_t), 0);
	return 0;
}

static void on_dns(void *userdata, const struct mr_dns_head *head, const void *data)
{
	struct collector *c = userdata;
	struct dns_flow flow;

	memset(&flow, 0, sizeof(flow));
	flow.key = head->key;
	if (c->rows)
		nat_rows_translate(c->rows, &flow.key, &flow.nat);
	dns_see(c->dns, head, &flow, data);
}

static void on_process(void *userdata, const struct mr_process_event *event)
{
	struct collector *c = userdata;

	processes_see(c->processes, event, c->now_ns);
}

/* Who answered a name was translated before it was copied, so that is read first. */
void collector_read_rings(struct collector *c)
{
	const struct probe_reader reader = {
		.on_dns = on_dns, .on_process = on_process, .userdata = c};

	if (c->rows && c->config.read_news)
		c->config.read_news(c->config.userdata);
	probe_rings_read(c->probe, &reader);
}

static void on_dns_flow(void *userdata, const struct dns_datagram *d,
			const struct wire_dns *figures)
{
	struct collector *c = userdata;
	uint32_t actor = find_actor(c, &d->flow.key, d->comm, d->process_start_ns);

	if (flow_table_fold_dns(c->flows, &d->flow.key, figures, &d->flow.nat, actor, c->now_ns) <
	    0)
		c->dropped++;
}

void collector_finish(struct collector *c)
{
	if (c->rows && begin_batch(c) == 0)
		nat_rows_retry(c->rows, true);
}

static int on_drop(void *userdata, const struct mr_drop_key *key, const struct mr_drop *drop,
		   const char *reason)
{
	struct collector *c = userdata;

	if (drop_join_add(&c->drops, key, drop, reason) < 0)
		c->dropped++;
	return 0;
}

/* Drops come after the flows that they are looked for in. */
static int drain(struct collector *c)
{
	int r = probe_drain(c->probe, on_flow, c);

	collector_read_rings(c);
	drop_join_begin(&c->drops, c->now_ns);
	if (r >= 0)
		r = probe_drops(c->probe, on_drop, c);
	c->undrained = r < 0;
	return r;
}

/* One that was left undrained is drained first, or its records would be written again. */
static int swap(struct collector *c)
{
	int r = c->undrained ? drain(c) : 0;

	return r < 0 ? r : probe_swap(c->probe);
}

/* Who listens is asked between swap and drain: then everyone whose connections are in the map that
 * is drained is known, also who began to listen a moment before the swap. */
int collector_collect(struct collector *c, uint64_t now_ns)
{
	struct probe_stats stats;
	int r = begin_batch(c);

	c->now_ns = now_ns;
	if (r == 0)
		r = swap(c);
	if (r < 0)
		return r;
	if (probe_stats(c->probe, &stats) == 0)
		c->stats = stats;
	listeners_refresh(c->listeners, c->probe, c->stats.listeners_version, now_ns);
	translate(c);
	return drain(c);
}

static void fill_losses(const struct collector *c, uint64_t late_windows, uint64_t *ret)
{
	memcpy(ret, c->stats.loss, sizeof(c->stats.loss));
	ret[WIRE_LOSS_DROPPED] += c->dropped;
	ret[WIRE_LOSS_ACTORS_FULL] += actors_lost_full(c->actors);
	ret[WIRE_LOSS_HANDLES_FULL] += flow_table_lost_full(c->flows);
	ret[WIRE_LOSS_LATE_WINDOWS] += late_windows;
	ret[WIRE_LOSS_PROCESS_EVENTS_FULL] += processes_lost(c->processes);
	if (c->rows) {
		ret[WIRE_LOSS_NAT_FULL] += nat_lost_full(c->config.nat);
		ret[WIRE_LOSS_NAT_UNRESOLVED] += nat_rows_unresolved(c->rows);
	}
	dns_add_losses(c->dns, ret);
}

/* Of the hooks' runs only some are timed: the rest cost the same. */
static uint64_t kernel_cpu_ns(const struct probe_stats *s)
{
	return s->sampled_events ? (uint64_t)((double)s->events * (double)s->sampled_ns /
					      (double)s->sampled_events)
				 : 0;
}

static int fill_status(const struct collector *c, const struct collector_status *s,
		       struct wire_batch *b)
{
	const struct probe_stats *probe = &c->stats;

	b->status = (struct wire_status){
		.hooks = arena_strdup(b->arena, probe_hooks(c->probe)),
		.agent_cpu_ns = s->agent_cpu_ns,
		.kernel_cpu_ns = kernel_cpu_ns(probe),
		.sweep_ns = probe->sweep_ns,
		.sweep_sockets = probe->swept,
		.window_wanted_ns = s->window_wanted_ns,
		.window_ns = s->window_ns,
		.cpu_budget_percent = s->cpu_budget_percent,
		.cpus = s->cpus,
		.sockets = probe->sockets,
		.slots = probe->slots_max,
		.flows_max = probe->flows_max,
		.listeners = listeners_count(c->listeners),
		.process_records = processes_records(c->processes),
		.foreign_drops = c->drops.foreign,
	};
	return b->status.hooks ? 0 : -ENOMEM;
}

static int fill_actors(struct collector *c, struct wire_batch *b)
{
	int r = actors_define(c->actors, &c->defined);

	if (r == 0)
		r = actors_retire(c->actors, &c->retired);
	b->actors = c->defined.items;
	b->actor_count = c->defined.count;
	b->retired_actors = c->retired.items;
	b->retired_actor_count = c->retired.count;
	return r;
}

/* Can be done again: what one try wrote, the next writes again or adds to. */
static int fill_batch(struct collector *c, const struct collector_status *s, struct wire_batch *b)
{
	int r = node_describe(&c->node, b);

	if (r == 0)
		r = fill_status(c, s, b);
	if (r == 0)
		r = netns_report(c->netns, b);
	if (r == 0)
		r = covers_report(c->covers, b, s->now_ns);
	if (r == 0)
		r = listeners_report(c->listeners, b);
	if (r == 0)
		r = processes_report(c->processes, b, s->now_ns);
	return r == 0 ? fill_actors(c, b) : r;
}

struct wire_batch *collector_take(struct collector *c, const struct collector_status *status)
{
	struct wire_batch *b;

	if (begin_batch(c) < 0)
		return NULL;
	c->now_ns = status->now_ns;
	dns_report(c->dns, status->now_ns, on_dns_flow, c);
	if (fill_batch(c, status, c->batch) < 0)
		return NULL;
	b = c->batch;
	c->batch = NULL;
	dns_tell_names(c->dns, b);
	flow_table_end(c->flows, status->now_ns);
	actors_expire(c->actors, status->now_ns);
	fill_losses(c, status->late_windows, b->loss);
	b->loss[WIRE_LOSS_NAT_OVERRUNS] += status->nat_overruns;
	b->sequence = ++c->sequence;
	b->window_start_ns = status->window_start_ns;
	b->window_end_ns = status->window_end_ns;
	b->sent_ns = status->now_ns;
	return b;
}

void collector_stats(const struct collector *c, struct probe_stats *ret)
{
	*ret = c->stats;
}

/* What the live sockets hold back belongs to the time before, too. */
static int collect_everything(void *userdata)
{
	const struct sweep_how how = {
		.backoff_max = 1, .visits_max = UINT32_MAX, .everything = true};
	struct collector *c = userdata;
	bool done = false;
	int r = 0;

	while (!done && r == 0)
		r = collector_sweep(c, &how, &done);
	return r < 0 ? r : collector_collect(c, c->now_ns);
}

int collector_note_baselines(struct collector *c, uint64_t now_ns)
{
	c->now_ns = now_ns;
	return baseline_note(c->netns, c->proc, collect_everything, c);
}

struct answering {
	struct collector *collector;
	struct vector connections, actors;
	struct lru *told; /* handles of actors */
};

/* An answer says itself who its connections belong to: the server may not know yet. */
static int tell_actor(struct answering *a, uint32_t handle)
{
	bool is_new;

	lru_put_evict(a->told, &handle, &is_new);
	return is_new ? actors_describe(a->collector->actors, handle, &a->actors) : 0;
}

static int on_connection(void *userdata, const struct mr_flow_key *key,
			 const struct wire_connection *connection, const char comm[16],
			 uint64_t process_start_ns)
{
	struct answering *a = userdata;
	struct collector *c = a->collector;
	uint32_t actor = find_actor(c, key, comm, process_start_ns);
	int r = tell_actor(a, actor);
	struct wire_connection *item = r < 0 ? NULL : vector_push(&a->connections);

	if (!item)
		return -ENOMEM;
	*item = *connection;
	item->actor = actors_number(c->actors, actor);
	if (!item->pid && key->role == MR_ROLE_SERVER)
		item->pid = listeners_pid(c->listeners, key);
	return 0;
}

struct wire_answer *collector_answer(struct collector *c, const struct wire_request *request,
				     uint64_t now_ns)
{
	struct wire_answer *answer = wire_answer_new();
	struct answering a = {.collector = c, .told = lru_new(TOLD_MAX, sizeof(uint32_t), 1)};

	if (!answer || !a.told) {
		lru_free(a.told);
		return wire_answer_free(answer);
	}
	c->now_ns = now_ns;
	answer->id = request->id;
	a.connections = vector_init(answer->arena, sizeof(struct wire_connection), 0);
	a.actors = vector_init(answer->arena, sizeof(struct wire_actor), 0);
	if (request->connections_max)
		probe_connections(c->probe, request->connections_max, on_connection, &a,
				  &answer->total);
	lru_free(a.told);
	answer->connections = a.connections.items;
	answer->connection_count = a.connections.count;
	answer->actors = a.actors.items;
	answer->actor_count = a.actors.count;
	return answer;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A window of the probe: sweep, swap, drain, and what it has counted; see probe.h. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/probe_internal.h"

int probe_run(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) ? -errno : 0;
}

/* The record of last resort of a role: flow_get() in bpf/fold.h relies on it being there. */
int probe_last_resort_put(int map)
{
	static const struct mr_flow_value nothing;
	struct mr_flow_key key = {.coarse = 1};

	for (uint8_t role = MR_ROLE_CLIENT; role <= MR_ROLE_SERVER; role++) {
		key.role = role;
		if (bpf_map_update_elem(map, &key, &nothing, BPF_ANY))
			return -errno;
	}
	return 0;
}

int probe_active_set(struct probe *p, uint32_t which)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(p->skel->maps.mr_active), &zero, &p->flow_map[which],
				BPF_ANY))
		return -errno;
	p->active = which;
	return 0;
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int probe_sweep(struct probe *p, const struct probe_sweep *how, bool *ret_done)
{
	typeof(p->skel->bss->mr_sweep) *sweep = &p->skel->bss->mr_sweep;
	uint64_t begin_ns = thread_cpu_ns();
	int r;

	sweep->first_region = p->sweep_next;
	sweep->regions = p->slots_max / REGION_SLOTS - p->sweep_next;
	sweep->window = p->window;
	sweep->backoff_max = how->backoff_max ? how->backoff_max : 1;
	sweep->everything = how->everything;
	sweep->sockets_max = how->sockets_max ? how->sockets_max : UINT32_MAX;
	r = probe_run(p->skel->progs.mr_sweep_run);
	if (r < 0)
		return r;
	p->sweep_ns += thread_cpu_ns() - begin_ns;
	p->swept += sweep->visited;
	p->live_so_far += sweep->live;
	p->sweep_next = sweep->next_region;
	*ret_done = p->sweep_next >= p->slots_max / REGION_SLOTS;
	if (*ret_done) {
		p->sockets = p->live_so_far;
		p->live_so_far = 0;
		p->sweep_next = 0;
		p->window++;
	}
	return 0;
}

int probe_swap(struct probe *p)
{
	int r;

	probe_udp_swap(p);
	r = probe_active_set(p, !p->active);
	if (r < 0) {
		probe_udp_swap(p);
		return r;
	}
	probe_udp_swapped(p);
	__atomic_store_n(&p->skel->bss->mr_totals.flows_in, LAST_RESORT, __ATOMIC_RELAXED);
	__atomic_store_n(&p->skel->bss->mr_totals.translated_in, 0, __ATOMIC_RELAXED);
	return 0;
}

static void times_to_us(const struct probe *p, struct mr_flow_value *v)
{
	for (uint32_t i = MR_BUSY_TO_SERVER; i <= MR_SEND_BUFFER_TO_CLIENT; i++)
		v->counter[i] *= p->us_per_jiffy;
}

/* The last resort is put in by us: without counts it is no flow. */
static bool is_empty(const struct mr_flow_key *key, const struct mr_flow_value *v)
{
	if (!key->coarse || key->cgroup)
		return false;
	for (uint32_t i = 0; i < MR_COUNTER_COUNT; i++)
		if (v->counter[i])
			return false;
	return true;
}

static int drain_batch(struct probe *p, uint32_t count, probe_flow_fn fn, void *userdata)
{
	for (uint32_t i = 0; i < count; i++) {
		int r;

		if (is_empty(&p->keys[i], &p->values[i]))
			continue;
		times_to_us(p, &p->values[i]);
		r = fn(userdata, &p->keys[i], &p->values[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int probe_drain(struct probe *p, probe_flow_fn fn, void *userdata)
{
	struct probe_batch batch = {.map = p->flow_map[!p->active], .removes = true};
	uint32_t count;
	int r;

	while ((r = probe_batch_next(&batch, p->keys, p->values, &count)) > 0) {
		r = drain_batch(p, count, fn, userdata);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = probe_last_resort_put(batch.map);
	return r < 0 ? r : probe_udp_drain(p, fn, userdata);
}

int probe_listeners(struct probe *p, probe_listener_fn fn, void *userdata)
{
	struct probe_batch batch = {.map = bpf_map__fd(p->skel->maps.mr_listeners)};
	int r = probe_run(p->skel->progs.mr_listeners_run);
	uint32_t count;

	if (r < 0)
		return r;
	while ((r = probe_batch_next(&batch, p->listener_keys, p->listeners, &count)) > 0) {
		for (uint32_t i = 0; r >= 0 && i < count; i++)
			r = fn(userdata, &p->listeners[i]);
		if (r < 0)
			return r;
	}
	return r;
}

int probe_virtual_set(struct probe *p, const struct mr_virtual *virtual, bool is_virtual)
{
	int map = bpf_map__fd(p->skel->maps.mr_virtuals);
	uint32_t *count = &p->skel->bss->mr_virtuals_in[virtual->transport];
	const uint8_t yes = 1;

	if (!is_virtual && bpf_map_delete_elem(map, virtual))
		return -errno;
	if (is_virtual && bpf_map_update_elem(map, virtual, &yes, BPF_NOEXIST))
		return errno == EEXIST ? 0 : -errno;
	__atomic_fetch_add(count, is_virtual ? 1 : -1u, __ATOMIC_RELAXED);
	return 0;
}

static int on_pressure(void *userdata, void *data, size_t size)
{
	return 0;
}

/* Without it rows that find no room are coarse, and counted. */
void probe_pressure_open(struct probe *p)
{
	p->pressure =
		ring_buffer__new(bpf_map__fd(p->skel->maps.mr_pressure), on_pressure, p, NULL);
}

int probe_pressure_fd(const struct probe *p)
{
	return p->pressure ? ring_buffer__epoll_fd(p->pressure) : -1;
}

void probe_pressure_clear(struct probe *p)
{
	ring_buffer__consume(p->pressure);
}

static uint64_t recursion_misses(const struct bpf_link *link, const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	if (!link || bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
		return 0;
	return info.recursion_misses;
}

/* Of two copies at one tracepoint: an event is lost only when both were skipped, so at most this.
 */
static uint64_t both_skipped(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

/* What the second program of a hook could not make good (bpf/interrupted.h): no more than that was
 * skipped itself. */
static uint64_t not_caught(const struct millrace_bpf *skel, uint64_t first, uint64_t second)
{
	uint64_t missed = first + skel->bss->mr_left, caught = skel->bss->mr_caught;

	return missed > caught ? both_skipped(missed - caught, second) : 0;
}

#define MISSES(program) recursion_misses(skel->links.program, skel->progs.program)

static uint64_t tracepoints_skipped(const struct millrace_bpf *skel)
{
	return MISSES(mr_retransmit_synack) + MISSES(mr_udp_receive) + MISSES(mr_udp_drop) +
	       MISSES(mr_process_fork) + MISSES(mr_process_exec) + MISSES(mr_process_exit) +
	       MISSES(mr_udp_send4) + MISSES(mr_udp_send6) +
	       not_caught(skel, MISSES(mr_drop_skb), MISSES(mr_drop_skb_2)) +
	       both_skipped(MISSES(mr_error_report), MISSES(mr_error_report_2)) +
	       both_skipped(MISSES(mr_set_state), MISSES(mr_set_state_2));
}

#undef MISSES

static void stats_costs(struct probe *p, struct probe_stats *s)
{
	uint32_t zero = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus > PROBE_CPUS_MAX ||
	    bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.mr_costs), &zero, p->costs))
		return;
	for (int i = 0; i < cpus; i++) {
		s->events += p->costs[i].sampled_events * MR_COST_SAMPLE_EVERY;
		s->sampled_events += p->costs[i].sampled_events;
		s->sampled_ns += p->costs[i].sampled_ns;
	}
}

int probe_stats(struct probe *p, struct probe_stats *ret)
{
	const struct millrace_bpf *skel = p->skel;
	const typeof(skel->bss->mr_totals) *totals = &skel->bss->mr_totals;
	struct probe_stats s = {
		.swept = p->swept,
		.sweep_ns = p->sweep_ns,
		.sockets = p->sockets,
		.slots_max = p->slots_max,
		.flows_max = p->flows_max,
		.listeners_version = totals->listeners_version,
	};

	s.loss[WIRE_LOSS_SLOTS_FULL] = totals->slots_full;
	s.loss[WIRE_LOSS_FLOWS_FULL] = totals->flows_full;
	s.loss[WIRE_LOSS_COARSE_FULL] = totals->coarse_full;
	s.loss[WIRE_LOSS_DROPPED] = totals->dropped;
	s.loss[WIRE_LOSS_LISTENERS_FULL] = totals->listeners_full;
	s.loss[WIRE_LOSS_CLOSE_UNSEEN] = totals->close_unseen;
	s.loss[WIRE_LOSS_UNADOPTED] = totals->unadopted;
	s.loss[WIRE_LOSS_DNS_FULL] = totals->dns_full;
	s.loss[WIRE_LOSS_DROPS_FULL] = totals->drops_full;
	s.loss[WIRE_LOSS_PROCESSES_FULL] = totals->processes_full;
	s.loss[WIRE_LOSS_PROCESS_EVENTS_FULL] = totals->process_events_full;
	s.loss[WIRE_LOSS_RECURSION] = tracepoints_skipped(skel);
	stats_costs(p, &s);
	*ret = s;
	return 0;
}

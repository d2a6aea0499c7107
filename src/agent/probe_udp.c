/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's UDP half: which hooks serve, and its own pair of flow maps; see bpf/udp.h.
 *
 * fentry costs nothing for TCP, so it is tried first, on its own, by attaching one such program:
 * some kernels load them and then cannot attach them. Where it fails cgroup_skb serves; for what is
 * sent also where tasks take the CPU from each other in the kernel (preempt.h). What is received
 * comes in softirqs, which only a real-time kernel holds up. What does not serve is not loaded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/preempt.h"
#include "agent/probe_internal.h"

#define EPHEMERAL_LOW 32768 /* Linux's default */

/* Which programs serve with which hooks. */
struct serves {
	const char *program;
	unsigned int hooks; /* 1 << enum probe_udp */
};

#define FENTRY     (1 << PROBE_UDP_FENTRY)
#define FENTRY_IN  (1 << PROBE_UDP_FENTRY_IN)
#define CGROUP_SKB (1 << PROBE_UDP_CGROUP_SKB)
#define ALL_HOOKS  (FENTRY | FENTRY_IN | CGROUP_SKB)

static const struct serves serves[] = {
	{"mr_fentry_try", 0},
	{"mr_udp_send4", FENTRY},
	{"mr_udp_send6", FENTRY},
	{"mr_udp_receive", FENTRY | FENTRY_IN},
	{"mr_udp_egress", FENTRY_IN | CGROUP_SKB},
	{"mr_udp_ingress", CGROUP_SKB},
	{"mr_udp_adopt_walk", ALL_HOOKS},
	{"mr_udp_bind4", ALL_HOOKS},
	{"mr_udp_bind6", ALL_HOOKS},
	{"mr_udp_drop", ALL_HOOKS},
};

/* 1 << enum probe_udp of each with which it serves; ~0: it is not UDP's. */
static unsigned int hooks_of(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	for (size_t i = 0; i < sizeof(serves) / sizeof(serves[0]); i++)
		if (!strcmp(name, serves[i].program))
			return serves[i].hooks;
	return ~0u;
}

static struct millrace_bpf *load_fentry(void)
{
	struct millrace_bpf *skel = millrace_bpf__open();

	if (!skel)
		return NULL;
	for (struct bpf_program *p = NULL; (p = bpf_object__next_program(skel->obj, p));)
		bpf_program__set_autoload(p, !(hooks_of(p) & CGROUP_SKB));
	if (millrace_bpf__load(skel)) {
		millrace_bpf__destroy(skel);
		return NULL;
	}
	return skel;
}

static bool attaches(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach(program);

	bpf_link__destroy(link);
	return link;
}

bool probe_udp_fentry_works(void)
{
	struct millrace_bpf *skel = load_fentry();
	bool works = skel && attaches(skel->progs.mr_fentry_try);

	millrace_bpf__destroy(skel);
	return works;
}

static enum probe_udp choose(void)
{
	if (preempt_here() == PREEMPT_ALL || !probe_udp_fentry_works())
		return PROBE_UDP_CGROUP_SKB;
	return preempt_here() == PREEMPT_TASKS ? PROBE_UDP_FENTRY_IN : PROBE_UDP_FENTRY;
}

/* What was asked for, or the first that serves. */
static int decide(enum probe_udp wanted, enum probe_udp *ret, struct error *e)
{
	bool needs_fentry = wanted == PROBE_UDP_FENTRY || wanted == PROBE_UDP_FENTRY_IN;

	if (needs_fentry && !probe_udp_fentry_works())
		return error_set(e, -EOPNOTSUPP,
				 "cannot watch UDP by fentry: this kernel does not let fentry "
				 "attach; leave --udp-hook out");
	*ret = wanted == PROBE_UDP_AUTO ? choose() : wanted;
	return 0;
}

/* Where ports begin that are given by chance: the agent's own namespace's setting. */
static uint16_t ephemeral_low(void)
{
	FILE *in = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int low;

	if (!in)
		return EPHEMERAL_LOW;
	if (fscanf(in, "%u", &low) != 1 || low < 1 || low > UINT16_MAX)
		low = EPHEMERAL_LOW;
	fclose(in);
	return (uint16_t)low;
}

int probe_udp_configure(struct probe *p, const struct probe_config *config, uint32_t records,
			struct error *e)
{
	struct millrace_bpf *skel = p->skel;
	int r = decide(config->udp, &p->udp, e);

	if (r < 0)
		return r;
	skel->rodata->mr_ephemeral_low = ephemeral_low();
	for (struct bpf_program *prog = NULL; (prog = bpf_object__next_program(skel->obj, prog));)
		bpf_program__set_autoload(prog, hooks_of(prog) & (1u << p->udp));
	if (p->udp == PROBE_UDP_OFF)
		return 0;
	if (bpf_map__set_max_entries(skel->maps.mr_udp_a, records) ||
	    bpf_map__set_max_entries(skel->maps.mr_udp_b, records) ||
	    bpf_map__set_max_entries(skel->maps.mr_udp_sockets, p->slots_max / 4))
		return error_set(e, -errno, "cannot size the UDP maps: %s; give less --flows",
				 strerror(errno));
	return 0;
}

/* As probe_last_resort_put(), of a UDP map. */
static int last_resort_put(int map)
{
	static const struct mr_udp_value nothing;
	struct mr_flow_key key = {.coarse = 1, .transport = MR_TRANSPORT_UDP};

	for (uint8_t role = MR_ROLE_CLIENT; role <= MR_ROLE_SERVER; role++) {
		key.role = role;
		if (bpf_map_update_elem(map, &key, &nothing, BPF_ANY))
			return -errno;
	}
	return 0;
}

int probe_udp_prepare(struct probe *p)
{
	int r;

	if (p->udp == PROBE_UDP_OFF)
		return 0;
	p->udp_map[0] = bpf_map__fd(p->skel->maps.mr_udp_a);
	p->udp_map[1] = bpf_map__fd(p->skel->maps.mr_udp_b);
	p->skel->bss->mr_totals.udp_flows_in = LAST_RESORT;
	r = last_resort_put(p->udp_map[0]);
	return r < 0 ? r : last_resort_put(p->udp_map[1]);
}

static bool attach_sent(struct probe *p)
{
	struct millrace_bpf *skel = p->skel;

	if (p->udp != PROBE_UDP_FENTRY) {
		skel->links.mr_udp_egress =
			bpf_program__attach_cgroup(skel->progs.mr_udp_egress, p->cgroup_fd);
		return skel->links.mr_udp_egress;
	}
	skel->links.mr_udp_send4 = bpf_program__attach(skel->progs.mr_udp_send4);
	skel->links.mr_udp_send6 = bpf_program__attach(skel->progs.mr_udp_send6);
	return skel->links.mr_udp_send4 && skel->links.mr_udp_send6;
}

static bool attach_received(struct probe *p)
{
	struct millrace_bpf *skel = p->skel;

	if (p->udp != PROBE_UDP_CGROUP_SKB) {
		skel->links.mr_udp_receive = bpf_program__attach(skel->progs.mr_udp_receive);
		return skel->links.mr_udp_receive;
	}
	skel->links.mr_udp_ingress =
		bpf_program__attach_cgroup(skel->progs.mr_udp_ingress, p->cgroup_fd);
	return skel->links.mr_udp_ingress;
}

int probe_udp_attach(struct probe *p, struct error *e)
{
	struct millrace_bpf *skel = p->skel;
	bool sent, by_fentry;
	int r;

	if (p->udp == PROBE_UDP_OFF)
		return 0;
	/* Names and drops are better missing than the rest. */
	skel->links.mr_udp_bind4 =
		bpf_program__attach_cgroup(skel->progs.mr_udp_bind4, p->cgroup_fd);
	skel->links.mr_udp_bind6 =
		bpf_program__attach_cgroup(skel->progs.mr_udp_bind6, p->cgroup_fd);
	skel->links.mr_udp_drop = bpf_program__attach(skel->progs.mr_udp_drop);
	sent = attach_sent(p);
	if (sent && attach_received(p))
		return 0;
	r = -errno;
	by_fentry = p->udp == PROBE_UDP_FENTRY || (p->udp == PROBE_UDP_FENTRY_IN && sent);
	return error_set(e, r, "cannot watch UDP by %s: %s; start without it: --no-udp",
			 by_fentry ? "fentry" : "cgroup_skb", strerror(-r));
}

const char *probe_udp_describe(const struct probe *p)
{
	static const char *const names[] = {
		[PROBE_UDP_AUTO] = "",
		[PROBE_UDP_FENTRY] = ", fentry (UDP)",
		[PROBE_UDP_FENTRY_IN] = ", cgroup_skb and fentry (UDP sent and received)",
		[PROBE_UDP_CGROUP_SKB] = ", cgroup_skb (UDP)",
		[PROBE_UDP_OFF] = "",
	};

	return names[p->udp];
}

void probe_udp_swap(struct probe *p)
{
	__u32 *active = &p->skel->bss->mr_udp_active;

	__atomic_store_n(active, !*active, __ATOMIC_SEQ_CST);
}

void probe_udp_swapped(struct probe *p)
{
	__atomic_store_n(&p->skel->bss->mr_totals.udp_flows_in, LAST_RESORT, __ATOMIC_RELAXED);
}

/* The agent knows one kind of record. */
static void flow_value_of(const struct mr_udp_value *from, struct mr_flow_value *into)
{
	into->counter[MR_BYTES_TO_SERVER] = from->bytes_to_server;
	into->counter[MR_BYTES_TO_CLIENT] = from->bytes_to_client;
	into->counter[MR_DATAGRAMS_TO_SERVER] = from->datagrams_to_server;
	into->counter[MR_DATAGRAMS_TO_CLIENT] = from->datagrams_to_client;
	into->counter[MR_DROPPED_TO_SERVER] = from->dropped_to_server;
	into->counter[MR_DROPPED_TO_CLIENT] = from->dropped_to_client;
	into->process_start_ns = from->process_start_ns;
	memcpy(into->comm, from->comm, sizeof(into->comm));
}

static bool is_empty(const struct mr_flow_key *key, const struct mr_udp_value *v)
{
	return key->coarse && !key->cgroup && !v->datagrams_to_server && !v->datagrams_to_client &&
	       !v->dropped_to_server && !v->dropped_to_client;
}

static int drain_batch(struct probe *p, uint32_t count, probe_flow_fn fn, void *userdata)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < count; i++) {
		if (is_empty(&p->keys[i], &p->udp_values[i]))
			continue;
		flow_value_of(&p->udp_values[i], &p->udp_as_flow);
		r = fn(userdata, &p->keys[i], &p->udp_as_flow);
	}
	return r;
}

int probe_udp_drain(struct probe *p, probe_flow_fn fn, void *userdata)
{
	struct probe_batch batch = {.removes = true};
	uint32_t count;
	int r;

	if (p->udp == PROBE_UDP_OFF)
		return 0;
	batch.map = p->udp_map[!p->skel->bss->mr_udp_active];
	while ((r = probe_batch_next(&batch, p->keys, p->udp_values, &count)) > 0) {
		r = drain_batch(p, count, fn, userdata);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : last_resort_put(batch.map);
}

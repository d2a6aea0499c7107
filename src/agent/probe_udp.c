/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's UDP half: which hooks serve, and its own pair of flow maps; see bpf/udp.h.
 *
 * fentry costs nothing for TCP, so it is tried first, on its own, by attaching it: some kernels
 * load such programs and then cannot attach them. Where it fails cgroup_skb serves. What loses is
 * not loaded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "agent/probe_internal.h"

#define EPHEMERAL_LOW 32768 /* Linux's default */

static const char *const fentry_programs[] = {"mr_udp_send4", "mr_udp_send4_2", "mr_udp_send6",
					      "mr_udp_send6_2", "mr_udp_receive"};
static const char *const packet_programs[] = {"mr_udp_egress", "mr_udp_ingress"};
static const char *const common_programs[] = {"mr_udp_adopt_walk", "mr_udp_bind4", "mr_udp_bind6",
					      "mr_udp_drop"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static struct millrace_bpf *load_fentry(void)
{
	struct millrace_bpf *skel = millrace_bpf__open();

	if (!skel)
		return NULL;
	for (struct bpf_program *p = NULL; (p = bpf_object__next_program(skel->obj, p));)
		bpf_program__set_autoload(
			p, is_among(bpf_program__name(p), fentry_programs, COUNT(fentry_programs)));
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
	bool works = skel && attaches(skel->progs.mr_udp_send4) &&
		     attaches(skel->progs.mr_udp_send6) && attaches(skel->progs.mr_udp_receive);

	millrace_bpf__destroy(skel);
	return works;
}

static enum probe_udp choose(enum probe_udp wanted)
{
	if (wanted != PROBE_UDP_AUTO)
		return wanted;
	return probe_udp_fentry_works() ? PROBE_UDP_FENTRY : PROBE_UDP_CGROUP_SKB;
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

static bool is_wanted(const char *program, enum probe_udp hook)
{
	if (is_among(program, fentry_programs, COUNT(fentry_programs)))
		return hook == PROBE_UDP_FENTRY;
	if (is_among(program, packet_programs, COUNT(packet_programs)))
		return hook == PROBE_UDP_CGROUP_SKB;
	return !is_among(program, common_programs, COUNT(common_programs)) || hook != PROBE_UDP_OFF;
}

int probe_udp_configure(struct probe *p, const struct probe_config *config, uint32_t records)
{
	struct millrace_bpf *skel = p->skel;

	p->udp = choose(config->udp);
	skel->rodata->mr_ephemeral_low = ephemeral_low();
	for (struct bpf_program *prog = NULL; (prog = bpf_object__next_program(skel->obj, prog));)
		bpf_program__set_autoload(prog, is_wanted(bpf_program__name(prog), p->udp));
	if (p->udp == PROBE_UDP_OFF)
		return 0;
	if (bpf_map__set_max_entries(skel->maps.mr_udp_a, records) ||
	    bpf_map__set_max_entries(skel->maps.mr_udp_b, records) ||
	    bpf_map__set_max_entries(skel->maps.mr_udp_sockets, p->slots_max / 4))
		return -errno;
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

/* The kernel runs first what was attached last (bpf/interrupted.h). */
static int attach_fentry(struct millrace_bpf *skel)
{
	skel->links.mr_udp_send4_2 = bpf_program__attach(skel->progs.mr_udp_send4_2);
	skel->links.mr_udp_send4 = bpf_program__attach(skel->progs.mr_udp_send4);
	skel->links.mr_udp_send6_2 = bpf_program__attach(skel->progs.mr_udp_send6_2);
	skel->links.mr_udp_send6 = bpf_program__attach(skel->progs.mr_udp_send6);
	skel->links.mr_udp_receive = bpf_program__attach(skel->progs.mr_udp_receive);
	return skel->links.mr_udp_send4 && skel->links.mr_udp_send4_2 && skel->links.mr_udp_send6 &&
			       skel->links.mr_udp_send6_2 && skel->links.mr_udp_receive
		       ? 0
		       : -errno;
}

static int attach_packets(struct millrace_bpf *skel, int cgroup)
{
	skel->links.mr_udp_egress = bpf_program__attach_cgroup(skel->progs.mr_udp_egress, cgroup);
	skel->links.mr_udp_ingress = bpf_program__attach_cgroup(skel->progs.mr_udp_ingress, cgroup);
	return skel->links.mr_udp_egress && skel->links.mr_udp_ingress ? 0 : -errno;
}

int probe_udp_attach(struct probe *p, struct error *e)
{
	struct millrace_bpf *skel = p->skel;
	int r;

	if (p->udp == PROBE_UDP_OFF)
		return 0;
	/* Names and drops are better missing than the rest. */
	skel->links.mr_udp_bind4 =
		bpf_program__attach_cgroup(skel->progs.mr_udp_bind4, p->cgroup_fd);
	skel->links.mr_udp_bind6 =
		bpf_program__attach_cgroup(skel->progs.mr_udp_bind6, p->cgroup_fd);
	skel->links.mr_udp_drop = bpf_program__attach(skel->progs.mr_udp_drop);
	r = p->udp == PROBE_UDP_FENTRY ? attach_fentry(skel) : attach_packets(skel, p->cgroup_fd);
	if (r < 0)
		return error_set(e, r, "cannot watch UDP by %s: %s; start without it: --no-udp",
				 p->udp == PROBE_UDP_FENTRY ? "fentry" : "cgroup_skb",
				 strerror(-r));
	return 0;
}

const char *probe_udp_describe(const struct probe *p)
{
	static const char *const names[] = {
		[PROBE_UDP_AUTO] = "",
		[PROBE_UDP_FENTRY] = ", fentry (UDP)",
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

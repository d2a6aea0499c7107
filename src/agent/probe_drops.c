/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's half for local drops: the names of reasons out of the running kernel's BTF, and the
 * pair of maps; see bpf/drops.h. Evidence: where it cannot be had, it is missing, not fatal.
 */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "agent/probe_internal.h"

/* False: this kernel tells no reasons. */
static bool read_reasons(struct drop_reasons *into)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM) : -ENOENT;
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;

	drop_reasons_init(into);
	for (__u32 i = 0; type && i < btf_vlen(type); i++)
		drop_reasons_add(into, (__u32)btf_enum(type)[i].val,
				 btf__name_by_offset(btf, btf_enum(type)[i].name_off));
	btf__free(btf);
	return type;
}

void probe_drops_configure(struct probe *p)
{
	struct millrace_bpf *skel = p->skel;

	p->has_drops = read_reasons(&p->drop_reasons);
	bpf_program__set_autoload(skel->progs.mr_drop_skb, p->has_drops);
	bpf_program__set_autoload(skel->progs.mr_drop_skb_2, p->has_drops);
	for (size_t i = 0; i < MR_DROP_REASONS; i++)
		skel->rodata->mr_drops_ignored[i] = p->drop_reasons.ignored[i];
}

void probe_drops_attach(struct probe *p)
{
	struct millrace_bpf *skel = p->skel;

	if (!p->has_drops)
		return;
	/* A tracepoint's programs run in this order (bpf/interrupted.h). */
	skel->links.mr_drop_skb = bpf_program__attach(skel->progs.mr_drop_skb);
	skel->links.mr_drop_skb_2 = bpf_program__attach(skel->progs.mr_drop_skb_2);
}

static int hand_over(struct probe *p, uint32_t count, probe_drop_fn fn, void *userdata)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < count; i++)
		r = fn(userdata, &p->drop_keys[i], &p->drops[i],
		       drop_reasons_name(&p->drop_reasons, p->drop_keys[i].reason));
	return r;
}

int probe_drops(struct probe *p, probe_drop_fn fn, void *userdata)
{
	const struct millrace_bpf *skel = p->skel;
	struct probe_batch batch = {
		.map = bpf_map__fd(skel->bss->mr_udp_active ? skel->maps.mr_drops_a
							    : skel->maps.mr_drops_b),
		.removes = true,
		.ended = !skel->links.mr_drop_skb,
	};
	uint32_t count;
	int r;

	while ((r = probe_batch_next(&batch, p->drop_keys, p->drops, &count)) > 0) {
		r = hand_over(p, count, fn, userdata);
		if (r < 0)
			return r;
	}
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See watch.h. */
#include "watch.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "agent/place.h"
#include "privilege.h"

#define BIG_BYTES (128 * 1024)

static int parse_udp(const struct arguments *a, enum probe_udp *ret, struct error *ret_error)
{
	if (a->no_udp)
		*ret = PROBE_UDP_OFF;
	else if (!a->udp_hook)
		*ret = PROBE_UDP_AUTO;
	else if (!strcmp(a->udp_hook, "fentry"))
		*ret = PROBE_UDP_FENTRY;
	else if (!strcmp(a->udp_hook, "cgroup_skb"))
		*ret = PROBE_UDP_CGROUP_SKB;
	else
		return error_set(ret_error, -EINVAL,
				 "cannot watch UDP by '%s': use fentry or cgroup_skb", a->udp_hook);
	return 0;
}

/* A name of a node, a zone or a region: what fits a label everywhere. */
static int check_name(const char *what, const char *name, size_t size_max, struct error *ret_error)
{
	size_t size = name ? strlen(name) : 0;

	for (size_t i = 0; i < size; i++)
		if (name[i] <= ' ' || name[i] > '~')
			size = size_max + 1;
	if (size > size_max)
		return error_set(ret_error, -EINVAL,
				 "cannot use --%s \"%s\": give at most %zu printable characters "
				 "without spaces",
				 what, name, size_max);
	return 0;
}

int watch_configure(const struct arguments *a, struct agent_config *ret, struct error *ret_error)
{
	int r;

	*ret = (struct agent_config){
		.cgroup = a->cgroup,
		.window_ns = a->window_ns,
		.cpu_budget_percent = a->cpu_budget_percent,
		.slots_max = a->slots,
		.flows_max = a->flows,
		.version = MILLRACE_VERSION,
		.node = a->node,
	};
	r = parse_udp(a, &ret->udp, ret_error);
	r = r ? r : check_name("node", a->node, 253, ret_error);
	r = r ? r : check_name("zone", a->zone, 63, ret_error);
	r = r ? r : check_name("region", a->region, 63, ret_error);
	if (!r && !place_knows(a->metadata))
		r = error_set(ret_error, -EINVAL,
			      "cannot ask the metadata service '%s': use auto, aws, gcp, azure or "
			      "off",
			      a->metadata);
	return r;
}

int watch_check_rights(struct error *ret_error)
{
	if (privilege_can_load())
		return 0;
	return error_set(ret_error, -EPERM,
			 "cannot watch this machine: loading programs into the kernel needs root, "
			 "or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; run it with sudo");
}

/* Big tables are mapped, so that only what is used of them takes memory; left alone, malloc moves
 * its limit up when libbpf frees the kernel's BTF, clears them in the heap and keeps them: 14 MB.
 * Where huge pages come unasked (Debian's default), a touched entry takes 2 MB of its table.
 */
void watch_keep_memory_small(void)
{
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	mallopt(M_MMAP_THRESHOLD, BIG_BYTES);
	mallopt(M_TRIM_THRESHOLD, BIG_BYTES);
}

static void describe(const char *zone, const char *region, const char *provider, char ret[200])
{
	if (!*zone && !*region)
		snprintf(ret, 200, "zone and region not known");
	else
		snprintf(ret, 200, "zone %s, region %s%s%s%s", *zone ? zone : "not known",
			 *region ? region : "not known", *provider ? " (as " : "", provider,
			 *provider ? " says)" : "");
}

void watch_find_place(const struct arguments *a, struct agent *agent, char ret_line[200],
		      struct error *ret_error)
{
	const struct place_config config = {.metadata = a->zone ? "off" : a->metadata};
	struct place found;
	const char *zone, *region;

	place_find(&config, &found, ret_error);
	zone = a->zone ? a->zone : found.zone;
	region = a->region ? a->region : found.region;
	agent_set_place(agent, zone, region);
	describe(zone, region, found.provider, ret_line);
}

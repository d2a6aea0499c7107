/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load against itself, without millrace: what it expects is worth nothing if the kernel's own
 * counters do not agree. The namespaces are new, so the SNMP counters are ours alone.
 */
#include <string.h>

#include "live.h"
#include "load.h"
#include "load_report.h"
#include "run.h"

static uint64_t snmp_both(const struct live *l, const char *name)
{
	return (uint64_t)(net_snmp(&l->net, l->net.client, "Tcp:", name) +
			  net_snmp(&l->net, l->net.server, "Tcp:", name));
}

static const char *family_of(const struct shape *s)
{
	return s->family == AF_INET6 ? "IPv6" : "IPv4";
}

static void shapes_print(const struct load *load)
{
	for (unsigned int i = 0; i < load_shape_count; i++) {
		const struct outcome *o = &load->shared->outcome[i];

		if (o->start_ns && strcmp(load_shapes[i].name, "fastopen") == 0)
			say("fastopen: %u connections carried data in the SYN", o->made);
		if (o->start_ns)
			say("%-15s %s %5.2f s", load_shapes[i].name, family_of(&load_shapes[i]),
			    (double)(o->end_ns - o->start_ns) / 1e9);
	}
}

enum verdict test_load(struct live *l)
{
	struct load load = {.net = &l->net,
			    .seed = l->seed,
			    .scale = l->scale * (l->is_short ? 0.2 : 1),
			    .only = l->shape};
	uint64_t active = snmp_both(l, "ActiveOpens"), passive = snmp_both(l, "PassiveOpens");
	uint64_t start = clock_ns();

	if (load_start(&load) == 0) {
		load_go(&load);
		load_wait(&load, patience(l, 120000));
	} else {
		check(l, false, "the load starts");
	}
	shapes_print(&load);
	load_check(l, &load);
	check_equal(l, "attempted, by the kernel's ActiveOpens",
		    load_sum(&load, MR_ATTEMPTED, 0) + load_sum(&load, MR_ADOPTED, LOAD_CLIENT),
		    snmp_both(l, "ActiveOpens") - active);
	check_equal(l, "opened at servers, by the kernel's PassiveOpens",
		    load_sum(&load, MR_OPENED, LOAD_SERVER) +
			    load_sum(&load, MR_ADOPTED, LOAD_SERVER),
		    snmp_both(l, "PassiveOpens") - passive);
	say("%llu connections in %.1f s", (unsigned long long)load_connections(&load),
	    (double)(clock_ns() - start) / 1e9);
	load_free(&load);
	return verdict(l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a host of either end threw away itself: the surest reason of all, since the kernel tells it.
 */
#include <string.h>

#include "field.h"
#include "human.h"
#include "why_internal.h"

#define URGENCY_NEVER_OPENS 110 /* before any guess about what happened on the way */
#define URGENCY_LOSES       70

/* Reasons are the kernel's words; these are the ones that people ask about. */
static const struct {
	const char *reason, *who, *advice;
} known[] = {
	{"NETFILTER_DROP", "its firewall", "look for the rule: nft list ruleset, iptables -S"},
	{"BPF_CGROUP_EGRESS", "a BPF program of its cgroup",
	 "look for the program: bpftool cgroup tree"},
	{"TC_INGRESS", "a traffic control filter", "look for the filter: tc filter show"},
	{"TC_EGRESS", "a traffic control filter", "look for the filter: tc filter show"},
	{"XDP", "an XDP program", "look for the program: bpftool net"},
	{"QDISC_DROP", "a queue of its network device",
	 "look at the queue: tc -s qdisc; it is full, or made to lose"},
	{"TCP_LISTEN_OVERFLOW", "the listener's full queue",
	 "accept faster, or give the listener a longer queue"},
	{"SOCKET_BACKLOG", "the socket's full backlog",
	 "make the program read faster, or raise net.ipv4.tcp_rmem"},
	{"IP_RPFILTER", "the check of source addresses",
	 "look at the routes and at net.ipv4.conf.*.rp_filter"},
	{"NEIGH_FAILED", "the search for a neighbour that does not answer",
	 "look whether the host at that address is up"},
};

static const char *who_of(const char *reason, const char **ret_advice)
{
	*ret_advice = "look at what this reason means in the kernel's skb_drop_reason";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].reason, reason))
			continue;
		*ret_advice = known[i].advice;
		return known[i].who;
	}
	return "its network stack";
}

/* Whose host it was: what the server's end saw by itself is the server's. */
static const char *host_of(const struct why *w, const char *reason)
{
	const json_t *view = json_object_get(w->e->json, "server_view");
	const json_t *drops = json_object_get(view, "drops");

	return json_object_get(drops, reason) ? w->server : w->client;
}

void why_write_drops(struct why *w)
{
	json_t *drops = json_object_get(w->e->json, "drops"), *count;
	bool opens = w->e->opened > 0;
	const char *reason;

	json_object_foreach (drops, reason, count) {
		const char *advice, *who = who_of(reason, &advice);
		const char *host = host_of(w, reason);

		fprintf(w->out, "  %.0f packet%s dropped on %s's own host by %s (",
			json_number_value(count), json_number_value(count) == 1 ? "" : "s", host,
			who);
		human_print(w->out, reason);
		fputs(")\n", w->out);
		why_advise(w, opens ? URGENCY_LOSES : URGENCY_NEVER_OPENS,
			   "%s, on the host of %s: %s drops packets for port %d itself", advice,
			   host, who, w->e->port);
	}
}

// SPDX-License-Identifier: Apache-2.0
// What a host of either end threw away itself: the surest reason of all, since the kernel tells it.
// The same table as `millrace why`.
import { connections } from './judge';
import { plural } from './format';
import { clean } from './names';
import type { Finding, Names } from './why';
import type { GraphEdge } from '../net/types';

/** Reasons are the kernel's words; these are the ones that people ask about: who, and what to do. */
const known: Record<string, [string, string]> = {
	NETFILTER_DROP: ['its firewall', 'look for the rule: nft list ruleset, iptables -S'],
	BPF_CGROUP_EGRESS: ['a BPF program of its cgroup', 'look for the program: bpftool cgroup tree'],
	TC_INGRESS: ['a traffic control filter', 'look for the filter: tc filter show'],
	TC_EGRESS: ['a traffic control filter', 'look for the filter: tc filter show'],
	XDP: ['an XDP program', 'look for the program: bpftool net'],
	QDISC_DROP: ['a queue of its network device', 'look at the queue: tc -s qdisc; it is full, or made to lose'],
	TCP_LISTEN_OVERFLOW: ["the listener's full queue", 'accept faster, or give the listener a longer queue'],
	SOCKET_BACKLOG: ["the socket's full backlog", 'make the program read faster, or raise net.ipv4.tcp_rmem'],
	IP_RPFILTER: ['the check of source addresses', 'look at the routes and at net.ipv4.conf.*.rp_filter'],
	NEIGH_FAILED: ['the search for a neighbour that does not answer', 'look whether the host at that address is up'],
};

const stranger: [string, string] = ['its network stack', "look at what this reason means in the kernel's skb_drop_reason"];
const urgencyNeverOpens = 110; // before any guess about what happened on the way
const urgencyLoses = 70;

export function ofHosts(edge: GraphEdge, { client, server }: Names): Finding[] {
	const urgency = connections(edge).opened > 0 ? urgencyLoses : urgencyNeverOpens;
	return Object.entries(edge.drops ?? {}).map(([reason, count]) => {
		const [who, advice] = (Object.hasOwn(known, reason) && known[reason]) || stranger;
		const host = Object.hasOwn(edge.server_view?.drops ?? {}, reason) ? server : client;
		return {
			text: `${plural(count, 'packet')} dropped on ${host}'s own host by ${who} (${clean(reason, 40)})`,
			advice: `${advice}, on the host of ${host}: ${who} drops packets for port ${edge.port} itself`,
			urgency,
		};
	});
}

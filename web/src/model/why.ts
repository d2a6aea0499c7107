// SPDX-License-Identifier: Apache-2.0
// What an edge's figures mean, in sentences, and what to do next: the page's `millrace why`. Each
// finding has an urgency; the most urgent gives the advice.
import { connections, datagrams, failureMeaning, failures, failureWords } from './judge';
import { percent, plural } from './format';
import { ofHosts } from './why_drops';
import type { Failures, GraphEdge, GraphNode, Limited } from '../net/types';

export interface Finding {
	text: string;
	advice: string;
	urgency: number;
}

export interface Names {
	client: string;
	server: string;
}

const retransmitShareBad = 0.01;
const waitShareBad = 0.2;

type Advise = (edge: GraphEdge, names: Names, listens: boolean) => [number, string];

function onRefused(edge: GraphEdge, { client, server }: Names, listens: boolean): [number, string] {
	if (listens && connections(edge).opened > 0)
		return [55, `look at when ${server} was started or restarted: it listens on port ${edge.port} now, but did not when it refused`];
	if (listens)
		return [90, `compare the address that ${client} asks for with the one that ${server} listens on, and look for a firewall rule that rejects port ${edge.port}`];
	return [90, `start the server on ${server} port ${edge.port}, or correct the address that ${client} is configured with`];
}

const advice: Record<keyof Failures, Advise> = {
	refused: onRefused,
	timed_out: (edge, { client, server }) => [
		100,
		`look for a firewall or security group that drops port ${edge.port} between ${client} and ${server}, and whether the host is up`,
	],
	unreachable: (_, { server }) => [95, `look at the routes to ${server} (ip route get), and for a rule that rejects`],
	reset: (_, { server }) => [80, `look into ${server}'s log: it, or something before it, resets at once`],
	aborted: (_, { client, server }) => [40, `compare ${client}'s connect time limit with how long ${server} takes to answer`],
	other: (_, { client }) => [70, `look into ${client}'s log for the error of its connect()`],
};

function ofFailures(edge: GraphEdge, names: Names, listens: boolean): Finding[] {
	const found = failures(edge).map(({ reason, count }) => {
		const [urgency, words] = advice[reason](edge, names, listens);
		return { text: `${plural(count, 'attempt')} ${failureWords[reason]}: ${failureMeaning[reason]}`, advice: words, urgency };
	});
	const pending = connections(edge).pending;
	if (pending > 0 && edge.health !== 'ok') {
		const [urgency, words] = advice.timed_out(edge, names, listens);
		found.push({ text: `${plural(pending, 'attempt')} pending: SYN sent, no answer yet; dropped on the way, or the host is down`, advice: words, urgency });
	}
	return found;
}

function ofBreaks(edge: GraphEdge, { client, server }: Names): Finding[] {
	const c = connections(edge);
	const found: Finding[] = [];
	if (c.reset_by_server > 0)
		found.push({
			text: `${plural(c.reset_by_server, 'connection')} reset by ${server}`,
			advice: `look into ${server}'s log: it ends connections by a reset (a crash, a limit, or data it did not read)`,
			urgency: 60,
		});
	if (c.reset_by_client > 0)
		found.push({
			text: `${plural(c.reset_by_client, 'connection')} reset by ${client}`,
			advice: `nothing, unless ${client} should not end connections by a reset`,
			urgency: 30,
		});
	if (c.broken > 0)
		found.push({
			text: `${plural(c.broken, 'connection')} broken off: the other side stopped answering`,
			advice: `look for what cut the path from ${client} to ${server}: a host that went down, a firewall that forgot the connection`,
			urgency: 75,
		});
	if (c.synack_retransmits > 0)
		found.push({
			text: `${plural(c.synack_retransmits, 'SYN-ACK')} sent again: answers of ${server} do not reach ${client}`,
			advice: `look for what drops packets on the way back from ${server} to ${client}`,
			urgency: 85,
		});
	return found;
}

function ofDrops(edge: GraphEdge, { client, server }: Names): Finding[] {
	const { dropped, sent } = datagrams(edge);
	if (dropped === 0) return [];
	const reader = (edge.datagrams_dropped_to_server ?? 0) > 0 ? server : client;
	return [
		{
			text: `${plural(dropped, 'datagram')} arrived and were thrown away (${percent(dropped / Math.max(sent, dropped))}): the queue of the socket was full`,
			advice: `make ${reader} read faster or give its sockets a larger receive buffer (net.core.rmem_max, SO_RCVBUF)`,
			urgency: 65,
		},
	];
}

function ofNames(edge: GraphEdge, { client, server }: Names): Finding[] {
	const found: Finding[] = [];
	const { timeouts = 0, errors = {} } = edge.dns ?? {};
	if (timeouts > 0)
		found.push({
			text: `${plural(timeouts, 'query', 'queries')} for names never answered`,
			advice: `look at ${server} and the path to it: it leaves queries of ${client} without answer`,
			urgency: 55,
		});
	if (errors.servfail)
		found.push({
			text: `${plural(errors.servfail, 'query', 'queries')} that ${server} could not resolve (SERVFAIL)`,
			advice: `look at the name servers behind ${server}: it could not resolve names`,
			urgency: 40,
		});
	return found;
}

function ofRetransmits(edge: GraphEdge, { client, server }: Names): Finding[] {
	const again = edge.retransmits_to_server + edge.retransmits_to_client;
	const segments = edge.segments_to_server + edge.segments_to_client;
	if (again <= segments * retransmitShareBad) return [];
	return [
		{
			text: `${plural(again, 'segment')} sent again (${percent(again / Math.max(segments, again))})`,
			advice: `look for loss between ${client} and ${server}: full queues, a bad link, a policer`,
			urgency: 50,
		},
	];
}

function ofWait(limited: Limited, sender: string, receiver: string): Finding[] {
	const found: Finding[] = [];
	if (limited.receive_window > limited.busy * waitShareBad)
		found.push({
			text: `${sender} waits for ${receiver} to read, ${percent(limited.receive_window / limited.busy)} of the time it has data to send`,
			advice: `make ${receiver} read faster (or give its sockets a larger receive buffer): ${sender} waits for it`,
			urgency: 45,
		});
	if (limited.send_buffer > limited.busy * waitShareBad)
		found.push({
			text: `${sender} waits for its own send buffer, ${percent(limited.send_buffer / limited.busy)} of the time it has data to send`,
			advice: `give ${sender}'s sockets a larger send buffer (net.ipv4.tcp_wmem): it waits for it`,
			urgency: 35,
		});
	return found;
}

function ofQueue(edge: GraphEdge, server: GraphNode | undefined, { server: name }: Names): Finding[] {
	const drops = (server?.listeners ?? []).filter((l) => l.port === edge.port).reduce((sum, l) => sum + l.drops, 0);
	if (drops === 0) return [];
	const { pending, failed } = connections(edge);
	const unanswered = pending > 0 || failed.timed_out > 0;
	return [
		{
			text: `${plural(drops, 'connection')} turned away since ${name} began to listen: its queue was full`,
			advice: `make ${name} accept faster or give it a longer queue (listen() backlog and net.core.somaxconn)`,
			urgency: unanswered ? 105 : 65, // then this is why nobody answers
		},
	];
}

/** Most urgent first; none: all is well. */
export function findings(edge: GraphEdge, names: Names, server: GraphNode | undefined): Finding[] {
	const listens = (server?.listeners ?? []).some((l) => l.port === edge.port);
	return [
		...ofFailures(edge, names, listens),
		...ofBreaks(edge, names),
		...ofQueue(edge, server, names),
		...ofHosts(edge, names),
		...ofDrops(edge, names),
		...ofNames(edge, names),
		...ofRetransmits(edge, names),
		...ofWait(edge.limited_us_to_server, names.client, names.server),
		...ofWait(edge.limited_us_to_client, names.server, names.client),
	].sort((a, b) => b.urgency - a.urgency);
}

// SPDX-License-Identifier: Apache-2.0
// An edge's figures in plain words, the same words as `millrace map` and `millrace why` use.
import { count } from './format';
import type { ConnectionCounts, Dns, Failures, GraphEdge, Health } from '../net/types';

export const failureWords: Record<keyof Failures, string> = {
	refused: 'refused',
	timed_out: 'timed out',
	unreachable: 'unreachable',
	reset: 'reset at start',
	aborted: 'given up',
	other: 'failed',
};

export const failureMeaning: Record<keyof Failures, string> = {
	refused: 'an answer came at once that nobody listens there, or a firewall rejects it',
	timed_out: 'no answer to any SYN: it was dropped on the way, or the host is down',
	unreachable: 'no route, or a router or firewall said so by ICMP',
	reset: 'reset while opening',
	aborted: 'the client gave up by itself before an answer came (its own time limit?)',
	other: 'failed for another reason',
};

export const healthWords: Record<Health, string> = {
	ok: 'works',
	degraded: 'works, but not well',
	failing: 'fails',
};

const none: ConnectionCounts = {
	attempted: 0,
	opened: 0,
	adopted: 0,
	closed: 0,
	active: 0,
	pending: 0,
	reset_by_client: 0,
	reset_by_server: 0,
	broken: 0,
	synack_retransmits: 0,
	failed: { refused: 0, timed_out: 0, unreachable: 0, reset: 0, aborted: 0, other: 0 },
};

/** All 0 where there are none to count (UDP). */
export function connections(edge: GraphEdge): ConnectionCounts {
	return edge.connections ?? none;
}

export function datagrams(edge: GraphEdge): { sent: number; dropped: number } {
	return {
		sent: (edge.datagrams_to_server ?? 0) + (edge.datagrams_to_client ?? 0),
		dropped: (edge.datagrams_dropped_to_server ?? 0) + (edge.datagrams_dropped_to_client ?? 0),
	};
}

const dnsWords: Record<string, string> = {
	nxdomain: 'No such name',
	servfail: 'Server failed',
	refused: 'Refused',
	formerr: 'Not understood',
	notimp: 'Not supported',
	other: 'Other errors',
};

/** The most frequent first. */
export function dnsErrors(dns: Dns): { code: string; words: string; count: number }[] {
	return Object.entries(dns.errors)
		.filter(([, count]) => count > 0)
		.map(([code, count]) => ({ code, words: dnsWords[code] ?? code, count }))
		.sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}

export function failures(edge: GraphEdge): { reason: keyof Failures; count: number }[] {
	const reasons = Object.keys(failureWords) as (keyof Failures)[];
	return reasons
		.map((reason) => ({ reason, count: connections(edge).failed[reason] ?? 0 }))
		.filter((failure) => failure.count > 0)
		.sort((a, b) => b.count - a.count);
}

export function failedCount(edge: GraphEdge): number {
	return failures(edge).reduce((sum, failure) => sum + failure.count, 0);
}

/** Attempts were made and none got through: shown dashed. */
export function neverCompletes(edge: GraphEdge): boolean {
	const c = connections(edge);
	return c.opened === 0 && c.active === 0 && (failedCount(edge) > 0 || c.pending > 0);
}

/** The most important thing about it, in two or three words. */
export function verdict(edge: GraphEdge): string {
	const c = connections(edge);
	const worst = failures(edge).find((failure) => failure.reason !== 'aborted');
	if (worst) return `${count(worst.count)} ${failureWords[worst.reason]}`;
	if (c.pending > 0 && edge.health !== 'ok') return `${count(c.pending)} pending`;
	if (edge.health === 'ok') return 'ok';
	if (c.reset_by_server > 0) return `${count(c.reset_by_server)} reset by server`;
	if (c.broken > 0) return `${count(c.broken)} broken off`;
	const again = edge.retransmits_to_server + edge.retransmits_to_client;
	if (again > 0) return `${count(again)} sent again`;
	const { dropped } = datagrams(edge);
	if (dropped > 0) return `${count(dropped)} dropped`;
	return failedCount(edge) > 0 ? `${count(failedCount(edge))} given up` : edge.health;
}

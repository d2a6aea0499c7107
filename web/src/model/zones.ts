// SPDX-License-Identifier: Apache-2.0
// How far the ends of an edge are apart, and what an edge is that is not like the others.
import { clean } from './names';
import type { GraphEdge } from '../net/types';

const classWords: Record<string, string> = {
	same_node: 'on one machine',
	same_zone: 'within a zone',
	cross_zone: 'crosses zones',
	cross_region: 'crosses regions',
	external: 'leaves what agents see',
};

/** Nearest first. */
const distance = ['same_node', 'same_zone', 'unknown', 'external', 'cross_zone', 'cross_region'];

export function hasZones(edges: GraphEdge[]): boolean {
	return edges.some((edge) => edge.client_zone || edge.server_zone);
}

/** "a → b", "a" where both are there, "" where neither is known. */
export function zonesText({ client_zone = '', server_zone = '' }: GraphEdge): string {
	if (!client_zone && !server_zone) return '';
	if (client_zone === server_zone) return clean(client_zone, 40);
	return `${client_zone ? clean(client_zone, 40) : '?'} → ${server_zone ? clean(server_zone, 40) : '?'}`;
}

export function isFar(edge: GraphEdge): boolean {
	return edge.class === 'cross_zone' || edge.class === 'cross_region';
}

export function farness(edge: GraphEdge): number {
	return distance.indexOf(edge.class) + 1;
}

/** In which zones, and what that means: "us-1a → us-1b, crosses zones". */
export function placeText(edge: GraphEdge): string {
	const regions = edge.class === 'cross_region' && edge.client_region && edge.server_region;
	const where = regions ? `${clean(edge.client_region ?? '', 40)} → ${clean(edge.server_region ?? '', 40)}` : zonesText(edge);
	return [where, classWords[edge.class] ?? ''].filter(Boolean).join(', ');
}

const carrierWords: Record<string, string> = {
	sidecar: 'a connection to a sidecar of its own, which carries connections that are counted by themselves',
	tunnel: 'the outside of a tunnel, which carries connections that are counted by themselves',
};

/** Why an edge is in no sum; "" if it is. */
export function carrierText(carrier: string | undefined): string {
	if (!carrier) return '';
	return `This is ${carrierWords[carrier] ?? 'what carries other connections'}: it is shown, and in no sum.`;
}

export const provisionalText =
	'Provisional: the client’s agent is silent, so these are the figures of the server’s end. They are replaced by its own when it is heard again.';

/** A word for the table; "": an edge like any other. */
export function tagsOf(edge: GraphEdge): string[] {
	return [edge.carrier ?? '', edge.provisional ? 'provisional' : ''].filter(Boolean);
}

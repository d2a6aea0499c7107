// SPDX-License-Identifier: Apache-2.0
// The table's rows: what each column shows of an edge, and in which order.
import { connections, failedCount } from './judge';
import { clean } from './names';
import { farness, zonesText } from './zones';
import type { Rates } from './rates';
import type { Graph, GraphEdge, Health } from '../net/types';

export interface Row {
	edge: GraphEdge;
	client: string;
	server: string;
	clientKind: string;
	serverKind: string;
	rate: number;
	failed: number;
	retransmits: number;
}

export type Value = string | number;

const level: Record<Health, number> = { ok: 0, degraded: 1, failing: 2 };

/** By column: what to sort by. */
export const sortValue: Record<string, (row: Row) => Value> = {
	health: (row) => level[row.edge.health],
	client: (row) => row.client.toLowerCase(),
	server: (row) => row.server.toLowerCase(),
	zones: (row) => `${farness(row.edge)} ${zonesText(row.edge)}`,
	port: (row) => row.edge.port,
	rate: (row) => row.rate,
	to_server: (row) => row.edge.bytes_to_server + row.edge.adopted_bytes_to_server,
	to_client: (row) => row.edge.bytes_to_client + row.edge.adopted_bytes_to_client,
	open: (row) => connections(row.edge).active,
	new: (row) => connections(row.edge).opened,
	failed: (row) => row.failed,
	rtt: (row) => row.edge.rtt_us.p50,
	retransmits: (row) => row.retransmits,
};

export function makeRows(graph: Graph, rates: Rates): Row[] {
	const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
	return graph.edges.map((edge) => ({
		edge,
		client: clean(nodes.get(edge.client)?.name ?? ''),
		server: clean(nodes.get(edge.server)?.name ?? ''),
		clientKind: nodes.get(edge.client)?.kind ?? '',
		serverKind: nodes.get(edge.server)?.kind ?? '',
		rate: rates.total(edge.id),
		failed: failedCount(edge),
		retransmits: edge.retransmits_to_server + edge.retransmits_to_client,
	}));
}

function compare(a: Value, b: Value): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** sort: a column, with - before it when descending. Rows that are equal keep a fixed order. */
export function sortRows(rows: Row[], sort: string): Row[] {
	const descending = sort.startsWith('-');
	const value = sortValue[descending ? sort.slice(1) : sort] ?? sortValue.rate;
	if (!value) return rows;
	const sign = descending ? -1 : 1;
	const keyed = rows.map((row) => ({ row, key: value(row) }));
	keyed.sort((a, b) => sign * compare(a.key, b.key) || tie(a.row, b.row));
	return keyed.map(({ row }) => row);
}

/** Where the column says nothing: the most bytes first, then by id. */
function tie(a: Row, b: Row): number {
	const bytes = (row: Row) => row.edge.bytes_to_server + row.edge.bytes_to_client;
	return bytes(b) - bytes(a) || compare(a.edge.id, b.edge.id);
}

/** A click on a column: the other way if it is sorted by it, else its own first way. */
export function nextSort(sort: string, column: string, textual: boolean): string {
	if (sort === column) return `-${column}`;
	if (sort === `-${column}`) return column;
	return textual ? column : `-${column}`;
}

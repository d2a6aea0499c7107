// SPDX-License-Identifier: Apache-2.0
// Nodes, edges and graphs for tests: everything works and nothing moves, until a test says else.
import type { Completeness, ConnectionCounts, Graph, GraphEdge, GraphNode, Histogram, Limited } from '../net/types';

const none: Histogram = { count: 0, min: 0, p50: 0, p95: 0, p99: 0, max: 0 };
const calm: Limited = { busy: 0, receive_window: 0, send_buffer: 0 };

export function node(id: string): GraphNode {
	return { id, kind: 'process', name: id, namespace: '', zones: [], nodes: ['host'], listeners: [], health: 'ok', first_seen: 1 };
}

export function counts(part: Partial<ConnectionCounts> = {}): ConnectionCounts {
	return {
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
		...part,
		failed: { refused: 0, timed_out: 0, unreachable: 0, reset: 0, aborted: 0, other: 0, ...part.failed },
	};
}

export function edge(client: string, server: string, port: number, part: Partial<GraphEdge> = {}): GraphEdge {
	return {
		id: `${client}|${server}|tcp/${port}`,
		client,
		server,
		transport: 'tcp',
		port,
		via: '',
		class: 'same_node',
		first_seen: 1,
		last_seen: 2,
		health: 'ok',
		server_view: null,
		bytes_to_server: 0,
		bytes_to_client: 0,
		adopted_bytes_to_server: 0,
		adopted_bytes_to_client: 0,
		segments_to_server: 0,
		segments_to_client: 0,
		retransmits_to_server: 0,
		retransmits_to_client: 0,
		connections: counts(),
		rtt_us: none,
		connect_us: none,
		limited_us_to_server: calm,
		limited_us_to_client: calm,
		...part,
	};
}

/** Nothing was lost. */
export function whole(): Completeness {
	return { share: 1, agents: { expected: 1, reporting: 1 }, lost: {}, unresolved_bytes: 0, window_s: 1, covered: null };
}

export function graph(nodes: GraphNode[], edges: GraphEdge[], span_s = 1): Graph {
	return {
		from: 100,
		to: 100 + span_s,
		group: 'workload',
		nodes,
		edges,
		completeness: whole(),
	};
}

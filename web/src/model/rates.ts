// SPDX-License-Identifier: Apache-2.0
// How much flows over an edge, in bytes a second. While the present is followed: right now, smoothed
// over a few windows so that widths on the map breathe instead of flicker. Of a time that is past:
// the mean over it.
import type { Graph } from '../net/types';

export interface Rate {
	to_server: number; // bytes a second
	to_client: number;
}

const smoothing = 0.45;
const negligible = 0.5;
const none: Rate = { to_server: 0, to_client: 0 };

/** The time that a graph's sums are of. */
function lasted(graph: Graph): number {
	const { from, to } = graph.completeness.covered ?? graph;
	return Math.max(to - from, 0.001);
}

export class Rates {
	private readonly byEdge = new Map<string, Rate>();
	private heard = false;

	/** isMean: of a whole range, else of this moment. */
	constructor(readonly isMean = false) {}

	static mean(graph: Graph): Rates {
		const rates = new Rates(true);
		const span_s = lasted(graph);
		for (const edge of graph.edges)
			if (edge.bytes_to_server + edge.bytes_to_client > 0)
				rates.byEdge.set(edge.id, { to_server: edge.bytes_to_server / span_s, to_client: edge.bytes_to_client / span_s });
		return rates;
	}

	/** A window of the stream; edges that it does not name moved nothing. */
	add(window: Graph) {
		const span_s = Math.max(window.to - window.from, 0.001);
		const pull = this.heard ? smoothing : 1;
		const moved = new Map(window.edges.map((edge) => [edge.id, edge]));
		for (const id of moved.keys()) if (!this.byEdge.has(id)) this.byEdge.set(id, { ...none });
		for (const [id, rate] of this.byEdge) {
			const edge = moved.get(id);
			rate.to_server += pull * ((edge?.bytes_to_server ?? 0) / span_s - rate.to_server);
			rate.to_client += pull * ((edge?.bytes_to_client ?? 0) / span_s - rate.to_client);
			if (rate.to_server + rate.to_client < negligible) this.byEdge.delete(id);
		}
		this.heard = true;
	}

	of(edge: string): Rate {
		return this.byEdge.get(edge) ?? none;
	}

	total(edge: string): number {
		const rate = this.of(edge);
		return rate.to_server + rate.to_client;
	}

	clear() {
		this.byEdge.clear();
		this.heard = false;
	}
}

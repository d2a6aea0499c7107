// SPDX-License-Identifier: Apache-2.0
// Where nodes are, in cells. The server keeps positions; for a node that has none we take the next
// free place of a spiral, and it keeps that place for as long as the page is open.
import type { GraphNode, Position } from '../net/types';

/** Places around the middle, outwards ring by ring; wider than high, as screens are. */
export function spiral(index: number): Position {
	if (index === 0) return { x: 0, y: 0 };
	const ring = Math.ceil((Math.sqrt(index + 1) - 1) / 2);
	const side = ring * 2;
	const at = index - (side - 1) ** 2;
	const along = at % side;
	switch (Math.floor(at / side)) {
		case 0:
			return { x: ring, y: along - ring + 1 };
		case 1:
			return { x: ring - 1 - along, y: ring };
		case 2:
			return { x: -ring, y: ring - 1 - along };
		default:
			return { x: -ring + 1 + along, y: -ring };
	}
}

export class Places {
	private readonly own = new Map<string, Position>();
	private taken = 0;

	/** By node id. Nodes without a place get one in the order of their ids. */
	of(nodes: GraphNode[]): Map<string, Position> {
		const places = new Map<string, Position>();
		const homeless: string[] = [];
		for (const node of nodes) {
			const place = node.position ?? this.own.get(node.id);
			if (place && Number.isFinite(place.x) && Number.isFinite(place.y)) places.set(node.id, place);
			else homeless.push(node.id);
		}
		for (const id of homeless.sort()) places.set(id, this.settle(id));
		return places;
	}

	private settle(id: string): Position {
		const place = spiral(this.taken++);
		this.own.set(id, place);
		return place;
	}
}

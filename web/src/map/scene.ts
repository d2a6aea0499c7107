// SPDX-License-Identifier: Apache-2.0
// What the map shows: the graph with places and curves, made anew for each answer of the server.
// Drawing and hit testing read it; it knows no canvas.
import * as geometry from './geometry';
import { clean } from '../model/names';
import { neverCompletes, verdict } from '../model/judge';
import type { Rates } from '../model/rates';
import type { Places } from '../model/places';
import type { Graph, GraphEdge, GraphNode, Health, Position } from '../net/types';

export interface SceneNode {
	id: string;
	node: GraphNode;
	name: string;
	detail: string;
	middle: Position;
}

export interface SceneEdge {
	id: string;
	edge: GraphEdge;
	client: SceneNode;
	server: SceneNode;
	curve: geometry.Curve;
	health: Health;
	/** No attempt gets through. */
	broken: boolean;
	width: number; // pixels
	rate: number; // bytes a second
	words: string;
}

export interface Scene {
	nodes: SceneNode[];
	edges: SceneEdge[];
	nodeById: Map<string, SceneNode>;
	edgeById: Map<string, SceneEdge>;
}

export const emptyScene: Scene = { nodes: [], edges: [], nodeById: new Map(), edgeById: new Map() };

function ports(node: GraphNode): string {
	const list = [...new Set(node.listeners.map((l) => l.port))].sort((a, b) => a - b);
	if (list.length === 0) return '';
	const shown = list.slice(0, 3).map((port) => `:${port}`).join(' ');
	return list.length > 3 ? `${shown} +${list.length - 3}` : shown;
}

function makeNode(node: GraphNode, place: Position): SceneNode {
	const detail = [node.kind, ports(node)].filter(Boolean).join('  ');
	return { id: node.id, node, name: clean(node.name, 60), detail, middle: geometry.centre(place) };
}

function makeEdge(edge: GraphEdge, client: SceneNode, server: SceneNode, rank: number, rate: number): SceneEdge {
	return {
		id: edge.id,
		edge,
		client,
		server,
		curve: client === server ? geometry.loop(client.middle, rank) : geometry.between(client.middle, server.middle, rank),
		health: edge.health,
		broken: neverCompletes(edge),
		width: geometry.width(rate),
		rate,
		words: verdict(edge),
	};
}

export function makeScene(graph: Graph, rates: Rates, places: Places): Scene {
	const place = places.of(graph.nodes);
	const nodes = graph.nodes.map((node) => makeNode(node, place.get(node.id) ?? { x: 0, y: 0 }));
	const nodeById = new Map(nodes.map((node) => [node.id, node]));
	const ranks = new Map<string, number>();
	const edges: SceneEdge[] = [];
	// by id, so that a port keeps its rank whatever the order of the answer is
	for (const edge of [...graph.edges].sort((a, b) => (a.id < b.id ? -1 : 1))) {
		const client = nodeById.get(edge.client);
		const server = nodeById.get(edge.server);
		if (!client || !server) continue;
		const pair = `${edge.client}\n${edge.server}`;
		const rank = ranks.get(pair) ?? 0;
		ranks.set(pair, rank + 1);
		edges.push(makeEdge(edge, client, server, rank, rates.total(edge.id)));
	}
	return { nodes, edges, nodeById, edgeById: new Map(edges.map((edge) => [edge.id, edge])) };
}

export interface Box {
	left: number;
	top: number;
	right: number;
	bottom: number;
}

/** Around all cards; null if there are none. */
export function bounds(scene: Scene): Box | null {
	if (scene.nodes.length === 0) return null;
	const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
	for (const { middle } of scene.nodes) {
		box.left = Math.min(box.left, middle.x - geometry.card.width / 2);
		box.right = Math.max(box.right, middle.x + geometry.card.width / 2);
		box.top = Math.min(box.top, middle.y - geometry.card.height / 2);
		box.bottom = Math.max(box.bottom, middle.y + geometry.card.height / 2);
	}
	return box;
}

export function nodeAt(scene: Scene, point: Position): SceneNode | null {
	for (let i = scene.nodes.length - 1; i >= 0; i--) {
		const node = scene.nodes[i];
		if (!node) continue;
		const dx = Math.abs(point.x - node.middle.x);
		const dy = Math.abs(point.y - node.middle.y);
		if (dx <= geometry.card.width / 2 && dy <= geometry.card.height / 2) return node;
	}
	return null;
}

/** The edge nearest to the point, if one is within reach. */
export function edgeAt(scene: Scene, point: Position, reach: number): SceneEdge | null {
	let best: SceneEdge | null = null;
	let nearest = reach;
	for (const edge of scene.edges) {
		const far = geometry.distance(edge.curve, point) - edge.width / 2;
		if (far <= nearest) {
			nearest = far;
			best = edge;
		}
	}
	return best;
}

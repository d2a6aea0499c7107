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
	/** Of all its lines: bytes a second, and how many there are. */
	rate: number;
	lines: number;
}

/** What one line stands for: an edge, or all edges from one node to another if they are many. */
export interface SceneEdge {
	/** Of the edge that matters most: the worst, then the one with the most bytes. */
	id: string;
	edge: GraphEdge;
	members: GraphEdge[];
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
	/** Every edge of the graph, by the line that shows it. */
	edgeById: Map<string, SceneEdge>;
}

const linesMax = 3; // from one node to another; more ports become one line

export const emptyScene: Scene = { nodes: [], edges: [], nodeById: new Map(), edgeById: new Map() };

function ports(node: GraphNode): string {
	const list = [...new Set(node.listeners.map((l) => l.port))].sort((a, b) => a - b);
	if (list.length === 0) return '';
	const shown = list.slice(0, 3).map((port) => `:${port}`).join(' ');
	return list.length > 3 ? `${shown} +${list.length - 3}` : shown;
}

function makeNode(node: GraphNode, place: Position): SceneNode {
	const detail = [node.kind, ports(node)].filter(Boolean).join('  ');
	return { id: node.id, node, name: clean(node.name, 60), detail, middle: geometry.centre(place), rate: 0, lines: 0 };
}

const level: Record<Health, number> = { ok: 0, degraded: 1, failing: 2 };

function bytes(edge: GraphEdge): number {
	return edge.bytes_to_server + edge.bytes_to_client;
}

function worst(members: GraphEdge[]): GraphEdge | undefined {
	return [...members].sort((a, b) => level[b.health] - level[a.health] || bytes(b) - bytes(a))[0];
}

function makeLine(members: GraphEdge[], client: SceneNode, server: SceneNode, rank: number, rates: Rates): SceneEdge[] {
	const edge = worst(members);
	if (!edge) return [];
	const rate = members.reduce((sum, member) => sum + rates.total(member.id), 0);
	const loop = client === server;
	return [
		{
			id: edge.id,
			edge,
			members,
			client,
			server,
			curve: loop ? geometry.loop(client.middle, rank) : geometry.between(client.middle, server.middle, rank),
			health: edge.health,
			broken: members.every(neverCompletes),
			width: geometry.width(rate),
			rate,
			words: verdict(edge),
		},
	];
}

/** By pair of ends, each list in the order of ids: a port keeps its line whatever order comes. */
function pairs(graph: Graph): GraphEdge[][] {
	const found = new Map<string, GraphEdge[]>();
	for (const edge of graph.edges) {
		const key = `${edge.client}\n${edge.server}`;
		const list = found.get(key);
		if (list) list.push(edge);
		else found.set(key, [edge]);
	}
	for (const list of found.values()) list.sort((a, b) => (a.id < b.id ? -1 : 1));
	return [...found.values()];
}

export function makeScene(graph: Graph, rates: Rates, places: Places): Scene {
	const place = places.of(graph.nodes);
	const nodes = graph.nodes.map((node) => makeNode(node, place.get(node.id) ?? { x: 0, y: 0 }));
	const nodeById = new Map(nodes.map((node) => [node.id, node]));
	const edges: SceneEdge[] = [];
	for (const pair of pairs(graph)) {
		const client = nodeById.get(pair[0]?.client ?? '');
		const server = nodeById.get(pair[0]?.server ?? '');
		if (!client || !server) continue;
		const lines = pair.length > linesMax ? [pair] : pair.map((edge) => [edge]);
		lines.forEach((members, rank) => edges.push(...makeLine(members, client, server, rank, rates)));
	}
	for (const edge of edges)
		for (const end of new Set([edge.client, edge.server])) {
			end.rate += edge.rate;
			end.lines++;
		}
	const edgeById = new Map(edges.flatMap((edge) => edge.members.map((member) => [member.id, edge] as const)));
	return { nodes, edges, nodeById, edgeById };
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

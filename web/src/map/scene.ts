// SPDX-License-Identifier: Apache-2.0
// What the map shows: the graph with places and curves, made anew for each answer of the server.
// Drawing and hit testing read it; it knows no canvas.
import * as geometry from './geometry';
import { middleOf, plain, type Grid, type Size } from './grid';
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
	/** It only carries what other lines count. */
	carrier: string;
	provisional: boolean;
	/** A word or two that stand on the line; "": none. */
	note: string;
	width: number; // pixels
	rate: number; // bytes a second
	words: string;
}

export interface Scene {
	grid: Grid;
	nodes: SceneNode[];
	edges: SceneEdge[];
	nodeById: Map<string, SceneNode>;
	/** Every edge of the graph, by the line that shows it. */
	edgeById: Map<string, SceneEdge>;
}

const carrierWidth = 1;
const linesMax = 3; // from one node to another; more ports become one line
const routedMax = 400; // in a fuller map each line passes behind cards, whatever its bend

export const emptyScene: Scene = { grid: plain, nodes: [], edges: [], nodeById: new Map(), edgeById: new Map() };

function ports(node: GraphNode): string {
	const list = [...new Set(node.listeners.map((l) => l.port))].sort((a, b) => a - b);
	if (list.length === 0) return '';
	const shown = list.slice(0, 3).map((port) => `:${port}`).join(' ');
	return list.length > 3 ? `${shown} +${list.length - 3}` : shown;
}

function makeNode(node: GraphNode, place: Position, grid: Grid): SceneNode {
	const detail = [node.kind, ports(node)].filter(Boolean).join('  ');
	return { id: node.id, node, name: clean(node.name, 60), detail, middle: middleOf(place, grid), rate: 0, lines: 0 };
}

const level: Record<Health, number> = { ok: 0, degraded: 1, failing: 2 };

function bytes(edge: GraphEdge): number {
	return edge.bytes_to_server + edge.bytes_to_client;
}

function worst(members: GraphEdge[]): GraphEdge | undefined {
	return [...members].sort((a, b) => level[b.health] - level[a.health] || bytes(b) - bytes(a))[0];
}

interface Ends {
	client: SceneNode;
	server: SceneNode;
}

/** What lies at a point, found by its cell. */
type Find = (point: Position) => SceneNode | undefined;

function finder(nodes: SceneNode[], { pitch, card }: Grid): Find {
	const key = (x: number, y: number) => `${Math.round(x / pitch.width)},${Math.round(y / pitch.height)}`;
	const byCell = new Map(nodes.map((node) => [key(node.middle.x, node.middle.y), node]));
	const air = 4;
	return ({ x, y }) => {
		const node = byCell.get(key(x, y));
		const inside = node && Math.abs(x - node.middle.x) < card.width / 2 + air && Math.abs(y - node.middle.y) < card.height / 2 + air;
		return inside ? node : undefined;
	};
}

function drawn({ client, server }: Ends, rank: number, { card }: Grid, find: Find | null): geometry.Curve {
	if (client === server) return geometry.loop(client.middle, rank, card);
	const covered = (point: Position) => {
		const node = find?.(point);
		return node !== undefined && node !== client && node !== server;
	};
	return geometry.between(client.middle, server.middle, rank, card, find ? covered : undefined);
}

function makeLine(members: GraphEdge[], ends: Ends, rates: Rates, curve: geometry.Curve): SceneEdge[] {
	const edge = worst(members);
	if (!edge) return [];
	const rate = members.reduce((sum, member) => sum + rates.total(member.id), 0);
	const carrier = edge.carrier ?? '';
	const provisional = members.some((member) => member.provisional);
	const notes = [members.length > 1 && !carrier && `${members.length} ports`, carrier, provisional && 'provisional'];
	return [
		{
			id: edge.id,
			edge,
			members,
			...ends,
			curve,
			health: edge.health,
			broken: members.every(neverCompletes),
			carrier,
			provisional,
			note: notes.filter(Boolean).join(', '),
			width: carrier ? carrierWidth : geometry.width(rate),
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

/** Few ports are a line each, many are one; what only carries others stands beside them. */
function linesOf(pair: GraphEdge[]): GraphEdge[][] {
	const counted = pair.filter((edge) => !edge.carrier);
	const carriers = pair.filter((edge) => edge.carrier);
	const lines = counted.length > linesMax ? [counted] : counted.map((edge) => [edge]);
	return carriers.length > 0 ? [...lines, carriers] : lines;
}

export function makeScene(graph: Graph, rates: Rates, places: Places, grid: Grid = plain): Scene {
	const place = places.of(graph.nodes);
	const nodes = graph.nodes.map((node) => makeNode(node, place.get(node.id) ?? { x: 0, y: 0 }, grid));
	const find = graph.edges.length <= routedMax ? finder(nodes, grid) : null;
	const nodeById = new Map(nodes.map((node) => [node.id, node]));
	const edges: SceneEdge[] = [];
	for (const pair of pairs(graph)) {
		const client = nodeById.get(pair[0]?.client ?? '');
		const server = nodeById.get(pair[0]?.server ?? '');
		if (!client || !server) continue;
		const ends = { client, server };
		linesOf(pair).forEach((members, rank) => edges.push(...makeLine(members, ends, rates, drawn(ends, rank, grid, find))));
	}
	for (const edge of edges)
		for (const end of new Set([edge.client, edge.server])) {
			end.rate += edge.carrier ? 0 : edge.rate; // it is in the others already
			end.lines++;
		}
	const edgeById = new Map(edges.flatMap((edge) => edge.members.map((member) => [member.id, edge] as const)));
	return { grid, nodes, edges, nodeById, edgeById };
}

export interface Box {
	left: number;
	top: number;
	right: number;
	bottom: number;
}

/** How many columns and rows of cells the nodes take; null if there are none. */
export function cellsOf(graph: Graph, places: Places): Size | null {
	const all = [...places.of(graph.nodes).values()];
	if (all.length === 0) return null;
	const span = (values: number[]) => values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b)) + 1;
	return { width: span(all.map(({ x }) => x)), height: span(all.map(({ y }) => y)) };
}

/** Around all cards; null if there are none. */
export function bounds(scene: Scene): Box | null {
	if (scene.nodes.length === 0) return null;
	const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
	for (const { middle } of scene.nodes) {
		box.left = Math.min(box.left, middle.x - scene.grid.card.width / 2);
		box.right = Math.max(box.right, middle.x + scene.grid.card.width / 2);
		box.top = Math.min(box.top, middle.y - scene.grid.card.height / 2);
		box.bottom = Math.max(box.bottom, middle.y + scene.grid.card.height / 2);
	}
	return box;
}

export function nodeAt(scene: Scene, point: Position): SceneNode | null {
	for (let i = scene.nodes.length - 1; i >= 0; i--) {
		const node = scene.nodes[i];
		if (!node) continue;
		const dx = Math.abs(point.x - node.middle.x);
		const dy = Math.abs(point.y - node.middle.y);
		if (dx <= scene.grid.card.width / 2 && dy <= scene.grid.card.height / 2) return node;
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

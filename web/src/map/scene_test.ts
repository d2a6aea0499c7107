// SPDX-License-Identifier: Apache-2.0
// Proves: what is clicked is what is there; many ports between two become one line that shows the
// worst of them; edges to nodes that are not there are left out.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as geometry from './geometry';
import { middleOf, plain } from './grid';
import { bounds, edgeAt, makeScene, nodeAt } from './scene';
import { Places } from '../model/places';
import { Rates } from '../model/rates';
import { edge, graph, node } from '../model/example_for_test';

const at = (id: string, x: number, y: number) => ({ ...node(id), position: { x, y } });
const nodes = [at('a', 0, 0), at('b', 3, 0)];
const scene = (edges: ReturnType<typeof edge>[]) => makeScene(graph(nodes, edges), new Rates(), new Places());

test('a card and an edge are found where they are drawn', () => {
	const world = scene([edge('a', 'b', 80)]);
	assert.equal(nodeAt(world, middleOf({ x: 3, y: 0 }, plain))?.id, 'b');
	const line = world.edges[0];
	assert.ok(line);
	assert.equal(edgeAt(world, geometry.at(line.curve, 0.5), 5)?.id, line.id);
	assert.equal(edgeAt(world, { x: 0, y: 900 }, 5), null);
});

test('three ports are three lines, four are one that shows the worst', () => {
	const ports = (n: number) => Array.from({ length: n }, (_, i) => edge('a', 'b', i + 1, { health: i === 2 ? 'failing' : 'ok' }));
	assert.equal(scene(ports(3)).edges.length, 3);
	const crowded = scene(ports(4));
	assert.equal(crowded.edges.length, 1);
	assert.equal(crowded.edges[0]?.health, 'failing');
	assert.equal(crowded.edges[0]?.members.length, 4);
	assert.equal(crowded.edgeById.size, 4);
});

test('what only carries others is a line of its own, fine, and in no sum', () => {
	const rates = new Rates();
	const edges = [edge('a', 'b', 80), edge('a', 'b', 4789, { carrier: 'tunnel', transport: 'udp' }), edge('a', 'b', 81, { provisional: true })];
	rates.add(graph(nodes, edges.map((each) => ({ ...each, bytes_to_server: 1_000_000 }))));
	const world = makeScene(graph(nodes, edges), rates, new Places());
	assert.deepEqual(world.edges.map(({ note, width }) => [note, width === 1]).sort(), [['', false], ['provisional', false], ['tunnel', true]]);
	assert.equal(world.nodeById.get('a')?.rate, 2_000_000);
});

test('an edge without its node is left out', () => {
	assert.equal(scene([edge('a', 'nobody', 1)]).edges.length, 0);
});

test('the bounds hold all cards, and nothing has none', () => {
	const box = bounds(scene([]));
	assert.ok(box && box.right - box.left > 3 * plain.pitch.width);
	assert.equal(bounds(makeScene(graph([], []), new Rates(), new Places())), null);
});

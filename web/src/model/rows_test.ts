// SPDX-License-Identifier: Apache-2.0
// Proves: rows sort by each column both ways, and equal ones keep a fixed order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeRows, nextSort, sortRows, sortValue } from './rows';
import { Rates } from './rates';
import type { Failures } from '../net/types';
import { counts, edge, graph, node } from './example_for_test';

const world = graph(
	[node('b'), node('a'), node('db')],
	[
		edge('a', 'db', 1, { bytes_to_client: 10 }),
		edge('b', 'db', 2, { bytes_to_client: 30, health: 'failing', connections: counts({ failed: { refused: 4 } as Failures }) }),
		edge('b', 'a', 3, { bytes_to_client: 20, health: 'degraded' }),
	],
);
const ports = (sort: string) => sortRows(makeRows(world, new Rates()), sort).map((row) => row.edge.port);

test('by text, number and health, both ways', () => {
	assert.deepEqual(ports('client'), [1, 2, 3]); // of two from b, the one with more bytes first
	assert.deepEqual(ports('-to_client'), [2, 3, 1]);
	assert.deepEqual(ports('to_client'), [1, 3, 2]);
	assert.deepEqual(ports('-health'), [2, 3, 1]);
	assert.deepEqual(ports('-failed')[0], 2);
});

test('rows that are equal stay where they are when the answer comes in another order', () => {
	const turned = { ...world, edges: [...world.edges].reverse() };
	const rows = (of: typeof world) => sortRows(makeRows(of, new Rates()), '-rate').map((row) => row.edge.id);
	assert.deepEqual(rows(world), rows(turned));
});

test('an unknown column sorts as the first one does', () => {
	assert.deepEqual(ports('-nothing'), ports('-rate'));
});

test('a click turns the column that is sorted by, and starts another its own way', () => {
	assert.equal(nextSort('-rate', 'rate', false), 'rate');
	assert.equal(nextSort('rate', 'rate', false), '-rate');
	assert.equal(nextSort('-rate', 'client', true), 'client');
	assert.equal(nextSort('client', 'open', false), '-open');
	assert.ok(Object.keys(sortValue).length >= 12);
});

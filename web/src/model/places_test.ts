// SPDX-License-Identifier: Apache-2.0
// Proves: a node never moves because another came, and no two share a place.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Places, spiral } from './places';
import { node } from './example_for_test';

const key = ({ x, y }: { x: number; y: number }) => `${x},${y}`;

test('the spiral gives each index a place of its own, without holes', () => {
	const places = Array.from({ length: 49 }, (_, i) => spiral(i));
	assert.equal(new Set(places.map(key)).size, 49);
	for (const place of places) assert.ok(Math.abs(place.x) <= 3 && Math.abs(place.y) <= 3, key(place));
});

test("the server's position counts where there is one", () => {
	const places = new Places().of([{ ...node('a'), position: { x: 4, y: -2 } }]);
	assert.deepEqual(places.get('a'), { x: 4, y: -2 });
});

test('who has a place keeps it, whoever comes or goes', () => {
	const places = new Places();
	const before = places.of([node('m'), node('z')]);
	const after = places.of([node('a'), node('m'), node('z')]);
	assert.deepEqual(after.get('m'), before.get('m'));
	assert.deepEqual(after.get('z'), before.get('z'));
	places.of([node('a')]);
	const back = places.of([node('z'), node('q')]);
	assert.deepEqual(back.get('z'), before.get('z'));
	assert.notEqual(key(back.get('q') ?? { x: 0, y: 0 }), key(after.get('a') ?? { x: 0, y: 0 }));
});

test('the order of an answer makes no difference', () => {
	const one = new Places().of([node('a'), node('b')]);
	const two = new Places().of([node('b'), node('a')]);
	assert.deepEqual([...one].sort(), [...two].sort());
});

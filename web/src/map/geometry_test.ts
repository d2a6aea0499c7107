// SPDX-License-Identifier: Apache-2.0
// Proves: edges begin and end at the cards' borders, both directions lie apart, width follows rate.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as g from './geometry';

const a = g.centre({ x: 0, y: 0 });
const b = g.centre({ x: 2, y: 1 });

function insideCard(point: { x: number; y: number }, middle: { x: number; y: number }): boolean {
	return Math.abs(point.x - middle.x) < g.card.width / 2 - 0.5 && Math.abs(point.y - middle.y) < g.card.height / 2 - 0.5;
}

test('ends lie outside of both cards and near them', () => {
	const curve = g.between(a, b, 0);
	assert.equal(insideCard(curve.from, a), false);
	assert.equal(insideCard(curve.to, b), false);
	assert.ok(Math.hypot(curve.to.x - b.x, curve.to.y - b.y) < g.card.width);
});

test('there and back, and several ports, are lines of their own', () => {
	const there = g.at(g.between(a, b, 0), 0.5);
	for (const other of [g.between(b, a, 0), g.between(a, b, 1)]) {
		const middle = g.at(other, 0.5);
		assert.ok(Math.hypot(there.x - middle.x, there.y - middle.y) > 8);
	}
});

test('a point on the curve is at distance 0, one far away is far', () => {
	const curve = g.between(a, b, 0);
	assert.ok(g.distance(curve, g.at(curve, 0.37)) < 1);
	assert.ok(g.distance(curve, { x: 0, y: 5000 }) > 4000);
});

test('who talks to itself gets a loop beside its card', () => {
	const loop = g.loop(a, 0);
	assert.ok(loop.bend2);
	assert.equal(insideCard(g.at(loop, 0.5), a), false);
});

test('two nodes on one place break nothing', () => {
	const curve = g.between(a, a, 0);
	for (const { x, y } of [curve.from, curve.bend, curve.to]) assert.ok(Number.isFinite(x) && Number.isFinite(y));
});

test('width grows with the logarithm of the rate, within bounds', () => {
	const widths = [0, 1e3, 1e5, 1e7, 1e9, 1e15].map(g.width);
	for (let i = 1; i < widths.length; i++) assert.ok((widths[i] ?? 0) >= (widths[i - 1] ?? 0));
	assert.ok((widths[0] ?? 0) >= 1 && (widths.at(-1) ?? 99) <= 6);
});

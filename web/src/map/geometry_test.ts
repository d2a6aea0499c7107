// SPDX-License-Identifier: Apache-2.0
// Proves: edges begin and end at the cards' borders, both directions lie apart, width follows rate.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as g from './geometry';
import { middleOf, plain } from './grid';

const { card } = plain;
const a = middleOf({ x: 0, y: 0 }, plain);
const b = middleOf({ x: 2, y: 1 }, plain);

function insideCard(point: { x: number; y: number }, middle: { x: number; y: number }): boolean {
	return Math.abs(point.x - middle.x) < card.width / 2 - 0.5 && Math.abs(point.y - middle.y) < card.height / 2 - 0.5;
}

test('ends lie outside of both cards and near them', () => {
	const curve = g.between(a, b, 0, card);
	assert.equal(insideCard(curve.from, a), false);
	assert.equal(insideCard(curve.to, b), false);
	assert.ok(Math.hypot(curve.to.x - b.x, curve.to.y - b.y) < card.width);
});

test('there and back, and several ports, are lines of their own', () => {
	const there = g.at(g.between(a, b, 0, card), 0.5);
	for (const other of [g.between(b, a, 0, card), g.between(a, b, 1, card)]) {
		const middle = g.at(other, 0.5);
		assert.ok(Math.hypot(there.x - middle.x, there.y - middle.y) > 8);
	}
});

test('a line bends around a card that stands in between', () => {
	const to = middleOf({ x: 2, y: 0 }, plain);
	const between = middleOf({ x: 1, y: 0 }, plain);
	const covered = ({ x, y }: { x: number; y: number }) => Math.abs(x - between.x) < card.width / 2 && Math.abs(y - between.y) < 30;
	const behind = (curve: g.Curve) => Array.from({ length: 50 }, (_, i) => g.at(curve, i / 50)).some(covered);
	assert.equal(behind(g.between(a, to, 0, card)), true);
	assert.equal(behind(g.between(a, to, 0, card, covered)), false);
});

test('a point on the curve is at distance 0, one far away is far', () => {
	const curve = g.between(a, b, 0, card);
	assert.ok(g.distance(curve, g.at(curve, 0.37)) < 1);
	assert.ok(g.distance(curve, { x: 0, y: 5000 }) > 4000);
});

test('who talks to itself gets a loop beside its card', () => {
	const loop = g.loop(a, 0, card);
	assert.ok(loop.bend2);
	assert.equal(insideCard(g.at(loop, 0.5), a), false);
});

test('two nodes on one place break nothing', () => {
	const curve = g.between(a, a, 0, card);
	for (const { x, y } of [curve.from, curve.bend, curve.to]) assert.ok(Number.isFinite(x) && Number.isFinite(y));
});

test('width grows with the logarithm of the rate, within bounds', () => {
	const widths = [0, 1e3, 1e5, 1e7, 1e9, 1e15].map(g.width);
	for (let i = 1; i < widths.length; i++) assert.ok((widths[i] ?? 0) >= (widths[i - 1] ?? 0));
	assert.ok((widths[0] ?? 0) >= 1 && (widths.at(-1) ?? 99) <= 6);
});

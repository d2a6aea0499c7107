// SPDX-License-Identifier: Apache-2.0
// Proves: the grid fills the view, names have room, a high screen turns a wide map and a small
// change does not turn it back, cards never overlap.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gridFor, middleOf, sameGrid, scaleFit } from './grid';

const shop = { width: 6, height: 4 };
const wide = { width: 1200, height: 400 };
const phone = { width: 350, height: 380 };

test('a wide screen keeps the flow from left to right, a high one turns it', () => {
	assert.equal(gridFor(shop, wide, 90, false).turned, false);
	const turned = gridFor(shop, phone, 90, false);
	assert.equal(turned.turned, true);
	assert.ok(middleOf({ x: 1, y: 0 }, turned).y > middleOf({ x: 0, y: 0 }, turned).y);
});

test('what was turned stays so until it is clearly worse', () => {
	const square = { width: 900, height: 400 };
	assert.equal(gridFor(shop, square, 90, false).turned, false);
	assert.equal(gridFor(shop, square, 90, true).turned, true);
	assert.equal(gridFor(shop, { width: 1600, height: 200 }, 90, true).turned, false);
});

test('rows go apart to fill the height, but not for ever', () => {
	const { pitch, card } = gridFor({ width: 24, height: 10 }, wide, 90, false);
	const scale = wide.width / (23 * pitch.width + card.width);
	assert.ok(Math.abs((9 * pitch.height + card.height) * scale - wide.height) < 100);
	assert.ok(gridFor({ width: 9, height: 2 }, wide, 90, false).pitch.height < 5 * card.height);
});

test('a long name makes cards wider, a monstrous one does not', () => {
	const [short, long, monstrous] = [20, 160, 9000].map((name) => gridFor(shop, wide, name, false).card.width);
	assert.ok(short! < long! && long! >= 160 && monstrous! < 300);
});

test('cards never touch, whatever the room', () => {
	for (const room of [wide, phone, { width: 1, height: 1 }])
		for (const cells of [shop, { width: 1, height: 1 }, { width: 40, height: 30 }]) {
			const { pitch, card } = gridFor(cells, room, 90, false);
			assert.ok(pitch.width > card.width && pitch.height > card.height);
		}
	assert.ok(scaleFit > 1);
	assert.equal(sameGrid(gridFor(shop, wide, 90, false), gridFor(shop, phone, 90, false)), false);
});

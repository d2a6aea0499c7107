// SPDX-License-Identifier: Apache-2.0
// Proves: the strip stays where it is while the chosen time lies in it, drags choose what they cover
// and never the future, and gaps and the begin of history are where the server says.
import assert from 'node:assert/strict';
import test from 'node:test';
import { barsOf, beginOf, chosen, dragged, gapsOf, stepFor, stripFor } from './strip';
import { following, standing } from './time';
import { whole } from './example_for_test';
import type { Series } from '../net/types';

const now = 1_800_000_003;
const strip = { from: now - 3600, to: now };

function series(values: Record<string, (number | null)[]>, covered: { from: number; to: number } | null): Series {
	return { from: 1000, to: 1040, step: 10, steps: 4, lines: [{ edge: '', client: '', server: '', port: 0, values }], total: 1, completeness: { ...whole(), covered } };
}

test('the strip follows, and stands still around what stands still', () => {
	const live = stripFor(following(300), now, null);
	assert.equal(live.to - live.from, 1800);
	assert.ok(live.to >= now && live.to - now < stepFor(1800));
	const inside = standing(now - 900, now - 600);
	assert.deepEqual(stripFor(inside, now + 200, live), live); // does not creep
	const before = stripFor(standing(now - 90_000, now - 89_700), now, live);
	assert.ok(before.from < now - 90_000 && before.to > now - 89_700 && before.to - before.from === 1800);
	const long = stripFor(following(30 * 86_400), now, null);
	assert.ok(long.to - long.from >= 120 * 86_400);
});

test('bars: little is seen beside much, what failed is marked, what is not known is not there', () => {
	const bars = barsOf(series({ bytes_to_server: [null, 1, 400, 0], bytes_to_client: [null, 3, 0, 0], failed_refused: [null, 0, 2, 0] }, null), 5000);
	assert.deepEqual(bars.map(({ at, height, failed }) => [at, height.toFixed(3), failed]), [[1010, '0.100', false], [1020, '1.000', true], [1030, '0.000', false]]);
	assert.deepEqual(barsOf(series({}, null), 5000), []);
});

test('a step that is not over is not lower for it', () => {
	const bars = barsOf(series({ bytes_to_server: [100, 100, 100, 50], bytes_to_client: [0, 0, 0, 0] }, null), 1035);
	assert.equal(bars[3]?.height, 1);
});

test('windows that are longer than a step are as wide as they are', () => {
	const coarse = series({ bytes_to_server: [null, 100, null, 50], bytes_to_client: [null, 0, null, 0] }, null);
	coarse.completeness.resolution_s = 20;
	assert.deepEqual(barsOf(coarse, 5000).map(({ at, width }) => [at, width]), [[1000, 20], [1020, 20]]);
});

test('where history begins', () => {
	assert.equal(beginOf(series({}, null)), 1040);
	assert.equal(beginOf(series({}, { from: 1025, to: 1040 })), 1025);
	assert.equal(beginOf(series({}, { from: 1001, to: 1040 })), null);
});

test('gaps of several machines that touch are one', () => {
	const completeness = { ...series({}, null).completeness, gaps: [{ node: 'b', from: 50, to: 60 }, { node: 'a', from: 10, to: 20 }, { node: 'b', from: 15, to: 30 }] };
	assert.deepEqual(gapsOf(completeness), [{ from: 10, to: 30, nodes: ['a', 'b'] }, { from: 50, to: 60, nodes: ['b'] }]);
	assert.deepEqual(gapsOf(series({}, null).completeness), []);
});

test('drags', () => {
	const range = { from: now - 900, to: now - 600 };
	assert.deepEqual(dragged('from', range, 0, -60, now), { from: now - 960, to: now - 600 });
	assert.deepEqual(dragged('from', range, 0, 9999, now), { from: now - 601, to: now - 600 });
	assert.deepEqual(dragged('to', range, 0, 9999, now), { from: now - 900, to: now });
	assert.deepEqual(dragged('all', range, 0, 9999, now), { from: now - 300, to: now });
	assert.deepEqual(dragged('new', range, now - 50, now - 80, now), { from: now - 80, to: now - 50 });
	assert.deepEqual(dragged('new', range, now - 50, now + 80, now), { from: now - 50, to: now });
});

test('who drags to the end follows', () => {
	assert.deepEqual(chosen({ from: now - 300, to: now - 1 }, strip, now), following(299));
	assert.deepEqual(chosen({ from: now - 300, to: now - 100 }, strip, now), standing(now - 300, now - 100));
});

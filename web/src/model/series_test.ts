// SPDX-License-Identifier: Apache-2.0
// Proves: lines add up, a gap stays a gap, and the picture begins where anything is known.
import assert from 'node:assert/strict';
import test from 'node:test';
import { firstStep, hasAny, perSecond, sum, times } from './series';
import { whole } from './example_for_test';
import type { Series, SeriesLine } from '../net/types';

const line = (values: Record<string, (number | null)[]>): SeriesLine => ({ edge: '', client: '', server: '', port: 0, values });

test('a step is a gap only where all lines have one', () => {
	const lines = [line({ a: [null, 1, 2], b: [null, 10, null] }), line({ a: [null, null, 5] })];
	assert.deepEqual(sum(lines, ['a', 'b'], 3), [null, 11, 7]);
	assert.deepEqual(sum([], ['a'], 2), [null, null]);
});

test('sums become rates', () => {
	assert.deepEqual(perSecond([null, 20], 10), [null, 2]);
	assert.equal(hasAny([null, 0]), false);
	assert.equal(hasAny([null, 1]), true);
});

test('times are the ends of steps; the unwatched beginning goes, but a minute stays', () => {
	const lines = [line({ a: [...Array.from({ length: 20 }, () => null), ...Array.from({ length: 10 }, () => 1)] })];
	const series: Series = { from: 1000, to: 1300, step: 10, steps: 30, lines, total: 1, completeness: whole() };
	assert.equal(times(series)[0], 1010);
	assert.equal(times(series).at(-1), 1300);
	assert.equal(firstStep(series, lines), 20);
	assert.equal(firstStep({ ...series, step: 1 }, lines), 0);
	assert.equal(firstStep(series, []), 0);
});

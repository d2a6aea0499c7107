// SPDX-License-Identifier: Apache-2.0
// Proves: a link's from and to mean what they say, steps lead back and to the present again, and a
// range in milliseconds loses no window at its end.
import assert from 'node:assert/strict';
import test from 'node:test';
import { following, isSame, parseSpan, parseTime, queryOf, rangeOf, rounded, settled, spanText, standing, stepped, usual } from './time';

const now = 1_800_000_000;

test('a span is read and written', () => {
	for (const [text, seconds] of [['-90s', 90], ['5m', 300], ['-2h', 7200], ['1d', 86_400], ['-15 min', 900]] as const)
		assert.equal(parseSpan(text), seconds);
	for (const text of ['', '5', 'm', '-5x', '5m5', '--5m']) assert.equal(parseSpan(text), null);
	assert.deepEqual([60, 90, 7200, 86_400, 129_600].map(spanText), ['1m', '90s', '2h', '1d', '36h']);
});

test('what a link says', () => {
	assert.deepEqual(parseTime(null, null, now), usual);
	assert.deepEqual(parseTime('-1h', 'now', now), following(3600));
	assert.deepEqual(parseTime('-2h', '-1h', now), standing(now - 7200, now - 3600));
	assert.deepEqual(parseTime('1799990000.5', '1799990300', now), standing(1_799_990_000.5, 1_799_990_300));
	assert.deepEqual(parseTime('1799999000', null, now), standing(1_799_999_000, now));
	for (const [from, to] of [['x', null], ['-1h', 'y'], ['5', '4'], ['<b>', '1e9']] as const) assert.deepEqual(parseTime(from, to, now), usual);
});

test('what is asked is what was said', () => {
	assert.deepEqual(queryOf(following(900)), { from: '-15m' });
	assert.deepEqual(queryOf(standing(1000.25, 1300)), { from: '1000.25', to: '1300' });
	const time = standing(now - 12.3456, now + 0.0001);
	const { from, to } = queryOf(time);
	assert.ok(isSame(parseTime(from, to ?? null, now), time));
});

test('rounding goes up, so that the last window stays inside', () => {
	assert.equal(rounded(100.0001), 100.001);
	assert.equal(rounded(100.25), 100.25);
	assert.ok(standing(1, 100.123456).to >= 100.123456);
});

test('steps go back by the range and come to the present again', () => {
	const back = stepped(usual, -1, now);
	assert.deepEqual(back, standing(now - 600, now - 300));
	assert.deepEqual(stepped(back, -1, now), standing(now - 900, now - 600));
	assert.deepEqual(stepped(back, 1, now + 100), standing(now - 300, now));
	assert.deepEqual(stepped(back, 1, now + 20), usual);
});

test('a range that reaches the present follows it', () => {
	assert.deepEqual(settled(now - 100, now - 1, now, 2), following(99));
	assert.deepEqual(rangeOf(settled(now - 100, now - 50, now, 2), now), { from: now - 100, to: now - 50 });
});

// SPDX-License-Identifier: Apache-2.0
// Proves: what is typed is understood or refused, in the zone that is shown; what is shown is no
// longer than it must be.
import assert from 'node:assert/strict';
import test from 'node:test';
import { clock, marks, moment, parseMoment, rangeText, typed, setUtc, zone } from './clock';

setUtc(true);
const at = (text: string) => Date.parse(`${text}Z`) / 1000;
const now = at('2026-11-29T12:30:00');

test('what people type', () => {
	const cases: [string, string][] = [
		['12:03', '2026-11-29T12:03:00'],
		['12:03:05', '2026-11-29T12:03:05'],
		['23:10', '2026-11-28T23:10:00'], // it was not yet today
		['2026-11-01 7:00', '2026-11-01T07:00:00'],
		['2026-11-01T07:00:09Z', '2026-11-01T07:00:09'],
		['2026-11-01', '2026-11-01T00:00:00'],
		['-2h', '2026-11-29T10:30:00'],
		['now', '2026-11-29T12:30:00'],
	];
	for (const [text, means] of cases) assert.equal(parseMoment(text, now), at(means), text);
	assert.equal(parseMoment(' 1795900000.5 ', now), 1_795_900_000.5);
	for (const text of ['', 'noon', '25:00', '12:3', '12:60', '2026-13-01', '-', '2026-11-01 25:00']) assert.equal(parseMoment(text, now), null, text);
	assert.equal(parseMoment(typed(now), now), now);
});

test('no more than tells it apart', () => {
	assert.equal(clock(now), '12:30:00');
	assert.equal(moment(at('2026-11-28T01:02:03'), now), '28 Nov, 01:02:03');
	assert.equal(rangeText({ from: now - 300, to: now }, now), '12:25 – 12:30');
	assert.equal(rangeText({ from: now - 301, to: now }, now), '12:24:59 – 12:30:00');
	assert.equal(rangeText({ from: at('2026-11-28T23:00:00'), to: now }, now), '28 Nov, 23:00 – 12:30');
	assert.equal(rangeText({ from: at('2025-12-31T23:00:00'), to: at('2026-01-01T01:00:00') }, now), '31 Dec 2025, 23:00 – 1 Jan, 01:00');
	assert.equal(zone(now), 'UTC');
});

test('marks are round times', () => {
	const texts = (from: number, to: number, most: number) => marks({ from, to }, most).map(({ text }) => text);
	assert.deepEqual(texts(now - 3600, now, 8), ['11:30', '11:45', '12:00', '12:15', '12:30']);
	assert.deepEqual(texts(now - 86_400, now, 5), ['18:00', '29 Nov', '06:00', '12:00']);
	assert.deepEqual(texts(now - 7 * 86_400, now, 8), ['23 Nov', '24 Nov', '25 Nov', '26 Nov', '27 Nov', '28 Nov', '29 Nov']);
	assert.ok(marks({ from: 0, to: 1e9 }, 6).length <= 6);
});

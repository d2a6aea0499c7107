// SPDX-License-Identifier: Apache-2.0
// Proves: what is past is not told as if it were now.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setUtc } from './clock';
import { Rates } from './rates';
import { rateWord, since } from './tense';
import { following, standing } from './time';

test('words for the present, and for the past', () => {
	setUtc(true);
	const to = Date.parse('2026-11-29T12:00:00Z') / 1000;
	assert.equal(rateWord(new Rates(), following(60)), 'now');
	assert.equal(rateWord(new Rates(), standing(to - 60, to)), 'then'); // held: as it was at that moment
	assert.equal(rateWord(new Rates(true), standing(to - 60, to)), 'mean');
	assert.equal(since({ to }, to - 30, following(60)), '30 s ago');
	assert.equal(since({ to }, to - 30, standing(to - 60, to)), '11:59:30');
});

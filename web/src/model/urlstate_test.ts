// SPDX-License-Identifier: Apache-2.0
// Proves: a link brings back what was looked at, and a wrong one brings the beginning.
import assert from 'node:assert/strict';
import test from 'node:test';
import { following, standing } from './time';
import { formatUrl, initial, parseUrl, type UrlState } from './urlstate';

const now = 1_800_000_000;

test('what is as at the beginning is not in the URL', () => {
	assert.equal(formatUrl(initial), '');
	assert.deepEqual(parseUrl('', now), initial);
});

test('a state survives the way through the URL', () => {
	const state: UrlState = {
		filter: 'client:"a b" !port:443&x=<y>',
		group: 'zone',
		time: following(900),
		view: 'table',
		sort: 'client',
		selection: { kind: 'edge', id: 'process/a|process/ü 🚀|tcp/80' },
	};
	assert.deepEqual(parseUrl(formatUrl(state), now), state);
	const past = { ...state, time: standing(now - 7200.5, now - 3600) };
	assert.deepEqual(parseUrl(formatUrl(past), now + 99_999), past);
});

test('what nobody wrote is not taken', () => {
	assert.deepEqual(parseUrl('?from=99y&group=colour&view=3d&sort=<script>&node=', now), initial);
});

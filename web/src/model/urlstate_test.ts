// SPDX-License-Identifier: Apache-2.0
// Proves: a link brings back what was looked at, and a wrong one brings the beginning.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatUrl, initial, parseUrl, type UrlState } from './urlstate';

test('what is as at the beginning is not in the URL', () => {
	assert.equal(formatUrl(initial), '');
	assert.deepEqual(parseUrl(''), initial);
});

test('a state survives the way through the URL', () => {
	const state: UrlState = {
		filter: 'client:"a b" !port:443&x=<y>',
		range: '15m',
		view: 'table',
		sort: 'client',
		selection: { kind: 'edge', id: 'process/a|process/ü 🚀|tcp/80' },
	};
	assert.deepEqual(parseUrl(formatUrl(state)), state);
});

test('what nobody wrote is not taken', () => {
	assert.deepEqual(parseUrl('?range=99y&view=3d&sort=<script>&node='), initial);
});

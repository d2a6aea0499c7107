// SPDX-License-Identifier: Apache-2.0
// Proves: a clock that is wrong is corrected by the server's, one that is right is believed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { heard, serverNow } from './clock';

const at = Date.parse('2026-11-29T12:00:00Z');

test('a clock that is an hour late is corrected', () => {
	heard('Sun, 29 Nov 2026 13:00:00 GMT', at);
	assert.equal(serverNow(at + 5000), at / 1000 + 3605);
});

test('one that is right is believed, and nothing is learnt from nonsense', () => {
	heard('Sun, 29 Nov 2026 12:00:00 GMT', at + 900);
	assert.equal(serverNow(at), at / 1000);
	heard('yesterday', at);
	heard(null, at);
	assert.equal(serverNow(at), at / 1000);
});

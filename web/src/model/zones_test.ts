// SPDX-License-Identifier: Apache-2.0
// Proves: zones are told as they are known, and what is in no sum says why.
import assert from 'node:assert/strict';
import test from 'node:test';
import { edge } from './example_for_test';
import { carrierText, farness, hasZones, isFar, placeText, tagsOf, zonesText } from './zones';

const between = (client_zone: string, server_zone: string, kind = 'unknown') => edge('a', 'b', 1, { client_zone, server_zone, class: kind });

test('zones', () => {
	assert.equal(zonesText(between('us-1a', 'us-1b')), 'us-1a → us-1b');
	assert.equal(zonesText(between('us-1a', 'us-1a')), 'us-1a');
	assert.equal(zonesText(between('us-1a', '')), 'us-1a → ?');
	assert.equal(zonesText(edge('a', 'b', 1)), '');
	assert.equal(placeText(between('x', 'y', 'cross_zone')), 'x → y, crosses zones');
	assert.equal(placeText({ ...between('x', 'y', 'cross_region'), client_region: 'us', server_region: 'eu' }), 'us → eu, crosses regions');
	assert.equal(placeText(edge('a', 'b', 1)), 'on one machine');
	assert.ok(hasZones([edge('a', 'b', 1), between('', 'x')]) && !hasZones([edge('a', 'b', 1)]));
	assert.ok(isFar(between('x', 'y', 'cross_zone')) && farness(between('x', 'y', 'cross_zone')) > farness(edge('a', 'b', 1)));
});

test('what is not like the others', () => {
	assert.deepEqual(tagsOf(edge('a', 'b', 1)), []);
	assert.deepEqual(tagsOf(edge('a', 'b', 1, { carrier: 'tunnel', provisional: true })), ['tunnel', 'provisional']);
	assert.match(carrierText('sidecar'), /sidecar of its own.*in no sum/);
	assert.equal(carrierText(''), '');
});

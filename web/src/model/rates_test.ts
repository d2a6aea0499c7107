// SPDX-License-Identifier: Apache-2.0
// Proves: a rate is the first window's, follows what comes, and ends when nothing comes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Rates } from './rates';
import { edge, graph, node } from './example_for_test';

const nodes = [node('a'), node('b')];
const moved = (bytes: number, span_s = 1) => graph(nodes, [edge('a', 'b', 1, { bytes_to_server: bytes })], span_s);
const id = 'a|b|tcp/1';

test('the first window is taken as it is, by its own length', () => {
	const rates = new Rates();
	rates.add(moved(3000, 2));
	assert.equal(rates.of(id).to_server, 1500);
	assert.equal(rates.of(id).to_client, 0);
});

test('later windows pull it, and silence ends it', () => {
	const rates = new Rates();
	rates.add(moved(1000));
	rates.add(moved(2000));
	assert.ok(rates.total(id) > 1000 && rates.total(id) < 2000);
	for (let i = 0; i < 20; i++) rates.add(graph(nodes, []));
	assert.equal(rates.total(id), 0);
});

test('an edge that nobody named has none', () => {
	assert.equal(new Rates().total('x'), 0);
});

test('of a time that is past the rate is the mean over what is known of it', () => {
	const past = graph([node('a'), node('b')], [edge('a', 'b', 1, { bytes_to_server: 600, bytes_to_client: 60 }), edge('a', 'b', 2)], 60);
	assert.equal(Rates.mean(past).total('a|b|tcp/1'), 11);
	assert.equal(Rates.mean(past).total('a|b|tcp/2'), 0);
	past.completeness.covered = { from: 130, to: 160 };
	assert.equal(Rates.mean(past).total('a|b|tcp/1'), 22);
	assert.ok(Rates.mean(past).isMean && !new Rates().isMean);
});

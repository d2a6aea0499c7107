// SPDX-License-Identifier: Apache-2.0
// Proves: whatever a name holds, what is shown is bounded text that steers nothing around it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { clean, endsInNumber, fit, fitEnds, isolate, nameLengthMax, quoted } from './names';

const measure = (text: string) => Array.from(text).length;

test('markup stays text', () => {
	assert.equal(clean('<img src=x onerror=alert(1)>'), '<img src=x onerror=alert(1)>');
});

test('10 kB are cut, and the cut is seen', () => {
	const shown = clean('x'.repeat(10_000));
	assert.equal(Array.from(shown).length, nameLengthMax);
	assert.ok(shown.endsWith('…'));
});

test('emoji are cut between characters, never inside one', () => {
	const shown = clean('🚀'.repeat(500), 10);
	assert.equal(shown, '🚀'.repeat(9) + '…');
});

test('what steers direction or breaks lines is made visible', () => {
	assert.equal(clean('a\u202eb\u2069c\nd\u0000e'), 'a\ufffdb\ufffdc\ufffdd\ufffde');
});

test('right-to-left text is kept, and isolated where no <bdi> can be', () => {
	assert.equal(clean('שלום'), 'שלום');
	assert.equal(isolate('שלום'), '\u2068שלום\u2069');
});

test('no name is a name too', () => {
	assert.equal(clean(''), '(no name)');
	assert.equal(clean('   '), '(no name)');
});

test('text is fitted by what it measures', () => {
	assert.equal(fit('frontend', 8, measure), 'frontend');
	assert.equal(fit('frontend', 5, measure), 'fron…');
	assert.equal(fit('frontend', 1, measure), '');
	assert.equal(fitEnds('workload-103', 7, measure), 'wo…-103');
	assert.equal(fitEnds('workload-103', 12, measure), 'workload-103');
	assert.equal(fitEnds('workload-103', 4, measure), 'w…03');
	assert.equal(fitEnds('workload-103', 2, measure), '');
	assert.ok(endsInNumber('workload-103') && endsInNumber('127.0.0.1') && !endsInNumber('redis-server'));
});

test('a name becomes one term of the filter', () => {
	assert.equal(quoted('nginx'), 'nginx');
	assert.equal(quoted('a b,c:d'), '"a b,c:d"');
	assert.equal(quoted('say "x"'), '"say *x*"');
	assert.equal(quoted('!not'), '"!not"');
});

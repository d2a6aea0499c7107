// SPDX-License-Identifier: Apache-2.0
// Proves: numbers are short, have their unit, and never round something to nothing or all.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ago, bytes, count, micros, percent, plural, rate, span } from './format';

test('bytes have at most three digits and move up a unit in time', () => {
	const cases: [number, string][] = [
		[0, '0 B'],
		[999, '999 B'],
		[1000, '1 KB'],
		[1234, '1.2 KB'],
		[12_345, '12 KB'],
		[999_499, '999 KB'],
		[999_600, '1.0 MB'],
		[64e6, '64 MB'],
		[1.5e12, '1.5 TB'],
		[-5, '0 B'],
	];
	for (const [value, text] of cases) assert.equal(bytes(value), text, String(value));
});

test('rates below half a byte are none', () => {
	assert.equal(rate(0.2), '0 B/s');
	assert.equal(rate(2500), '2.5 KB/s');
});

test('counts and plurals', () => {
	assert.equal(count(3200), '3.2k');
	assert.equal(count(7), '7');
	assert.equal(plural(1, 'connection'), '1 connection');
	assert.equal(plural(2, 'connection'), '2 connections');
});

test('times from microseconds to days', () => {
	assert.equal(micros(10), '10 µs');
	assert.equal(micros(6300), '6.3 ms');
	assert.equal(micros(2e6), '2 s');
	assert.equal(span(90), '90 s');
	assert.equal(span(600), '10 min');
	assert.equal(ago(1), 'just now');
	assert.equal(ago(30), '30 s ago');
});

test('a share that is not whole is never shown as whole, nor one that is something as nothing', () => {
	assert.equal(percent(1), '100 %');
	assert.equal(percent(0.999999), '> 99.99 %');
	assert.equal(percent(0.9987), '99.87 %');
	assert.equal(percent(0.00001), '< 0.01 %');
	assert.equal(percent(0), '0 %');
	assert.equal(percent(NaN), '–');
});

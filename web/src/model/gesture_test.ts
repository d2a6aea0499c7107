// SPDX-License-Identifier: Apache-2.0
// Proves: at rest nothing waits; during a gesture the newest answer waits, but not for ever; the end
// of a gesture is told once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Gesture, type Clock } from './gesture';

class Fake implements Clock {
	time = 0;
	private calls: { at: number; call: () => void }[] = [];
	now = () => this.time;
	after(ms: number, call: () => void) {
		this.calls.push({ at: this.time + ms, call });
	}
	/** Time passes in steps of 10 ms; each may be a touch. */
	pass(ms: number, each: () => void = () => undefined) {
		for (const end = this.time + ms; this.time < end; ) {
			this.time += 10;
			each();
			const due = this.calls.filter(({ at }) => at <= this.time);
			this.calls = this.calls.filter(({ at }) => at > this.time);
			for (const { call } of due) call();
		}
	}
}

function begun() {
	const clock = new Fake();
	const gesture = new Gesture(clock);
	const got: string[] = [];
	return { clock, gesture, got, take: (name: string) => gesture.hold(() => got.push(name)) };
}

test('at rest an answer is shown at once', () => {
	const { got, take } = begun();
	take('a');
	assert.deepEqual(got, ['a']);
});

test('during a gesture only the newest waits, until the hand rests', () => {
	const { clock, gesture, got, take } = begun();
	gesture.touch();
	take('a');
	take('b');
	clock.pass(500, () => gesture.touch());
	assert.deepEqual(got, []);
	clock.pass(200);
	assert.deepEqual(got, ['b']);
});

test('a gesture without end does not stop what is new', () => {
	const { clock, gesture, got, take } = begun();
	gesture.touch();
	take('a');
	clock.pass(4000, () => gesture.touch());
	assert.deepEqual(got, ['a']);
});

test('the end of a gesture is told once, and soon', () => {
	const { clock, gesture, got } = begun();
	gesture.touch();
	const end = () => got.push('calm');
	gesture.whenCalm(end);
	gesture.whenCalm(end);
	clock.pass(120);
	assert.deepEqual(got, ['calm']);
	clock.pass(500);
	assert.deepEqual(got, ['calm']);
});

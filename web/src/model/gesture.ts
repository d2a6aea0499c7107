// SPDX-License-Identifier: Apache-2.0
// Whether somebody is moving the map right now. What comes meanwhile waits until the hand rests, or
// for a little while: a frame that has to take in a new answer comes late.

const rest_ms = 80; // without motion: at rest
const patience_ms = 2500; // so long the newest answer may wait for that

export interface Clock {
	now(): number;
	/** Calls once, later. */
	after(ms: number, call: () => void): void;
}

const real: Clock = {
	now: () => performance.now(),
	after: (ms, call) => void setTimeout(call, ms),
};

export class Gesture {
	private touchedAt_ms = -Infinity;
	private heldSince_ms = -Infinity;
	private held: (() => void) | null = null;
	private readonly calm = new Set<() => void>();
	private watching = false;

	constructor(private readonly clock: Clock = real) {}

	/** The map moved. */
	touch() {
		this.touchedAt_ms = this.clock.now();
	}

	isOn(): boolean {
		return this.clock.now() - this.touchedAt_ms < rest_ms;
	}

	/** Calls at once, or when the map rests; of several that wait the last counts. */
	hold(call: () => void) {
		if (!this.isOn() && !this.held) return call();
		if (!this.held) this.heldSince_ms = this.clock.now();
		this.held = call;
		this.watch();
	}

	/** Calls once when the map rests. */
	whenCalm(call: () => void) {
		this.calm.add(call);
		this.watch();
	}

	private watch() {
		if (this.watching) return;
		this.watching = true;
		const left_ms = rest_ms - (this.clock.now() - this.touchedAt_ms);
		this.clock.after(Math.max(4, left_ms + 1), () => this.look());
	}

	private look() {
		this.watching = false;
		const on = this.isOn();
		if (!on || this.clock.now() - this.heldSince_ms > patience_ms) this.release();
		if (!on) {
			const calls = [...this.calm];
			this.calm.clear();
			for (const call of calls) call();
		}
		if (this.held || this.calm.size > 0) this.watch();
	}

	private release() {
		const call = this.held;
		this.held = null;
		call?.();
	}
}

export const gesture = new Gesture();

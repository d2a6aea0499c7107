// SPDX-License-Identifier: Apache-2.0
// What time it is for the server: all times that are shown are its own, and this machine's clock may
// be wrong. Its answers say it, to the second; within that this clock is believed.

const believed_s = 2;
let ahead_s = 0; // of this clock

export function heard(date: string | null, own_ms = Date.now()) {
	const theirs_ms = date ? Date.parse(date) : NaN;
	if (Number.isNaN(theirs_ms)) return;
	const difference_s = (theirs_ms - own_ms) / 1000;
	ahead_s = Math.abs(difference_s) <= believed_s ? 0 : difference_s;
}

export function serverNow(own_ms = Date.now()): number {
	return own_ms / 1000 + ahead_s;
}

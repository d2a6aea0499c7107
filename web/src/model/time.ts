// SPDX-License-Identifier: Apache-2.0
// Which time is looked at: the last so many seconds, moving along, or a range that stands still. All
// times are the server's, in unix seconds.

/** Follows: always the last span_s seconds. */
export interface Following {
	kind: 'live';
	span_s: number;
}

/** Stands still: (from, to]. */
export interface Standing {
	kind: 'past';
	from: number;
	to: number;
}

export type Time = Following | Standing;

export interface Range {
	from: number;
	to: number;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Offered by name; any other can be typed or dragged. */
export const spans_s = [minute, 5 * minute, 15 * minute, hour, 6 * hour, day, 7 * day] as const;
export const usual: Following = { kind: 'live', span_s: 5 * minute };

const spanMin_s = 1;
const spanMax_s = 3660 * day;
const near_s = 0.002; // what rounding to milliseconds does

const units: Record<string, number> = { s: 1, m: minute, h: hour, d: day };

/** "-90s", "5m", "2h": how many seconds; null: not such a text. */
export function parseSpan(text: string): number | null {
	const match = /^\s*-?\s*(\d{1,9}(?:\.\d{1,3})?)\s*(s|m|min|h|d)\s*$/.exec(text);
	const unit = units[match?.[2]?.charAt(0) ?? ''];
	return match && unit ? Number(match[1]) * unit : null;
}

/** The shortest way to write it: 5m, 36h, 90s. */
export function spanText(span_s: number): string {
	for (const [name, size] of [['d', day], ['h', hour], ['m', minute]] as const)
		if (span_s >= size && span_s % size === 0) return `${span_s / size}${name}`;
	return `${Math.max(spanMin_s, Math.round(span_s))}s`;
}

/** Milliseconds are as fine as links go; up, since a window that ends then must stay inside. */
export function rounded(unix_s: number): number {
	return Math.ceil(unix_s * 1000 - 0.001) / 1000;
}

export function standing(from: number, to: number): Standing {
	const end = rounded(to);
	return { kind: 'past', from: Math.min(Math.max(0, rounded(from)), end - spanMin_s), to: end };
}

export function following(span_s: number): Following {
	return { kind: 'live', span_s: Math.min(spanMax_s, Math.max(spanMin_s, Math.round(span_s))) };
}

export function spanOf(time: Time): number {
	return time.kind === 'live' ? time.span_s : time.to - time.from;
}

export function rangeOf(time: Time, now: number): Range {
	return time.kind === 'live' ? { from: now - time.span_s, to: now } : { from: time.from, to: time.to };
}

/** What to ask the server. */
export function queryOf(time: Time): { from: string; to?: string } {
	if (time.kind === 'live') return { from: `-${spanText(time.span_s)}` };
	return { from: seconds(time.from), to: seconds(time.to) };
}

function seconds(unix_s: number): string {
	return String(Number(unix_s.toFixed(3)));
}

function parseEnd(text: string | null, now: number): number | null {
	if (!text || text === 'now') return now;
	if (/^\d{1,11}(\.\d{1,9})?$/.test(text)) return Number(text);
	const ago = text.startsWith('-') ? parseSpan(text) : null;
	return ago === null ? null : now - ago;
}

/** Of a link's from and to; what nobody can mean is as if it were not there. */
export function parseTime(from: string | null, to: string | null, now: number): Time {
	if (!from) return usual;
	const isOpen = !to || to === 'now';
	const span = from.startsWith('-') ? parseSpan(from) : null;
	if (isOpen && span !== null) return following(span);
	const begin = parseEnd(from, now);
	const end = parseEnd(to, now);
	return begin === null || end === null || begin >= end ? usual : standing(begin, end);
}

export function isSame(a: Time, b: Time): boolean {
	if (a.kind === 'live' || b.kind === 'live') return a.kind === b.kind && spanOf(a) === spanOf(b);
	return Math.abs(a.from - b.from) < near_s && Math.abs(a.to - b.to) < near_s;
}

/** As far on, or back, as it is long; who comes near the present follows it: it went on meanwhile. */
export function stepped(time: Time, direction: 1 | -1, now: number): Time {
	const span = spanOf(time);
	const { from, to } = rangeOf(time, now);
	return settled(from + direction * span, to + direction * span, now, direction > 0 ? span / 4 : 0);
}

/** A range somebody chose; one that reaches the present (within `slack`) follows it. */
export function settled(from: number, to: number, now: number, slack = 0): Time {
	return to >= now - slack ? following(to - from) : standing(from, to);
}

// SPDX-License-Identifier: Apache-2.0
// The strip of the time bar: what happened around the time that is shown, and where that time lies
// in it. Arithmetic only; ui/strip.tsx draws it.
import { rangeOf, settled, spanOf, type Range, type Time } from './time';
import type { Completeness, Series } from '../net/types';

const lengths_s = [300, 1800, 3600, 21_600, 86_400, 604_800, 2_592_000];
const around = 4; // so many times the range, at least, is the strip
const steps_s = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
const bars = 180;

/** How long a step of the strip's series is. */
export function stepFor(length_s: number): number {
	return steps_s.find((step) => length_s / step <= bars) ?? 86_400;
}

/**
 * From where to where the strip goes. One that stands still stays where it was while the range lies
 * in it, so that nothing moves under a hand; ends fall on steps, so that bars keep their height.
 */
export function stripFor(time: Time, now: number, before: Range | null): Range {
	const length = lengths_s.find((candidate) => candidate >= around * spanOf(time)) ?? Math.ceil(around * spanOf(time));
	const step = stepFor(length);
	const end = Math.ceil(now / step) * step;
	const { from, to } = rangeOf(time, now);
	if (time.kind === 'live') return { from: end - length, to: end };
	const stays = before && before.to - before.from === length && before.from <= from && to <= before.to;
	if (stays) return before;
	const middle = Math.ceil(((from + to) / 2 + length / 2) / step) * step;
	const last = to > end ? middle : Math.min(end, middle);
	return { from: last - length, to: last };
}

export interface Bar {
	at: number; // its begin
	width: number; // seconds
	/** Of the highest: 0 to 1. */
	height: number;
	failed: boolean;
}

const failedPrefix = 'failed_';

/** Bytes a second, by the square root: so that what is little is seen beside what is much. */
export function barsOf(series: Series, now: number): Bar[] {
	const values = series.lines[0]?.values ?? {};
	const at = (names: string[], i: number) => names.reduce((sum, name) => sum + (values[name]?.[i] ?? 0), 0);
	const failed = Object.keys(values).filter((name) => name.startsWith(failedPrefix));
	const found: Bar[] = [];
	// windows may be longer than steps: what is old is kept by the minute or the hour
	const width = Math.max(series.step, series.completeness.resolution_s ?? 0);
	for (let i = 0; i < series.steps; i++) {
		if (values.bytes_to_server?.[i] == null) continue;
		const begin = series.from + (i + 1) * series.step - width;
		const lasted = Math.min(width, Math.max(now - begin, width / 4)); // the last one is not over
		const rate = at(['bytes_to_server', 'bytes_to_client'], i) / lasted;
		found.push({ at: begin, width, height: Math.sqrt(Math.max(0, rate)), failed: at(failed, i) > 0 });
	}
	const highest = found.reduce((most, bar) => Math.max(most, bar.height), 0) || 1;
	return found.map((bar) => ({ ...bar, height: bar.height / highest }));
}

/** Where history begins, if it does inside; the strip's end if none of it is known. */
export function beginOf(series: Series): number | null {
	const { covered } = series.completeness;
	if (!covered) return series.to;
	return covered.from > series.from + series.step ? covered.from : null;
}

export interface Gap extends Range {
	nodes: string[];
}

const gapsMax = 200;

/** Times in which an agent told nothing, those of several machines put together; a bound on their number. */
export function gapsOf(completeness: Completeness | undefined): Gap[] {
	const list = [...(completeness?.gaps ?? [])].sort((a, b) => a.from - b.from).slice(0, gapsMax);
	const found: Gap[] = [];
	for (const { node, from, to } of list) {
		const last = found[found.length - 1];
		if (!last || from > last.to) {
			found.push({ from, to, nodes: [node] });
			continue;
		}
		last.to = Math.max(last.to, to);
		if (!last.nodes.includes(node)) last.nodes.push(node);
	}
	return found;
}

export type Grip = 'from' | 'to' | 'all' | 'new';

const shortest = 1; // second

/** The range after the grip was dragged from one time to another; not beyond now. */
export function dragged(grip: Grip, range: Range, start: number, at: number, now: number): Range {
	const by = at - start;
	if (grip === 'from') return { from: Math.min(range.from + by, range.to - shortest), to: range.to };
	if (grip === 'to') return { from: range.from, to: Math.min(now, Math.max(range.to + by, range.from + shortest)) };
	if (grip === 'all') {
		const to = Math.min(now, range.to + by);
		return { from: to - (range.to - range.from), to };
	}
	const to = Math.min(now, Math.max(start, at));
	return { from: Math.min(start, at, to - shortest), to };
}

/** What a drag chose; who drags to the end follows what comes. */
export function chosen({ from, to }: Range, strip: Range, now: number): Time {
	const pixelish = (strip.to - strip.from) / 400;
	return settled(from, to, now, pixelish);
}

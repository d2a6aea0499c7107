// SPDX-License-Identifier: Apache-2.0
// Lines over time as the charts want them: seconds, then a column of values for each line; sums
// become rates, a gap stays a gap.
import type { Series, SeriesLine } from '../net/types';

export type Column = (number | null)[];

export function times(series: Series): number[] {
	return Array.from({ length: series.steps }, (_, i) => series.from + (i + 1) * series.step);
}

const shortest_s = 60;

/**
 * Where the picture begins: before the first step that anybody watched there is nothing to see.
 * Of the whole range at least its last minute stays.
 */
export function firstStep(series: Series, lines: SeriesLine[]): number {
	const columns = lines.flatMap((line) => Object.values(line.values));
	const known = columns.map((column) => column.findIndex((value) => value !== null)).filter((i) => i >= 0);
	const first = known.length > 0 ? known.reduce((a, b) => Math.min(a, b)) : 0;
	return Math.max(0, Math.min(first, series.steps - Math.ceil(shortest_s / series.step)));
}

/** Several lines as one; a step is a gap only where it is one in all of them. */
export function sum(lines: SeriesLine[], counters: string[], steps: number): Column {
	const total: Column = new Array<number | null>(steps).fill(null);
	for (const line of lines)
		for (const counter of counters)
			(line.values[counter] ?? []).forEach((value, i) => {
				if (value !== null && i < steps) total[i] = (total[i] ?? 0) + value;
			});
	return total;
}

export function perSecond(column: Column, step_s: number): Column {
	return column.map((value) => (value === null ? null : value / step_s));
}

/** A percentile of round-trip times of the first line that has them. */
export function rtt(lines: SeriesLine[], which: 'p50' | 'p95', steps: number): Column {
	const list = lines.length === 1 ? lines[0]?.rtt_us : undefined;
	return Array.from({ length: steps }, (_, i) => {
		const histogram = list?.[i];
		return histogram && histogram.count > 0 ? histogram[which] : null;
	});
}

export function hasAny(column: Column): boolean {
	return column.some((value) => value !== null && value > 0);
}

// SPDX-License-Identifier: Apache-2.0
// Lines over time as the charts want them: seconds, then a column of values for each line; sums
// become rates, a gap stays a gap.
import type { Series, SeriesLine } from '../net/types';

export type Column = (number | null)[];

export function times(series: Series): number[] {
	return Array.from({ length: series.steps }, (_, i) => series.from + (i + 1) * series.step);
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

// SPDX-License-Identifier: Apache-2.0
// What the strip of the time bar shows: how much was moved, what failed, what was restarted. Asked
// again while the strip reaches the present; what cannot be had leaves the strip as it was.
import { useEffect, useRef, useState } from 'preact/hooks';
import { getEvents, getSeries, Refused } from '../net/api';
import { serverNow } from '../net/clock';
import { failedCounters } from './use_series';
import { stepFor } from '../model/strip';
import type { Range } from '../model/time';
import type { Happening, Series } from '../net/types';

export interface StripData {
	series: Series | null;
	events: Happening[];
}

const again = { least_ms: 3000, most_ms: 15_000 };
const retry_ms = 2000;
const weight = 8; // a question that took 1 s is followed by 8 s of rest
const eventsMax = 300;
const counters = ['bytes_to_server', 'bytes_to_client', ...failedCounters].join();

async function load(strip: Range, filter: string, signal: AbortSignal): Promise<StripData> {
	const { from, to } = strip;
	const series = getSeries({ from, to, step: stepFor(to - from), filter, counters, by: 'total', limit: 1 }, signal);
	const events = isOfProcesses(filter) ? getEvents({ from, to, filter, limit: eventsMax }, signal).catch(() => null) : null;
	return { series: await series, events: (await events)?.events ?? [] };
}

/** Processes have no address, port and so on: a filter by these is no question about them. */
function isOfProcesses(filter: string): boolean {
	return !/(^|[\s!])(address|port|protocol|class|carrier):/.test(filter);
}

/** isMoving: the strip follows the present. */
export function useStrip(strip: Range, filter: string, isMoving: boolean): StripData {
	const [data, setData] = useState<StripData>({ series: null, events: [] });
	const latest = useRef(strip);
	latest.current = strip;
	const length = strip.to - strip.from;
	useEffect(() => {
		const stop = new AbortController();
		let timer = 0;
		const run = async () => {
			const started = performance.now();
			const asked = latest.current;
			let failed = false;
			let isWrong = false; // such a question gets no other answer
			const onFailure = (error: unknown) => {
				failed = true;
				isWrong = error instanceof Refused && error.status === 400;
			};
			if (!document.hidden) await load(asked, filter, stop.signal).then(setData, onFailure);
			const cost_ms = performance.now() - started;
			if (stop.signal.aborted || isWrong || (!failed && asked.to < serverNow() - stepFor(length))) return;
			const rest_ms = failed ? retry_ms : Math.min(again.most_ms, Math.max(again.least_ms, stepFor(length) * 250));
			timer = window.setTimeout(run, Math.max(rest_ms, weight * cost_ms));
		};
		void run();
		return () => {
			stop.abort();
			clearTimeout(timer);
		};
	}, [filter, length, isMoving ? 0 : strip.from]);
	return data;
}

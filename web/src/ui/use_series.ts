// SPDX-License-Identifier: Apache-2.0
// Lines over time of what the panel shows, asked again every few seconds while the present is followed.
import { useEffect, useState } from 'preact/hooks';
import { getSeries, type Query } from '../net/api';
import { queryOf, type Time } from '../model/time';
import type { Series } from '../net/types';

const again_ms = 2000;

const counters = [
	'bytes_to_server',
	'bytes_to_client',
	'opened',
	'failed_refused',
	'failed_timed_out',
	'failed_unreachable',
	'failed_reset',
	'failed_aborted',
	'failed_other',
	'retransmits_to_server',
	'retransmits_to_client',
];

export const failedCounters = counters.filter((name) => name.startsWith('failed_'));

/** query: which lines; the key says when it is another question. */
export function useSeries(query: Query, time: Time): Series | null {
	const [series, setSeries] = useState<Series | null>(null);
	const key = JSON.stringify([query, time]);
	const lines = JSON.stringify(query);
	useEffect(() => setSeries(null), [lines]);
	useEffect(() => {
		const stop = new AbortController();
		let timer = 0;
		const load = async () => {
			const started = performance.now();
			let failed = false;
			try {
				setSeries(await getSeries({ ...query, ...queryOf(time), counters: counters.join() }, stop.signal));
			} catch {
				failed = true; // the page says already that the server is gone; the charts stay as they were
			}
			const cost_ms = performance.now() - started;
			if (!stop.signal.aborted && (time.kind === 'live' || failed)) timer = window.setTimeout(load, Math.max(again_ms, 5 * cost_ms));
		};
		void load();
		return () => {
			stop.abort();
			clearTimeout(timer);
		};
	}, [key]);
	return series;
}

// SPDX-License-Identifier: Apache-2.0
// Lines over time of what the panel shows, asked again every few seconds.
import { useEffect, useState } from 'preact/hooks';
import { getSeries, type Query } from '../net/api';
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
export function useSeries(query: Query, range: string): Series | null {
	const [series, setSeries] = useState<Series | null>(null);
	const key = JSON.stringify([query, range]);
	useEffect(() => {
		const stop = new AbortController();
		let timer = 0;
		const load = async () => {
			const started = performance.now();
			try {
				setSeries(await getSeries({ ...query, from: `-${range}`, counters: counters.join() }, stop.signal));
			} catch {
				// the page says already that the server is gone; the charts stay as they were
			}
			const cost_ms = performance.now() - started;
			if (!stop.signal.aborted) timer = window.setTimeout(load, Math.max(again_ms, 5 * cost_ms));
		};
		setSeries(null);
		void load();
		return () => {
			stop.abort();
			clearTimeout(timer);
		};
	}, [key]);
	return series;
}

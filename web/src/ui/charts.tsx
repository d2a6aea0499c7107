// SPDX-License-Identifier: Apache-2.0
// The charts of the panel: what flowed, how fast it answered, what was opened and what failed.
import { Chart } from './chart';
import { failedCounters, useSeries } from './use_series';
import { count, micros, rate } from '../model/format';
import { firstStep, hasAny, perSecond, rtt, sum, times } from '../model/series';
import type { Query } from '../net/api';
import type { Time } from '../model/time';
import type { SeriesLine } from '../net/types';

interface Props {
	query: Query;
	time: Time;
	/** Which of the lines that come are meant. */
	take: (line: SeriesLine) => boolean;
	connections: boolean;
}

export function Charts({ query, time, take, connections }: Props) {
	const series = useSeries(query, time);
	if (!series) return <p class="dim charts-wait">Loading the charts</p>;
	const lines = series.lines.filter(take);
	const first = firstStep(series, lines);
	const at = times(series).slice(first);
	const of = (...names: string[]) => perSecond(sum(lines, names, series.steps), series.step).slice(first);
	const failed = of(...failedCounters);
	const again = of('retransmits_to_server', 'retransmits_to_client');
	const ofRtt = (which: 'p50' | 'p95') => rtt(lines, which, series.steps).slice(first);
	const p50 = ofRtt('p50');
	const perS = (value: number) => `${value >= 10 || Number.isInteger(value) ? count(value) : value.toFixed(1)}/s`;
	return (
		<div class="charts">
			<Chart
				title="Throughput"
				times={at}
				format={rate}
				lines={[
					{ label: 'to server', colour: '--series-a', values: of('bytes_to_server') },
					{ label: 'to client', colour: '--series-b', values: of('bytes_to_client') },
				]}
			/>
			{hasAny(p50) && (
				<Chart
					title="Round trip"
					times={at}
					format={micros}
					lines={[
						{ label: 'p50', colour: '--series-a', values: p50 },
						{ label: 'p95', colour: '--series-b', values: ofRtt('p95') },
					]}
				/>
			)}
			{connections && (
				<Chart
					title="Connections"
					times={at}
					format={perS}
					lines={[
						{ label: 'opened', colour: '--series-a', values: of('opened') },
						{ label: 'failed', colour: '--failing', values: failed, dashed: true },
					]}
				/>
			)}
			{hasAny(again) && (
				<Chart title="Sent again" times={at} format={perS} lines={[{ label: 'segments', colour: '--degraded', values: again }]} />
			)}
		</div>
	);
}

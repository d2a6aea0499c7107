// SPDX-License-Identifier: Apache-2.0
// Round-trip and connect times: the middle, and how bad it gets.
import { micros } from '../model/format';
import type { Histogram } from '../net/types';

function Line({ label, hint, of }: { label: string; hint: string; of: Histogram }) {
	const cell = (value: number) => (of.count > 0 ? micros(value) : '–');
	return (
		<tr>
			<th scope="row" title={hint}>
				{label}
			</th>
			<td>{cell(of.p50)}</td>
			<td>{cell(of.p95)}</td>
			<td>{cell(of.p99)}</td>
			<td>{cell(of.max)}</td>
		</tr>
	);
}

export function Times({ rtt, connect }: { rtt: Histogram; connect: Histogram }) {
	if (rtt.count === 0 && connect.count === 0) return null;
	return (
		<table class="times">
			<thead>
				<tr>
					<th scope="col">Time</th>
					<th scope="col">p50</th>
					<th scope="col">p95</th>
					<th scope="col">p99</th>
					<th scope="col">max</th>
				</tr>
			</thead>
			<tbody>
				<Line label="Round trip" hint="As the kernel measures it from acknowledgements" of={rtt} />
				<Line label="Connect" hint="From SYN to established, as the client saw it" of={connect} />
			</tbody>
		</table>
	);
}

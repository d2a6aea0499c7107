// SPDX-License-Identifier: Apache-2.0
// Round-trip, connect and DNS times: the middle, and how bad it gets.
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

interface Props {
	rtt: Histogram;
	connect: Histogram;
	/** Only where names are asked for. */
	dns: Histogram | undefined;
	/** UDP has neither round trips nor connects. */
	isTcp: boolean;
}

export function Times({ rtt, connect, dns, isTcp }: Props) {
	if (rtt.count === 0 && connect.count === 0 && !dns?.count) return null;
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
				{isTcp && <Line label="Round trip" hint="As the kernel measures it from acknowledgements" of={rtt} />}
				{isTcp && <Line label="Connect" hint="From SYN to established, as the client saw it" of={connect} />}
				{dns && <Line label="DNS answer" hint="From the question to its answer" of={dns} />}
			</tbody>
		</table>
	);
}

// SPDX-License-Identifier: Apache-2.0
// The sockets of an edge as they are at this moment, asked of the agent when somebody wants to see
// them and as long as they look.
import { useEffect, useState } from 'preact/hooks';
import { getConnections, Refused } from '../net/api';
import { bytes, count, micros, rate, span } from '../model/format';
import { quoted } from '../model/names';
import type { UrlState } from '../model/urlstate';
import type { Connection, GraphEdge, GraphNode } from '../net/types';

const rowsMax = 200;
const again_ms = 2000;

interface Ends {
	client: GraphNode | undefined;
	server: GraphNode | undefined;
}

function filterFor(edge: GraphEdge, ends: Ends): string {
	const terms = [`port:${edge.port}`];
	// the filter narrows what the agent sends; which edge a socket belongs to is told by ids
	if (ends.client && ends.client.name.length < 200) terms.push(`client:${quoted(ends.client.name)}`);
	return edge.port ? terms.join(' ') : '';
}

interface Answer {
	rows: Connection[];
	error: string;
}

function useConnections(edge: GraphEdge, ends: Ends, open: boolean): Answer | null {
	const [answer, setAnswer] = useState<Answer | null>(null);
	useEffect(() => {
		if (!open) return;
		const stop = new AbortController();
		let timer = 0;
		const load = async () => {
			try {
				const { connections } = await getConnections({ filter: filterFor(edge, ends), limit: 2000 }, stop.signal);
				const rows = connections.filter((c) => c.client.id === edge.client && c.server.id === edge.server && c.server.port === edge.port);
				setAnswer({ rows, error: '' });
			} catch (error) {
				if (stop.signal.aborted) return;
				setAnswer({ rows: [], error: error instanceof Refused ? error.message : 'the server does not answer' });
			}
			if (!stop.signal.aborted) timer = window.setTimeout(load, again_ms);
		};
		void load();
		return () => {
			stop.abort();
			clearTimeout(timer);
		};
	}, [edge.id, open]);
	return answer;
}

/** An IPv6 address wants brackets before its port. */
function address(end: Connection['client']): string {
	return end.address.includes(':') ? `[${end.address}]:${end.port}` : `${end.address}:${end.port}`;
}

function Line({ c }: { c: Connection }) {
	const mine = c.seen_by === 'client';
	return (
		<tr>
			<td>
				<code>{mine ? address(c.client) : address(c.server)}</code>
				<small>
					{mine ? 'client' : 'server'}, pid {c.pid || '?'}
				</small>
			</td>
			<td>{c.state.replace(/_/g, ' ')}</td>
			<td>{c.rtt_us > 0 ? micros(c.rtt_us) : '–'}</td>
			<td>{count(c.cwnd)}</td>
			<td>{count(c.retransmits)}</td>
			<td>
				{bytes(c.bytes_sent)}
				<small>{rate(c.delivery_rate)}</small>
			</td>
			<td>{bytes(c.bytes_received)}</td>
			<td>{c.age_ms === null ? 'older' : span(c.age_ms / 1000)}</td>
		</tr>
	);
}

function List({ answer }: { answer: Answer | null }) {
	if (!answer) return <p class="dim">Asking the agent</p>;
	if (answer.error) return <p class="dim">{answer.error}</p>;
	if (answer.rows.length === 0) return <p class="dim">None is open at this moment.</p>;
	return (
		<div class="sideways">
			<table>
				<thead>
					<tr>
						<th scope="col">Socket</th>
						<th scope="col">State</th>
						<th scope="col">RTT</th>
						<th scope="col" title="Congestion window, in segments">cwnd</th>
						<th scope="col" title="Segments sent again">Resent</th>
						<th scope="col">Sent</th>
						<th scope="col">Received</th>
						<th scope="col">Age</th>
					</tr>
				</thead>
				<tbody>
					{answer.rows.slice(0, rowsMax).map((c) => (
						<Line key={`${c.seen_by} ${address(c.client)} ${address(c.server)}`} c={c} />
					))}
				</tbody>
			</table>
			{answer.rows.length > rowsMax && <p class="dim">{rowsMax} of {answer.rows.length} are shown.</p>}
		</div>
	);
}

/** Why there are none to show; "": there may be some. */
function whyNot({ time, group }: UrlState): string {
	if (time.kind === 'past') return 'They are those of this moment: go back to live to see them.';
	return group === 'workload' ? '' : 'Group by workload to see them.';
}

export function ConnectionList({ edge, ends, url }: { edge: GraphEdge; ends: Ends; url: UrlState }) {
	const [wanted, setOpen] = useState(false);
	const reason = whyNot(url);
	const open = wanted && !reason;
	const answer = useConnections(edge, ends, open);
	return (
		<section class="connections" data-testid="connections">
			<h3>
				Live connections
				{!reason && (
					<button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
						{open ? 'Hide' : 'Show'}
					</button>
				)}
			</h3>
			{reason && <p class="dim">{reason}</p>}
			{open && <List answer={answer} />}
		</section>
	);
}

// SPDX-License-Identifier: Apache-2.0
// The few words under the pointer.
import { useRef } from 'preact/hooks';
import { Name } from './parts';
import { datagrams, verdict } from '../model/judge';
import { count, micros, plural, portOf, rate } from '../model/format';
import { isFar, placeText, tagsOf } from '../model/zones';
import type { Rates } from '../model/rates';
import type { Selection } from '../model/urlstate';
import type { Graph, Position } from '../net/types';

function EdgeTip({ graph, rates, id }: { graph: Graph; rates: Rates; id: string }) {
	const edge = graph.edges.find((candidate) => candidate.id === id);
	if (!edge) return null;
	const name = (node: string) => graph.nodes.find((candidate) => candidate.id === node)?.name ?? '';
	const now = rates.of(id);
	const more = [isFar(edge) ? placeText(edge) : '', ...tagsOf(edge)].filter(Boolean).join(', ');
	return (
		<>
			<b>
				<Name text={name(edge.client)} /> → <Name text={name(edge.server)} />:{portOf(edge)}
			</b>
			<span>
				{rate(now.to_server)} to server, {rate(now.to_client)} to client
			</span>
			<span>
				{edge.connections ? `${count(edge.connections.active)} open` : plural(datagrams(edge).sent, 'datagram')}
				{edge.rtt_us.count > 0 && `, RTT ${micros(edge.rtt_us.p50)}`},{' '}
				<span class={`tone-${edge.health}`}>{verdict(edge)}</span>
			</span>
			{more && <span>{more}</span>}
		</>
	);
}

function NodeTip({ graph, id }: { graph: Graph; id: string }) {
	const node = graph.nodes.find((candidate) => candidate.id === id);
	if (!node) return null;
	const clients = graph.edges.filter((edge) => edge.server === id).length;
	const servers = graph.edges.filter((edge) => edge.client === id).length;
	return (
		<>
			<b>
				<Name text={node.name} />
			</b>
			<span>
				{node.kind}, asked by {clients}, asks {servers}
			</span>
		</>
	);
}

const room = { width: 300, height: 84 };

export function Tip({ graph, rates, on, at }: { graph: Graph; rates: Rates; on: Selection; at: Position }) {
	const box = useRef<HTMLDivElement>(null);
	const around = box.current?.parentElement?.getBoundingClientRect();
	const width = Math.max(room.width, box.current?.offsetWidth ?? 0);
	const left = around && at.x + 14 + width > around.width ? Math.max(0, at.x - 14 - width) : at.x + 14;
	const top = around && at.y + 14 + room.height > around.height ? at.y - room.height : at.y + 14;
	return (
		<div class="tip" role="tooltip" ref={box} style={{ transform: `translate(${left}px, ${top}px)` }}>
			{on.kind === 'edge' ? <EdgeTip graph={graph} rates={rates} id={on.id} /> : <NodeTip graph={graph} id={on.id} />}
		</div>
	);
}

// SPDX-License-Identifier: Apache-2.0
// The table: a row per edge. Only the rows in sight are in the document, so thousands cost nothing.
// One row is in the tab order; the arrow keys go to the others, Enter opens one.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { HealthMark, KindIcon, Name, Tag } from './parts';
import { makeRows, nextSort, sortRows, type Row } from '../model/rows';
import { connections, verdict } from '../model/judge';
import { bytes, count, micros, portOf, rate } from '../model/format';
import { carrierText, hasZones, isFar, placeText, provisionalText, tagsOf, zonesText } from '../model/zones';
import type { LiveState } from '../net/live';
import { rateWord } from '../model/tense';
import type { Time } from '../model/time';
import type { Selection, UrlState } from '../model/urlstate';

interface Column {
	id: string;
	title: string;
	hint: string;
	textual?: boolean;
	show: (row: Row) => ComponentChildren;
}

const orNone = (value: number, text: string) => (value > 0 ? text : <span class="none">–</span>);
const both = (now: number, before: number) => orNone(now + before, bytes(now + before));

const columns: Column[] = [
	{ id: 'health', title: 'Health', hint: 'What is wrong, if anything', show: (row) => <Verdict row={row} /> },
	{ id: 'client', title: 'Client', hint: 'Who opened the connections', textual: true, show: (row) => <End kind={row.clientKind} name={row.client} /> },
	{ id: 'server', title: 'Server', hint: 'Who accepted them', textual: true, show: (row) => <End kind={row.serverKind} name={row.server} /> },
	{ id: 'zones', title: 'Zones', hint: "The client's zone and the server's", textual: true, show: (row) => <Zones row={row} /> },
	{ id: 'port', title: 'Port', hint: "The server's port", show: (row) => portOf(row.edge) },
	{ id: 'rate', title: 'Now', hint: 'Payload a second, both ways', show: (row) => orNone(row.rate, rate(row.rate)) },
	{ id: 'to_server', title: 'To server', hint: 'Payload in this range, and what was carried before millrace came', show: (row) => both(row.edge.bytes_to_server, row.edge.adopted_bytes_to_server) },
	{ id: 'to_client', title: 'To client', hint: 'Payload in this range, and what was carried before millrace came', show: (row) => both(row.edge.bytes_to_client, row.edge.adopted_bytes_to_client) },
	{ id: 'open', title: 'Open', hint: 'Connections open now', show: (row) => orNone(connections(row.edge).active, count(connections(row.edge).active)) },
	{ id: 'new', title: 'New', hint: 'Connections opened in this range', show: (row) => orNone(connections(row.edge).opened, count(connections(row.edge).opened)) },
	{ id: 'failed', title: 'Failed', hint: 'Attempts that never got through', show: (row) => orNone(row.failed, count(row.failed)) },
	{ id: 'rtt', title: 'RTT', hint: 'Round-trip time, median', show: (row) => orNone(row.edge.rtt_us.count, micros(row.edge.rtt_us.p50)) },
	{ id: 'retransmits', title: 'Resent', hint: 'Segments sent again', show: (row) => orNone(row.retransmits, count(row.retransmits)) },
];

function Verdict({ row: { edge } }: { row: Row }) {
	const tags = tagsOf(edge);
	return (
		<span class="verdict">
			{/* of what is well, that it is not like the others matters more */}
			<HealthMark health={edge.health} words={edge.health === 'ok' && tags.length > 0 ? undefined : verdict(edge)} />
			{tags.map((tag) => (
				<Tag key={tag} text={tag} hint={tag === 'provisional' ? provisionalText : carrierText(tag)} />
			))}
		</span>
	);
}

function Zones({ row: { edge } }: { row: Row }) {
	const text = zonesText(edge);
	if (!text) return <span class="none">–</span>;
	return (
		<bdi class={isFar(edge) ? 'far' : undefined} title={placeText(edge)}>
			{text}
		</bdi>
	);
}

function End({ kind, name }: { kind: string; name: string }) {
	return (
		<span class="end">
			<KindIcon kind={kind} />
			<Name text={name} />
		</span>
	);
}

const rowHeight = 32;
const spare = 6; // rows above and below those in sight

function useWindow(total: number) {
	const box = useRef<HTMLDivElement>(null);
	const [view, setView] = useState({ top: 0, height: 600 });
	useLayoutEffect(() => {
		const element = box.current;
		if (!element) return;
		const update = () => setView({ top: element.scrollTop, height: element.clientHeight });
		const observer = new ResizeObserver(update);
		observer.observe(element);
		element.addEventListener('scroll', update, { passive: true });
		return () => {
			observer.disconnect();
			element.removeEventListener('scroll', update);
		};
	}, []);
	const first = Math.max(0, Math.min(Math.floor(view.top / rowHeight) - spare, total - 1));
	const last = Math.min(total, first + Math.ceil(view.height / rowHeight) + 2 * spare);
	return { box, first, last };
}

type When = ReturnType<typeof rateWord>;

/** Titles that depend on whether this moment is shown. */
function titled(column: Column, when: When): Column {
	if (column.id === 'open' && when !== 'now') return { ...column, hint: 'Connections open at the end of this range' };
	if (column.id !== 'rate' || when === 'now') return column;
	if (when === 'then') return { ...column, title: 'Then', hint: 'Payload a second, both ways, when the picture was held' };
	return { ...column, title: 'Mean', hint: 'Payload a second, both ways, over this range' };
}

function Head({ sort, when, change }: { sort: string; when: When; change: (part: Partial<UrlState>) => void }) {
	return (
		<thead>
			<tr>
				{columns.map((column) => titled(column, when)).map(({ id, title, hint, textual }) => {
					const direction = sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : 'none';
					return (
						<th key={id} class={`c-${id}`} scope="col" aria-sort={direction} data-testid={`column-${id}`}>
							<button type="button" title={hint} onClick={() => change({ sort: nextSort(sort, id, textual ?? false) })}>
								{title}
							</button>
						</th>
					);
				})}
			</tr>
		</thead>
	);
}

interface LineProps {
	row: Row;
	selected: boolean;
	tabbed: boolean;
	onSelect: (selection: Selection) => void;
	onMove: (by: number) => void;
}

function Line({ row, selected, tabbed, onSelect, onMove }: LineProps) {
	const open = () => onSelect({ kind: 'edge', id: row.edge.id });
	const onKeyDown = (event: KeyboardEvent) => {
		const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
		if (event.key === 'Enter' || event.key === ' ') open();
		else if (by) onMove(by);
		else return;
		event.preventDefault();
	};
	return (
		<tr
			class={`health-${row.edge.health}`}
			data-testid={`row-${row.edge.id}`}
			data-edge={row.edge.id}
			tabIndex={tabbed ? 0 : -1}
			aria-selected={selected}
			onClick={open}
			onKeyDown={onKeyDown}
		>
			{columns.map(({ id, show }) => (
				<td key={id} class={`c-${id}`}>
					{show(row)}
				</td>
			))}
		</tr>
	);
}

interface Props {
	live: LiveState | null;
	time: Time;
	sort: string;
	selection: Selection | null;
	change: (part: Partial<UrlState>) => void;
}

export function Table({ live, time, sort, selection, change }: Props) {
	const rows = useMemo(() => (live?.graph ? sortRows(makeRows(live.graph, live.rates), sort) : []), [live, sort]);
	const zoned = useMemo(() => hasZones(live?.graph?.edges ?? []), [live?.graph]);
	const { box, first, last } = useWindow(rows.length);
	const [current, setCurrent] = useState('');
	const at = Math.max(0, rows.findIndex((row) => row.edge.id === current));
	const selected = selection?.kind === 'edge' ? selection.id : '';

	const onSelect = (next: Selection) => {
		setCurrent(next.id);
		change({ selection: next });
	};
	const onMove = (by: number) => {
		const next = Math.max(0, Math.min(rows.length - 1, at + by));
		setCurrent(rows[next]?.edge.id ?? '');
		box.current?.scrollTo({ top: Math.max(0, (next - 2) * rowHeight) });
		requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('tr[tabindex="0"]')?.focus({ preventScroll: true }));
	};
	return (
		<section class="table" aria-label="Dependencies">
			<div class="scroll" ref={box}>
				<table data-testid="table" class={zoned ? 'zoned' : undefined} aria-rowcount={rows.length + 1}>
					<Head sort={sort} when={rateWord(live?.rates, time)} change={change} />
					<tbody>
						{first > 0 && <tr aria-hidden="true" class="spacer" style={{ height: `${first * rowHeight}px` }} />}
						{rows.slice(first, last).map((row, i) => (
							<Line
								key={row.edge.id}
								row={row}
								selected={row.edge.id === selected}
								tabbed={first + i === at || (at < first && i === 0)}
								onSelect={onSelect}
								onMove={onMove}
							/>
						))}
						{last < rows.length && <tr aria-hidden="true" class="spacer" style={{ height: `${(rows.length - last) * rowHeight}px` }} />}
					</tbody>
				</table>
			</div>
		</section>
	);
}

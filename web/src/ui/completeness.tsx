// SPDX-License-Identifier: Apache-2.0
// How much of what happened is in the numbers; behind it, what was lost and by which cause.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Name } from './parts';
import { useAgents } from './use_agents';
import { serverNow } from '../net/clock';
import { silentSince, sortAgents, standingOf } from '../model/agents';
import { rangeText } from '../model/clock';
import { bytes, count, percent, plural, span } from '../model/format';
import type { Agents, Completeness as Figures, Graph } from '../net/types';

const agentsMax = 6;
const gapsMax = 8;

/** Causes with their explanations, which only /api/v1/agents has. */
function losses(figures: Figures, agents: Agents | null): { cause: string; help: string; count: number }[] {
	const help = new Map<string, string>();
	for (const list of [agents?.server.losses ?? [], ...(agents?.agents ?? []).map((agent) => agent.losses)])
		for (const loss of list) help.set(loss.cause, loss.help);
	return Object.entries(figures.lost)
		.filter(([, lost]) => lost > 0)
		.map(([cause, lost]) => ({ cause, count: lost, help: help.get(cause) ?? '' }));
}

/** Times of which an agent told nothing: its machine's connections are missing then, unless others saw them. */
function Gaps({ figures }: { figures: Figures }) {
	const gaps = figures.gaps ?? [];
	if (gaps.length === 0) return null;
	const now = serverNow();
	return (
		<>
			<h3>Told nothing for a time</h3>
			<ul class="gaps" data-testid="gaps">
				{gaps.slice(0, gapsMax).map((gap) => (
					<li key={`${gap.node} ${gap.from}`}>
						<Name text={gap.node} /> <span class="dim">{rangeText(gap, now)}, {span(gap.to - gap.from)}</span>
					</li>
				))}
			</ul>
			{gaps.length > gapsMax && <p class="dim">and {plural(gaps.length - gapsMax, 'more gap')}</p>}
		</>
	);
}

/** A few, those that are silent first. */
function SomeAgents({ agents }: { agents: Agents | null }) {
	const list = sortAgents(agents?.agents ?? []).slice(0, agentsMax);
	return (
		<ul class="agents">
			{list.map((agent) => {
				const reports = standingOf(agent) === 'reporting';
				return (
					<li key={`${agent.node} ${agent.boot_id}`}>
						<span class={`dot ${reports ? 'on' : 'off'}`} />
						<Name text={agent.node} />
						<span class="dim">
							{reports
								? `${agent.cost.cpu_percent.toFixed(2)} % CPU, ${plural(agent.sockets, 'live socket')}`
								: `${standingOf(agent)} for ${span(Math.max(0, serverNow() - silentSince(agent)))}`}
						</span>
					</li>
				);
			})}
		</ul>
	);
}

interface DetailsProps {
	figures: Figures;
	agents: Agents | null;
	onAgents: () => void;
}

function Details({ figures, agents, onAgents }: DetailsProps) {
	const lost = losses(figures, agents);
	return (
		<div class="popover" role="dialog" aria-label="Completeness" data-testid="completeness-details">
			<h2>
				{percent(figures.share)} of what happened is in these numbers
			</h2>
			{lost.length === 0 ? (
				<p class="dim">Nothing was lost in this range.</p>
			) : (
				<ul class="losses">
					{lost.map((loss) => (
						<li key={loss.cause}>
							<b>{count(loss.count)}</b> <code>{loss.cause}</code>
							<span class="dim">{loss.help}</span>
						</li>
					))}
				</ul>
			)}
			{figures.unresolved_bytes > 0 && (
				<p>{bytes(figures.unresolved_bytes)} were moved by connections of which one end is not known.</p>
			)}
			<h3>
				{figures.agents.reporting} of {plural(figures.agents.expected, 'agent')} reporting, a window is{' '}
				{span(figures.window_s)}
			</h3>
			<SomeAgents agents={agents} />
			<button type="button" class="more" data-testid="all-agents" onClick={onAgents}>
				All about the agents
			</button>
			<Gaps figures={figures} />
		</div>
	);
}

export function Completeness({ graph, onAgents }: { graph: Graph | null; onAgents: () => void }) {
	const [open, setOpen] = useState(false);
	const agents = useAgents(open);
	const root = useRef<HTMLDivElement>(null);
	useEffect(() => {
		if (!open) return;
		const onPointer = (event: PointerEvent) => {
			if (!root.current?.contains(event.target as Node)) setOpen(false);
		};
		window.addEventListener('pointerdown', onPointer);
		return () => window.removeEventListener('pointerdown', onPointer);
	}, [open]);
	if (!graph) return null;
	const figures = graph.completeness;
	const silent = figures.agents.reporting < figures.agents.expected || figures.agents.reporting === 0;
	const gaps = figures.gaps?.length ?? 0;
	const level = silent || figures.share < 0.99 ? 'bad' : figures.share < 1 || gaps > 0 ? 'some' : 'all';
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key !== 'Escape' || !open) return;
		event.preventDefault();
		setOpen(false);
	};
	return (
		<div class="chip-box" ref={root} onKeyDown={onKeyDown}>
			<button type="button" class={`chip ${level}`} data-testid="completeness" aria-expanded={open} onClick={() => setOpen(!open)}>
				{percent(figures.share)}
				<span class="word"> complete</span>
				{silent ? `, ${figures.agents.reporting} of ${figures.agents.expected} agents` : gaps > 0 && `, ${plural(gaps, 'gap')}`}
			</button>
			{open && (
				<Details
					figures={figures}
					agents={agents}
					onAgents={() => {
						setOpen(false);
						onAgents();
					}}
				/>
			)}
		</div>
	);
}

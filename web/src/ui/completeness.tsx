// SPDX-License-Identifier: Apache-2.0
// How much of what happened is in the numbers; behind it, what was lost and by which cause.
import { useEffect, useRef, useState } from 'preact/hooks';
import { getAgents } from '../net/api';
import { Name } from './parts';
import { bytes, count, percent, plural, span } from '../model/format';
import type { Agents, Completeness as Figures, Graph } from '../net/types';

function useAgents(open: boolean): Agents | null {
	const [agents, setAgents] = useState<Agents | null>(null);
	useEffect(() => {
		if (!open) return;
		const stop = new AbortController();
		const load = () => getAgents(stop.signal).then(setAgents, () => undefined);
		void load();
		const timer = setInterval(load, 3000);
		return () => {
			clearInterval(timer);
			stop.abort();
		};
	}, [open]);
	return agents;
}

/** Causes with their explanations, which only /api/v1/agents has. */
function losses(figures: Figures, agents: Agents | null): { cause: string; help: string; count: number }[] {
	const help = new Map<string, string>();
	for (const list of [agents?.server.losses ?? [], ...(agents?.agents ?? []).map((agent) => agent.losses)])
		for (const loss of list) help.set(loss.cause, loss.help);
	return Object.entries(figures.lost)
		.filter(([, lost]) => lost > 0)
		.map(([cause, lost]) => ({ cause, count: lost, help: help.get(cause) ?? '' }));
}

function Details({ figures, agents }: { figures: Figures; agents: Agents | null }) {
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
			<ul class="agents">
				{(agents?.agents ?? []).map((agent) => (
					<li key={agent.node}>
						<span class={`dot ${agent.reporting ? 'on' : 'off'}`} />
						<Name text={agent.node} />
						<span class="dim">
							{agent.cost.cpu_percent.toFixed(2)} % CPU, {plural(agent.sockets, 'live socket')}
							{agent.reporting ? '' : `, silent for ${span(agent.lag_s)}`}
						</span>
					</li>
				))}
			</ul>
		</div>
	);
}

export function Completeness({ graph }: { graph: Graph | null }) {
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
	const level = silent || figures.share < 0.99 ? 'bad' : figures.share < 1 ? 'some' : 'all';
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key !== 'Escape' || !open) return;
		event.preventDefault();
		setOpen(false);
	};
	return (
		<div class="chip-box" ref={root} onKeyDown={onKeyDown}>
			<button type="button" class={`chip ${level}`} data-testid="completeness" aria-expanded={open} onClick={() => setOpen(!open)}>
				{percent(figures.share)} complete
				{silent && `, ${figures.agents.reporting} of ${figures.agents.expected} agents`}
			</button>
			{open && <Details figures={figures} agents={agents} />}
		</div>
	);
}

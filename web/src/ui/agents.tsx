// SPDX-License-Identifier: Apache-2.0
// All agents, as they are now: who is silent, how far behind, what each costs and what it lost. A row
// opens to tell the rest.
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { Icon, Name, paths } from './parts';
import { useAgents } from './use_agents';
import { useNow } from './use_now';
import { isStretched, lossesOf, lostCount, silentSince, sortAgents, standingOf, type Standing } from '../model/agents';
import { moment } from '../model/clock';
import { count, plural, span } from '../model/format';
import { clean } from '../model/names';
import type { Agent } from '../net/types';

const rowsMax = 500;
const columns = [
	['status', 'Status'],
	['node', 'Machine'],
	['zone', 'Zone'],
	['version', 'Version'],
	['lag', 'Lag'],
	['window', 'Window'],
	['cost', 'CPU'],
	['sockets', 'Sockets'],
	['losses', 'Lost'],
] as const;

const hints: Record<string, string> = {
	lag: 'Since the end of its newest window',
	window: 'How often it reports; longer than asked for where its processor budget wants it',
	cost: 'Of all processors of the machine: agent and kernel programs, over the last minute',
	losses: 'What it could not tell, since it started',
};

const dots: Record<Standing, string> = { reporting: 'on', silent: 'off', gone: '' };

function key(agent: Agent): string {
	return `${agent.node} ${agent.boot_id ?? ''} ${agent.started ?? ''}`;
}

function StatusCell({ agent, now }: { agent: Agent; now: number }) {
	const standing = standingOf(agent);
	const since = silentSince(agent);
	return (
		<span class={`agent-status ${standing}`} title={standing === 'reporting' ? undefined : `Last heard at ${moment(since, now)}`}>
			<span class={`dot ${dots[standing]}`} />
			{standing}
			{standing !== 'reporting' && since > 0 && ` for ${span(Math.floor(Math.max(0, now - since)))}`}
		</span>
	);
}

function Details({ agent, now }: { agent: Agent; now: number }) {
	const lost = lossesOf(agent);
	const facts: [string, string][] = [
		['Kernel', agent.kernel],
		['Region', agent.region ?? ''],
		['Looks at', agent.coverage && agent.coverage !== '/' ? agent.coverage : 'all of the machine'],
		['Hooks', agent.hooks ?? ''],
		['Last heard', agent.last_seen > 0 ? moment(agent.last_seen, now) : ''],
		['Processor budget', `${agent.cost.cpu_budget_percent} %`],
	];
	return (
		<div class="agent-details">
			<dl>
				{facts
					.filter(([, text]) => text)
					.map(([label, text]) => (
						<div key={label}>
							<dt>{label}</dt>
							<dd>
								<bdi>{clean(text, 400)}</bdi>
							</dd>
						</div>
					))}
			</dl>
			{lost.length === 0 ? (
				<p class="dim">It lost nothing since it started.</p>
			) : (
				<ul class="losses">
					{lost.map((loss) => (
						<li key={loss.cause}>
							<b>{count(loss.count)}</b> <code>{loss.cause}</code> <span class="dim">{loss.help}</span>
						</li>
					))}
				</ul>
			)}
		</div>
	);
}

interface LineProps {
	agent: Agent;
	now: number;
	open: boolean;
	onToggle: () => void;
}

function Line({ agent, now, open, onToggle }: LineProps) {
	const silent = standingOf(agent) !== 'reporting';
	const lost = lossesOf(agent);
	const windowText = agent.window_s > 0 ? span(Math.round(agent.window_s * 10) / 10 || agent.window_s) : '–';
	return (
		<Fragment>
			<tr class={standingOf(agent)} data-testid={`agent-${agent.node}`} onClick={onToggle}>
				<td class="c-status">
					<StatusCell agent={agent} now={now} />
				</td>
				<td class="c-node">
					<button type="button" aria-expanded={open} onClick={(event) => (event.stopPropagation(), onToggle())}>
						<Icon path={open ? paths.down : paths.right} />
						<Name text={agent.node} />
					</button>
				</td>
				<td class="c-zone">{agent.zone ? <Name text={agent.zone} /> : <span class="none">–</span>}</td>
				<td class="c-version">
					<bdi>{clean(agent.version, 40)}</bdi>
				</td>
				<td class="c-lag">{silent ? <span class="none">–</span> : span(agent.lag_s)}</td>
				<td class={`c-window ${isStretched(agent) ? 'tone-degraded' : ''}`} title={isStretched(agent) ? `${span(agent.window_wanted_s ?? 0)} was asked for: its processor budget wants longer ones` : undefined}>
					{windowText}
				</td>
				<td class="c-cost">{silent ? <span class="none">–</span> : `${agent.cost.cpu_percent.toFixed(2)} %`}</td>
				<td class="c-sockets">{silent ? <span class="none">–</span> : count(agent.sockets)}</td>
				<td class="c-losses" title={lost.map((loss) => `${loss.count} ${loss.cause}`).join('\n')}>
					{lost.length === 0 ? <span class="none">–</span> : <span class="tone-degraded">{count(lostCount(agent))}</span>}
				</td>
			</tr>
			{open && (
				<tr class="more">
					<td colSpan={columns.length}>
						<Details agent={agent} now={now} />
					</td>
				</tr>
			)}
		</Fragment>
	);
}

/** "3 agents, 1 silent", as they are now, whatever time is shown elsewhere. */
function Summary({ agents, isPast }: { agents: Agent[]; isPast: boolean }) {
	const silent = agents.filter((agent) => standingOf(agent) === 'silent').length;
	const gone = agents.filter((agent) => standingOf(agent) === 'gone').length;
	const parts = [plural(agents.length, 'agent'), silent > 0 && `${silent} silent`, gone > 0 && `${gone} gone`].filter(Boolean);
	return (
		<p class="agents-summary">
			<b>{parts.join(', ')}</b> {isPast && <span class="dim">as of now, not of the time that is shown</span>}
		</p>
	);
}

export function AgentsPane({ isPast }: { isPast: boolean }) {
	const answer = useAgents(true);
	const now = useNow();
	const [opened, setOpened] = useState('');
	if (!answer) return <section class="agents-pane" aria-label="Agents" aria-busy="true" />;
	const agents = sortAgents(answer.agents);
	return (
		<section class="agents-pane" aria-label="Agents" data-testid="agents">
			<Summary agents={agents} isPast={isPast} />
			{agents.length === 0 ? (
				<p class="dim">
					No agent was heard yet. Start one with <code>millrace agent --server URL</code>; it shows here by itself.
				</p>
			) : (
				<table>
					<thead>
						<tr>
							{columns.map(([id, title]) => (
								<th key={id} class={`c-${id}`} scope="col" title={hints[id]}>
									{title}
								</th>
							))}
						</tr>
					</thead>
					<tbody>
						{agents.slice(0, rowsMax).map((agent) => (
							<Line
								key={key(agent)}
								agent={agent}
								now={now}
								open={opened === key(agent)}
								onToggle={() => setOpened(opened === key(agent) ? '' : key(agent))}
							/>
						))}
					</tbody>
				</table>
			)}
			{agents.length > rowsMax && <p class="dim">{rowsMax} of {agents.length} are shown; <code>millrace agents</code> has all.</p>}
		</section>
	);
}

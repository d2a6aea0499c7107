// SPDX-License-Identifier: Apache-2.0
// The agents as a table shows them: who is silent comes first, whoever told too little next.
import type { Agent, Loss } from '../net/types';

export type Standing = 'reporting' | 'silent' | 'gone';

export function standingOf({ status, reporting }: Agent): Standing {
	if (status === 'gone' || status === 'silent' || status === 'reporting') return status;
	return reporting ? 'reporting' : 'silent';
}

/** When it was last heard, of one that is not reporting. */
export function silentSince(agent: Agent): number {
	return agent.silent_since || agent.last_seen;
}

export function lossesOf(agent: Agent): Loss[] {
	return agent.losses.filter((loss) => loss.count > 0).sort((a, b) => b.count - a.count);
}

export function lostCount(agent: Agent): number {
	return lossesOf(agent).reduce((sum, loss) => sum + loss.count, 0);
}

const urgency: Record<Standing, number> = { silent: 2, gone: 1, reporting: 0 };

/** Those that were silent for the shortest time first among the silent: they are news. */
export function sortAgents(agents: Agent[]): Agent[] {
	const byName = (a: Agent, b: Agent) => (a.node < b.node ? -1 : a.node > b.node ? 1 : 0);
	return [...agents].sort((a, b) => {
		const [x, y] = [standingOf(a), standingOf(b)];
		if (x !== y) return urgency[y] - urgency[x];
		if (x !== 'reporting') return silentSince(b) - silentSince(a) || byName(a, b);
		return Number(lostCount(b) > 0) - Number(lostCount(a) > 0) || byName(a, b);
	});
}

/** Whether its window, or what it costs, is not what was asked for. */
export function isStretched(agent: Agent): boolean {
	return (agent.window_wanted_s ?? 0) > 0 && agent.window_s > 1.2 * (agent.window_wanted_s ?? 0);
}

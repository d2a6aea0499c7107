// SPDX-License-Identifier: Apache-2.0
// Proves: silent agents come first, the newest silence before older ones; servers that do not tell
// yet what an agent's status is are understood.
import assert from 'node:assert/strict';
import test from 'node:test';
import { isStretched, lossesOf, lostCount, sortAgents, standingOf } from './agents';
import type { Agent } from '../net/types';

function agent(node: string, part: Partial<Agent> = {}): Agent {
	return {
		node,
		version: '0.1.0',
		kernel: '6.1',
		reporting: true,
		lag_s: 0.4,
		last_seen: 1000,
		window_s: 1,
		cost: { cpu_percent: 0.1, cpu_budget_percent: 1 },
		sockets: 5,
		losses: [],
		...part,
	};
}

test('who is silent comes first, the newest before older ones, who lost something before who did not', () => {
	const lost = [{ cause: 'a', help: '', count: 0 }, { cause: 'b', help: '', count: 2 }];
	const agents = [
		agent('z'),
		agent('m', { losses: lost }),
		agent('old', { status: 'gone', silent_since: 10 }),
		agent('a'),
		agent('s1', { reporting: false, last_seen: 500 }),
		agent('s2', { status: 'silent', silent_since: 700 }),
	];
	assert.deepEqual(sortAgents(agents).map(({ node }) => node), ['s2', 's1', 'old', 'm', 'a', 'z']);
});

test('what is not told yet is taken from what is', () => {
	assert.equal(standingOf(agent('a')), 'reporting');
	assert.equal(standingOf(agent('a', { reporting: false })), 'silent');
	assert.equal(standingOf(agent('a', { reporting: false, status: 'gone' })), 'gone');
	assert.equal(standingOf(agent('a', { status: 'asleep' })), 'reporting');
});

test('losses are those that happened, the largest first', () => {
	const losses = [{ cause: 'a', help: '', count: 1 }, { cause: 'b', help: '', count: 0 }, { cause: 'c', help: '', count: 9 }];
	assert.deepEqual(lossesOf(agent('a', { losses })).map(({ cause }) => cause), ['c', 'a']);
	assert.equal(lostCount(agent('a', { losses })), 10);
});

test('a window that was stretched for the budget is told', () => {
	assert.ok(isStretched(agent('a', { window_s: 2, window_wanted_s: 1 })));
	assert.ok(!isStretched(agent('a', { window_s: 1.02, window_wanted_s: 1 })));
	assert.ok(!isStretched(agent('a')));
});

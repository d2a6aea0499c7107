// SPDX-License-Identifier: Apache-2.0
// Where there is nothing to show: why, and what to do about it.
import type { LiveState } from '../net/live';

interface Why {
	title: string;
	text: string;
}

export function whyEmpty(live: LiveState | null, filter: string): Why | null {
	if (!live || (!live.graph && live.link === 'connecting' && !live.refused))
		return { title: 'Connecting', text: 'Asking the server for the map.' };
	if (!live.graph && live.link === 'gone')
		return { title: 'No server', text: 'Nobody answers at this address. Start `millrace up`; this page connects by itself.' };
	if (!live.graph) return { title: 'Not a filter', text: live.refused };
	if (live.graph.nodes.length > 0) return null;
	if (filter)
		return { title: 'Nothing matches', text: 'No connection of this range matches the filter. Try fewer terms or a longer range.' };
	if (live.graph.completeness.agents.reporting === 0)
		return { title: 'No agent reports', text: 'The server works, but nobody tells it anything. Look at `millrace agents`.' };
	return { title: 'Nothing seen yet', text: 'No TCP connection was open or opened in this range. The first one shows here within a second.' };
}

export function Empty({ live, filter }: { live: LiveState | null; filter: string }) {
	const why = whyEmpty(live, filter);
	if (!why) return null;
	return (
		<div class="empty" data-testid="empty">
			<strong>{why.title}</strong>
			<p>{why.text}</p>
		</div>
	);
}

// SPDX-License-Identifier: Apache-2.0
// Where there is nothing to show: why, and what to do about it.
import { usual } from '../model/time';
import type { LiveState } from '../net/live';
import type { UrlState } from '../model/urlstate';

interface Why {
	title: string;
	text: string;
	toLive?: boolean;
}

export function whyEmpty(live: LiveState | null, filter: string): Why | null {
	if (live?.link === 'signed-out') return null; // the form says it
	if (!live || (!live.graph && live.link === 'connecting' && !live.refused))
		return { title: 'Connecting', text: 'Asking the server for the map.' };
	if (!live.graph && live.link === 'gone')
		return { title: 'No server', text: 'Nobody answers at this address. Start `millrace up`; this page connects by itself.' };
	if (!live.graph && live.trouble) return { title: 'Not now', text: `${live.trouble}. This page tries again by itself.` };
	if (!live.graph && /^(from|to)\b/.test(live.refused)) return { title: 'Not a time', text: live.refused, toLive: true };
	if (!live.graph) return { title: 'Not a filter', text: live.refused };
	if (live.graph.nodes.length > 0) return null;
	const isPast = live.time.kind === 'past';
	if (isPast && !live.graph.completeness.covered)
		return { title: 'Nothing is known of this time', text: 'History begins later, was not kept that long, or no agent reported then.', toLive: true };
	if (filter)
		return { title: 'Nothing matches', text: 'No connection of this time matches the filter. Try fewer terms or a longer range.' };
	if (isPast) return { title: 'Nothing happened', text: 'No connection was open or opened in this time.', toLive: true };
	if (live.graph.completeness.agents.reporting === 0)
		return { title: 'No agent reports', text: 'The server works, but nobody tells it anything. Look at `millrace agents`.' };
	return { title: 'Nothing seen yet', text: 'No connection was open or opened in this range. The first one shows here within a second.' };
}

interface Props {
	live: LiveState | null;
	filter: string;
	change: (part: Partial<UrlState>) => void;
}

export function Empty({ live, filter, change }: Props) {
	const why = whyEmpty(live, filter);
	if (!why) return null;
	return (
		<div class="empty" data-testid="empty">
			<strong>{why.title}</strong>
			<p>{why.text}</p>
			{why.toLive && (
				<button type="button" onClick={() => change({ time: usual })}>
					Back to live
				</button>
			)}
		</div>
	);
}

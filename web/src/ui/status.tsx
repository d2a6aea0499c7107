// SPDX-License-Identifier: Apache-2.0
// In words: whether the picture is of this moment, and whether the server is there.
import { clean } from '../model/names';
import { clock, zone } from '../model/clock';
import { ago, span } from '../model/format';
import type { LiveState } from '../net/live';
import type { Time } from '../model/time';

interface Props {
	live: LiveState | null;
	time: Time;
	isPaused: boolean;
	now: number;
}

interface Words {
	level: string;
	text: string;
}

function ofLink(live: LiveState | null): Words | null {
	const heard = live?.heard_ms ? ago((Date.now() - live.heard_ms) / 1000) : '';
	if (!live || live.link === 'connecting') return { level: 'connecting', text: 'connecting' };
	if (live.link === 'signed-out') return { level: 'gone', text: 'signed out' };
	if (live.link === 'gone') return { level: 'gone', text: heard ? `server gone, last heard ${heard}; trying again` : 'no server yet; trying again' };
	if (live.trouble) return { level: 'gone', text: `trying again: ${clean(live.trouble, 120)}` };
	return null;
}

function ofTime(time: Time, isPaused: boolean, now: number): Words {
	if (time.kind === 'live') return { level: 'live', text: 'live' };
	const behind = Math.max(0, now - time.to);
	if (isPaused) return { level: 'paused', text: `paused at ${clock(time.to)}, ${span(Math.floor(behind))} behind` };
	return { level: 'paused', text: `as it was ${ago(behind)}` };
}

/** How fine the figures are in time, and in whose hours they are told. */
function details(live: LiveState | null, time: Time, now: number): string {
	const figures = live?.graph?.completeness;
	const window_s = figures ? Math.max(figures.window_s, figures.resolution_s ?? 0) : 0;
	const fine = window_s < 0.75 ? window_s : Math.round(window_s); // no window is as long as the next
	const zoneNow = zone(time.kind === 'live' ? now : time.to);
	return fine > 0 ? `in windows of ${span(fine)}, times in ${zoneNow}` : `times in ${zoneNow}`;
}

export function Status({ live, time, isPaused, now }: Props) {
	const { level, text } = ofLink(live) ?? ofTime(time, isPaused, now);
	return (
		<div class={`status-box ${level}`}>
			<span class={`status ${level}`} title={text}>
				<span class="dot" />
				<span class="words" data-testid="status" role="status">
					{text}
				</span>
			</span>
			<span class="fine" data-testid="resolution">
				{details(live, time, now)}
			</span>
		</div>
	);
}

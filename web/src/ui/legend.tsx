// SPDX-License-Identifier: Apache-2.0
// What the lines of the map mean.
import { dash } from '../map/draw_edges';
import { healthWords } from '../model/judge';
import type { Health } from '../net/types';

function Sample({ health }: { health: Health }) {
	return (
		<li class={health}>
			<svg viewBox="0 0 34 8" aria-hidden="true">
				<path d="M1 4h32" stroke-dasharray={dash(health, false).join(' ')} />
			</svg>
			{healthWords[health]}
		</li>
	);
}

export function Legend({ when }: { when: 'now' | 'then' | 'mean' }) {
	return (
		<ul class="legend" aria-label="What the lines mean">
			<Sample health="ok" />
			<Sample health="degraded" />
			<Sample health="failing" />
			<li>width: {when === 'mean' ? 'mean traffic' : `traffic ${when}`}</li>
		</ul>
	);
}

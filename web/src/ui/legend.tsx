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

interface Props {
	when: 'now' | 'then' | 'mean';
	/** Whether there is a line on the map that only carries others. */
	carriers: boolean;
}

export function Legend({ when, carriers }: Props) {
	return (
		<ul class="legend" aria-label="What the lines mean">
			<Sample health="ok" />
			<Sample health="degraded" />
			<Sample health="failing" />
			{carriers && (
				<li class="carrier">
					<svg viewBox="0 0 34 8" aria-hidden="true">
						<path d="M1 4h32" stroke-dasharray="1.5 3.5" />
					</svg>
					carries others, in no sum
				</li>
			)}
			<li>width: {when === 'mean' ? 'mean traffic' : `traffic ${when}`}</li>
		</ul>
	);
}

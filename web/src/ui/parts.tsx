// SPDX-License-Identifier: Apache-2.0
// Small things that are used all over.
import type { ComponentChildren } from 'preact';
import { clean, nameLengthMax } from '../model/names';
import { healthIcon, kindIcon } from '../map/icons';
import { healthWords } from '../model/judge';
import type { Health } from '../net/types';

export function Icon({ path, className = '' }: { path: string; className?: string }) {
	return (
		<svg class={`icon ${className}`} viewBox="0 0 16 16" aria-hidden="true">
			<path d={path} />
		</svg>
	);
}

export const KindIcon = ({ kind }: { kind: string }) => <Icon path={kindIcon(kind)} className="kind" />;

/** A name from the machine: text, cut, in a direction of its own. */
export function Name({ text }: { text: string }) {
	const shown = clean(text);
	return (
		<bdi class="name" title={clean(text, 4 * nameLengthMax)}>
			{shown}
		</bdi>
	);
}

export function HealthMark({ health, words }: { health: Health; words?: string }) {
	return (
		<span class={`mark ${health}`} title={healthWords[health]}>
			<Icon path={healthIcon[health]} />
			{words !== undefined && <span class="words">{words}</span>}
		</span>
	);
}

/** A word that sets something apart from its likes. */
export function Tag({ text, hint }: { text: string; hint?: string }) {
	return (
		<span class="tag" title={hint}>
			{text}
		</span>
	);
}

export function Fact({ label, children, hint }: { label: string; children: ComponentChildren; hint?: string }) {
	return (
		<div class="fact">
			<dt title={hint}>{label}</dt>
			<dd>{children}</dd>
		</div>
	);
}

export const paths = {
	close: 'M4 4l8 8M12 4l-8 8',
	plus: 'M8 3.5v9M3.5 8h9',
	minus: 'M3.5 8h9',
	fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
	search: 'M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.4 10.4L13.8 13.8',
	sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
	moon: 'M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z',
	pause: 'M5.5 3.5v9M10.5 3.5v9',
	play: 'M5 3.2l7.5 4.8L5 12.8z',
	left: 'M9.5 3.5L5 8l4.5 4.5',
	right: 'M6.5 3.5L11 8l-4.5 4.5',
	down: 'M4 6.2l4 4 4-4',
	leave: 'M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3',
	arrow: 'M2.5 8h10.5M9.5 4.5L13 8l-3.5 3.5',
};

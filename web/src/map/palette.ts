// SPDX-License-Identifier: Apache-2.0
// The canvas's colours are those of the style sheet, read again when the theme changes.
import type { Health } from '../net/types';

export interface Palette {
	background: string;
	card: string;
	line: string;
	text: string;
	dim: string;
	accent: string;
	edge: string;
	health: Record<Health, string>;
	font: string;
}

export function readPalette(element: Element): Palette {
	const style = getComputedStyle(element);
	const of = (name: string) => style.getPropertyValue(name).trim();
	return {
		background: of('--map'),
		card: of('--card'),
		line: of('--line-strong'),
		text: of('--text'),
		dim: of('--dim'),
		accent: of('--accent'),
		edge: of('--edge'),
		health: { ok: of('--edge'), degraded: of('--degraded'), failing: of('--failing') },
		font: style.fontFamily || 'sans-serif',
	};
}

// SPDX-License-Identifier: Apache-2.0
// What is looked at is in the URL, so that a link shows somebody else the same.
import { isSame, parseTime, queryOf, usual, type Time } from './time';

export const views = ['both', 'map', 'table', 'agents'] as const;
export const groups = ['workload', 'process', 'container', 'node', 'zone', 'region'] as const;

export interface Selection {
	kind: 'node' | 'edge';
	id: string;
}

export interface UrlState {
	filter: string;
	group: (typeof groups)[number];
	time: Time;
	view: (typeof views)[number];
	sort: string; // a column, with - before it when descending
	selection: Selection | null;
}

export const initial: UrlState = { filter: '', group: 'workload', time: usual, view: 'both', sort: '-health', selection: null };

function oneOf<T extends string>(value: string | null, choices: readonly T[], fallback: T): T {
	return choices.find((choice) => choice === value) ?? fallback;
}

function parseSelection(params: URLSearchParams): Selection | null {
	for (const kind of ['node', 'edge'] as const) {
		const id = params.get(kind);
		if (id) return { kind, id };
	}
	return null;
}

/** now: the server's time, for ranges that are told from it. */
export function parseUrl(search: string, now: number): UrlState {
	const params = new URLSearchParams(search);
	const sort = params.get('sort') ?? '';
	return {
		filter: params.get('filter') ?? initial.filter,
		group: oneOf(params.get('group'), groups, 'workload'),
		time: parseTime(params.get('from'), params.get('to'), now),
		view: oneOf(params.get('view'), views, 'both'),
		sort: /^-?[a-z_]{1,24}$/.test(sort) ? sort : initial.sort,
		selection: parseSelection(params),
	};
}

/** What is as at the beginning is left out. */
export function formatUrl(state: UrlState): string {
	const params = new URLSearchParams();
	for (const key of ['filter', 'group', 'view', 'sort'] as const)
		if (state[key] !== initial[key]) params.set(key, state[key]);
	if (!isSame(state.time, initial.time))
		for (const [key, value] of Object.entries(queryOf(state.time))) params.set(key, value);
	if (state.selection) params.set(state.selection.kind, state.selection.id);
	const text = params.toString();
	return text ? `?${text}` : '';
}

// SPDX-License-Identifier: Apache-2.0
// What is looked at is in the URL, so that a link shows somebody else the same.

export const ranges = ['1m', '5m', '15m', '1h'] as const;
export const views = ['both', 'map', 'table'] as const;

export interface Selection {
	kind: 'node' | 'edge';
	id: string;
}

export interface UrlState {
	filter: string;
	range: string;
	view: (typeof views)[number];
	sort: string; // a column, with - before it when descending
	selection: Selection | null;
}

export const initial: UrlState = { filter: '', range: '5m', view: 'both', sort: '-health', selection: null };

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

export function parseUrl(search: string): UrlState {
	const params = new URLSearchParams(search);
	const sort = params.get('sort') ?? '';
	return {
		filter: params.get('filter') ?? initial.filter,
		range: oneOf(params.get('range'), ranges, '5m'),
		view: oneOf(params.get('view'), views, 'both'),
		sort: /^-?[a-z_]{1,24}$/.test(sort) ? sort : initial.sort,
		selection: parseSelection(params),
	};
}

/** What is as at the beginning is left out. */
export function formatUrl(state: UrlState): string {
	const params = new URLSearchParams();
	for (const key of ['filter', 'range', 'view', 'sort'] as const)
		if (state[key] !== initial[key]) params.set(key, state[key]);
	if (state.selection) params.set(state.selection.kind, state.selection.id);
	const text = params.toString();
	return text ? `?${text}` : '';
}

// SPDX-License-Identifier: Apache-2.0
// Asks the server. Three things can happen, and callers treat them apart: an answer; a refusal with
// the server's own words (a wrong filter); no server.
import type { Agents, Connections, Graph, Series } from './types';

/** The server answered, and said no. */
export class Refused extends Error {
	constructor(
		readonly status: number,
		message: string,
	) {
		super(message);
	}
}

export type Query = Record<string, string | number | undefined>;

const patience_ms = 15_000;

export function target(path: string, query: Query = {}): string {
	const params = new URLSearchParams();
	for (const [key, value] of Object.entries(query))
		if (value !== undefined && value !== '') params.set(key, String(value));
	const text = params.toString();
	return text ? `${path}?${text}` : path;
}

async function refusal(response: Response): Promise<Refused> {
	const body: unknown = await response.json().catch(() => null);
	const text =
		body && typeof body === 'object' && 'error' in body ? String(body.error) : `status ${response.status}`;
	return new Refused(response.status, text);
}

async function ask<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
	const own = new AbortController();
	const late = setTimeout(() => own.abort(), patience_ms);
	signal?.addEventListener('abort', () => own.abort());
	if (signal?.aborted) own.abort();
	try {
		const response = await fetch(target(path, query), { signal: own.signal, cache: 'no-store' });
		if (!response.ok) throw await refusal(response);
		return (await response.json()) as T;
	} finally {
		clearTimeout(late);
	}
}

export const getGraph = (query: Query, signal?: AbortSignal) => ask<Graph>('/api/v1/graph', query, signal);
export const getSeries = (query: Query, signal?: AbortSignal) => ask<Series>('/api/v1/series', query, signal);
export const getConnections = (query: Query, signal?: AbortSignal) =>
	ask<Connections>('/api/v1/connections', query, signal);
export const getAgents = (signal?: AbortSignal) => ask<Agents>('/api/v1/agents', {}, signal);

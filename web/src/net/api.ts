// SPDX-License-Identifier: Apache-2.0
// Asks the server. Three things can happen, and callers treat them apart: an answer; a refusal with
// the server's own words (a wrong filter); no server. Who must sign in first is told by an event,
// whichever question met it.
import { heard } from './clock';
import type { Agents, Connections, Events, Graph, Series, Session } from './types';

/** The server answered, and said no. */
export class Refused extends Error {
	constructor(
		readonly status: number,
		message: string,
		/** When it makes sense to ask again; 0: not said. */
		readonly after_s = 0,
	) {
		super(message);
	}
}

export type Query = Record<string, string | number | undefined>;

export const signedOut = 'millrace-signed-out';

const patience_ms = 15_000;
const unauthorized = 401;
let isOut = false; // nothing is asked that would be refused anyway

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
	return new Refused(response.status, text, Number(response.headers.get('Retry-After')) || 0);
}

/** The answer, whatever it is; gives up after a while. */
async function send(path: string, how: RequestInit, signal?: AbortSignal): Promise<Response> {
	const own = new AbortController();
	const late = setTimeout(() => own.abort(), patience_ms);
	signal?.addEventListener('abort', () => own.abort());
	if (signal?.aborted) own.abort();
	try {
		const response = await fetch(path, { ...how, signal: own.signal, cache: 'no-store' });
		heard(response.headers.get('Date'));
		return response;
	} finally {
		clearTimeout(late);
	}
}

async function ask<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
	if (isOut) throw new Refused(unauthorized, 'signed out');
	const response = await send(target(path, query), {}, signal);
	if (response.status === unauthorized) leave();
	if (!response.ok) throw await refusal(response);
	return (await response.json()) as T;
}

function leave() {
	isOut = true;
	window.dispatchEvent(new Event(signedOut));
}

export const getGraph = (query: Query, signal?: AbortSignal) => ask<Graph>('/api/v1/graph', query, signal);
export const getSeries = (query: Query, signal?: AbortSignal) => ask<Series>('/api/v1/series', query, signal);
export const getEvents = (query: Query, signal?: AbortSignal) => ask<Events>('/api/v1/events', query, signal);
export const getConnections = (query: Query, signal?: AbortSignal) =>
	ask<Connections>('/api/v1/connections', query, signal);
export const getAgents = (signal?: AbortSignal) => ask<Agents>('/api/v1/agents', {}, signal);

const sessionPath = '/api/v1/session';

export async function getSession(): Promise<Session> {
	const response = await send(sessionPath, {});
	if (!response.ok) throw await refusal(response);
	return (await response.json()) as Session;
}

/** Gives the token for a cookie, which this page never sees. */
export async function signIn(token: string): Promise<void> {
	const how = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token }) };
	const response = await send(sessionPath, how);
	if (!response.ok) throw await refusal(response);
	isOut = false;
}

export async function signOut(): Promise<void> {
	const response = await send(sessionPath, { method: 'DELETE' });
	if (!response.ok && response.status !== unauthorized) throw await refusal(response);
}

// SPDX-License-Identifier: Apache-2.0
// Keeps the page's picture live: totals of the range by asking for the graph, rates of this moment
// from the stream. The stream also says when to ask; without it a timer does.
//
// It never gives up: a server that is gone is asked again until it answers, and the last picture
// stays. It takes back as little as it can: one request at a time, slower when answers are heavy,
// none while the page is hidden.
import { getGraph, Refused, target } from './api';
import { Rates } from '../model/rates';
import type { Graph } from './types';

export type Link = 'connecting' | 'live' | 'gone';

export interface Question {
	filter: string;
	range: string;
}

export interface LiveState {
	graph: Graph | null;
	rates: Rates;
	link: Link;
	/** Why the server does not answer this question, in its words; "" if it does. */
	refused: string;
	/** When the server was last heard, by this page's clock; 0: never. */
	heard_ms: number;
}

const gap_ms = 1000;
const idle_ms = 2500;
const retry_ms = 1000;
const busy_ms = 100;
const busyMax_ms = 2500; // so long a question waits while the page has better things to do
const weight = 4; // a request that took 1 s is followed by 4 s of rest

export class Live {
	state: LiveState = { graph: null, rates: new Rates(), link: 'connecting', refused: '', heard_ms: 0 };
	private question: Question = { filter: '', range: '5m' };
	private stream: EventSource | null = null;
	private asking: AbortController | null = null;
	private timer = 0;
	private next_ms = 0;
	private answered_ms = -Infinity;

	constructor(
		private readonly onChange: (state: LiveState) => void,
		private readonly isBusy: () => boolean,
	) {
		document.addEventListener('visibilitychange', this.onVisibility);
	}

	/** Asks something else from now on; what is known stays until the answer is there. */
	ask(question: Question) {
		if (question.filter !== this.question.filter) this.state.rates.clear();
		this.question = question;
		this.asking?.abort();
		this.asking = null;
		this.closeStream();
		this.next_ms = 0;
		this.schedule(0);
	}

	stop() {
		document.removeEventListener('visibilitychange', this.onVisibility);
		clearTimeout(this.timer);
		this.asking?.abort();
		this.closeStream();
	}

	private set(change: Partial<LiveState>) {
		this.state = { ...this.state, ...change };
		this.onChange(this.state);
	}

	private readonly onVisibility = () => {
		if (document.hidden) this.closeStream();
		else this.schedule(0);
	};

	private schedule(after_ms: number) {
		clearTimeout(this.timer);
		this.timer = window.setTimeout(() => void this.poll(), after_ms);
	}

	private async poll() {
		if (this.asking || document.hidden) return;
		if (this.isBusy() && performance.now() - this.answered_ms < busyMax_ms) return this.schedule(busy_ms);
		const asking = (this.asking = new AbortController());
		const started = performance.now();
		try {
			const { filter, range } = this.question;
			const graph = await getGraph({ from: `-${range}`, filter }, asking.signal);
			if (this.asking !== asking) return;
			this.set({ graph, link: 'live', refused: '', heard_ms: Date.now() });
			this.answered_ms = performance.now();
			this.openStream();
			this.rest(performance.now() - started);
		} catch (error) {
			if (this.asking !== asking) return;
			this.fail(error);
		} finally {
			if (this.asking === asking) this.asking = null;
		}
	}

	private rest(cost_ms: number) {
		this.next_ms = performance.now() + Math.max(gap_ms - cost_ms, cost_ms * weight);
		this.schedule(Math.max(idle_ms, cost_ms * weight));
	}

	private fail(error: unknown) {
		if (error instanceof Refused && error.status === 400) {
			this.set({ link: 'live', refused: error.message, heard_ms: Date.now() });
			return; // the same question would get the same answer
		}
		this.closeStream();
		this.state.rates.clear();
		this.set({ link: 'gone' });
		this.schedule(retry_ms);
	}

	private openStream() {
		if (this.stream && this.stream.readyState !== EventSource.CLOSED) return;
		this.stream = new EventSource(target('/api/v1/stream', { filter: this.question.filter }));
		this.stream.addEventListener('graph', this.onWindow);
		this.stream.onerror = () => this.schedule(0); // gone, or too many readers: asking will tell
	}

	private closeStream() {
		this.stream?.close();
		this.stream = null;
	}

	private readonly onWindow = (event: MessageEvent<string>) => {
		this.state.rates.add(JSON.parse(event.data) as Graph);
		if (!this.asking) this.schedule(Math.max(0, this.next_ms - performance.now()));
	};
}

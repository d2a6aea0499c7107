// SPDX-License-Identifier: Apache-2.0
// Keeps the page's picture. While the present is followed: totals of the range by asking for the
// graph, rates of this moment from the stream, which also says when to ask; without it a timer does.
// Of a time that is past the graph is asked for once.
//
// It never gives up: a server that is gone is asked again until it answers, and the last picture
// stays; so it does for who must sign in. It takes back as little as it can: one request at a time,
// slower when answers are heavy, none while the page is hidden.
import { getGraph, Refused, signedOut, target } from './api';
import { Rates } from '../model/rates';
import { isSame, queryOf, spanOf, standing, usual, type Time } from '../model/time';
import type { Graph } from './types';

export type Link = 'connecting' | 'live' | 'gone' | 'signed-out';

export interface Question {
	filter: string;
	group: string;
	time: Time;
}

export interface LiveState {
	graph: Graph | null;
	rates: Rates;
	/** What the graph is of. */
	time: Time;
	link: Link;
	/** Why the server does not answer this question, in its words; "" if it does. */
	refused: string;
	/** What the server said when it could not answer now; "" if it can. */
	trouble: string;
	/** Another question was asked, and its answer takes its time. */
	waiting: boolean;
	/** When the server was last heard, by this page's clock; 0: never. */
	heard_ms: number;
}

const gap_ms = 1000;
const idle_ms = { least: 2500, most: 30_000 };
const retry_ms = 1000;
const trouble_ms = 3000;
const busy_ms = 100;
const busyMax_ms = 2500; // so long a question waits while the page has better things to do
const weight = 4; // a request that took 1 s is followed by 4 s of rest
const patience_ms = 350; // an answer within that needs no word of waiting

export class Live {
	state: LiveState = {
		graph: null,
		rates: new Rates(),
		time: usual,
		link: 'connecting',
		refused: '',
		trouble: '',
		waiting: false,
		heard_ms: 0,
	};
	private question: Question = { filter: '', group: 'workload', time: usual };
	private stream: EventSource | null = null;
	private asking: AbortController | null = null;
	private timer = 0;
	private patience = 0;
	private next_ms = 0;
	private answered_ms = -Infinity;
	private isSettled = false; // the past was answered: there is nothing to ask

	constructor(
		private readonly onChange: (state: LiveState) => void,
		private readonly isBusy: () => boolean,
	) {
		document.addEventListener('visibilitychange', this.onVisibility);
		window.addEventListener(signedOut, this.onSignedOut);
	}

	/** Asks something else from now on; what is known stays until the answer is there. */
	ask(question: Question) {
		const { filter, group } = this.question;
		const isOther = question.filter !== filter || question.group !== group;
		this.question = question;
		this.asking?.abort();
		this.asking = null;
		this.closeStream();
		this.next_ms = 0;
		if (!isOther && this.isFrozen(question.time)) return this.freeze();
		if (isOther && !this.state.rates.isMean) this.state.rates.clear();
		this.isSettled = false;
		this.expect();
		this.schedule(0);
	}

	/** Asks at once, after somebody signed in. */
	again() {
		this.isSettled = false;
		if (this.state.link === 'signed-out') this.set({ link: 'connecting' });
		this.schedule(0);
	}

	stop() {
		document.removeEventListener('visibilitychange', this.onVisibility);
		window.removeEventListener(signedOut, this.onSignedOut);
		clearTimeout(this.timer);
		clearTimeout(this.patience);
		this.asking?.abort();
		this.closeStream();
	}

	private set(change: Partial<LiveState>) {
		this.state = { ...this.state, ...change };
		this.onChange(this.state);
	}

	/** Whether that time is just what is shown: then the picture stands still as it is. */
	private isFrozen(time: Time): boolean {
		const { graph, refused } = this.state;
		return time.kind === 'past' && graph !== null && !refused && isSame(time, standing(graph.from, graph.to));
	}

	private freeze() {
		clearTimeout(this.timer);
		clearTimeout(this.patience);
		this.isSettled = true;
		this.set({ time: this.question.time, waiting: false });
	}

	private expect() {
		clearTimeout(this.patience);
		this.patience = window.setTimeout(() => {
			if (this.state.link === 'live') this.set({ waiting: true });
		}, patience_ms);
	}

	private readonly onVisibility = () => {
		if (document.hidden) this.closeStream();
		else this.schedule(0);
	};

	private readonly onSignedOut = () => {
		clearTimeout(this.timer);
		clearTimeout(this.patience);
		this.closeStream();
		this.set({ link: 'signed-out', waiting: false, trouble: '' });
	};

	private schedule(after_ms: number) {
		clearTimeout(this.timer);
		this.timer = window.setTimeout(() => void this.poll(), after_ms);
	}

	private async poll() {
		if (this.asking || this.isSettled || document.hidden || this.state.link === 'signed-out') return;
		if (this.isBusy() && performance.now() - this.answered_ms < busyMax_ms) return this.schedule(busy_ms);
		const asking = (this.asking = new AbortController());
		const started = performance.now();
		try {
			const { filter, group, time } = this.question;
			const graph = await getGraph({ ...queryOf(time), group, filter }, asking.signal);
			if (this.asking !== asking) return;
			this.answered_ms = performance.now();
			this.take(graph, time);
			if (time.kind === 'live') this.rest(performance.now() - started);
		} catch (error) {
			if (this.asking !== asking) return;
			this.fail(error);
		} finally {
			if (this.asking === asking) this.asking = null;
		}
	}

	private take(answer: Graph, time: Time) {
		clearTimeout(this.patience);
		const { rates } = this.state;
		const isPast = time.kind === 'past';
		const isUnknown = isPast && !answer.completeness.covered; // who listens now is no answer to that
		const graph = isUnknown ? { ...answer, nodes: [], edges: [] } : answer;
		const now = isPast ? Rates.mean(graph) : rates.isMean ? new Rates() : rates;
		this.isSettled = isPast;
		this.set({ graph, rates: now, time, link: 'live', refused: '', trouble: '', waiting: false, heard_ms: Date.now() });
		if (!isPast) this.openStream();
	}

	/** A window changes the sums of a day less than those of a minute: a millisecond for each second. */
	private rest(cost_ms: number) {
		const idle = Math.min(idle_ms.most, Math.max(idle_ms.least, spanOf(this.question.time)));
		const gap = idle > idle_ms.least ? idle : gap_ms;
		this.next_ms = performance.now() + Math.max(gap - cost_ms, cost_ms * weight);
		this.schedule(Math.max(idle, cost_ms * weight));
	}

	private fail(error: unknown) {
		clearTimeout(this.patience);
		if (error instanceof Refused && error.status === 401) return; // onSignedOut has it
		if (error instanceof Refused && error.status === 400) {
			this.set({ link: 'live', refused: error.message, trouble: '', waiting: false, heard_ms: Date.now() });
			return; // the same question would get the same answer
		}
		if (error instanceof Refused) {
			this.set({ link: 'live', trouble: error.message, waiting: false, heard_ms: Date.now() });
			const wait_ms = Math.max(trouble_ms, 1000 * error.after_s);
			this.next_ms = performance.now() + wait_ms; // the stream does not hurry it
			return this.schedule(wait_ms);
		}
		this.closeStream();
		if (!this.state.rates.isMean) this.state.rates.clear();
		this.set({ link: 'gone', waiting: false });
		this.schedule(retry_ms);
	}

	private openStream() {
		if (this.stream && this.stream.readyState !== EventSource.CLOSED) return;
		const { filter, group } = this.question;
		this.stream = new EventSource(target('/api/v1/stream', { filter, group }));
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

// SPDX-License-Identifier: Apache-2.0
// Chooses the time that is shown: one of the usual ranges, or any by typing.
import { useEffect, useRef, useState } from 'preact/hooks';
import { getAgents } from '../net/api';
import { Icon, paths } from './parts';
import { parseMoment, rangeText, typed, zone, zoneName } from '../model/clock';
import { span } from '../model/format';
import { following, rangeOf, settled, spanOf, spans_s, standing, type Time } from '../model/time';

interface Props {
	time: Time;
	now: number;
	onChoose: (time: Time) => void;
	utc: boolean;
	onUtc: (on: boolean) => void;
}

/** A slip of the hand, not a wish: what was typed last ends a little after now. */
const slack_s = 1;
const hint = 'Such as 12:03, 12:03:05, 2026-11-29 12:03, -2h or now.';

/** What two fields mean, or what is wrong with them. */
export function readFields(from: string, to: string, span_s: number, now: number): Time | string {
	const begin = parseMoment(from, now);
	if (begin === null) return `From: this is no time. ${hint}`;
	const end = to.trim() ? parseMoment(to, now) : begin + span_s;
	if (end === null) return `To: this is no time. ${hint}`;
	if (begin >= end) return 'From is not before To: give an earlier From or a later To.';
	if (begin >= now) return 'From is in the future: nothing is known of it yet.';
	return settled(begin, Math.min(end, now), now, slack_s);
}

function zoneWords(unix_s: number): string {
	const [name, offset] = [zoneName(), zone(unix_s)];
	return name === offset ? name : `${name}, ${offset}`;
}

/** Where history begins, as the server says. */
async function oldest(now: number, span_s: number): Promise<Time | string> {
	try {
		const { server } = await getAgents();
		if (server.history_from <= 0) return 'There is no history yet.';
		return server.history_from + span_s >= now ? following(span_s) : standing(server.history_from, server.history_from + span_s);
	} catch {
		return 'The server does not answer. Try again in a moment.';
	}
}

function Form({ time, now, onChoose, utc, onUtc }: Props) {
	const range = rangeOf(time, now);
	const [from, setFrom] = useState(typed(range.from));
	const [to, setTo] = useState(time.kind === 'live' ? 'now' : typed(range.to));
	const [error, setError] = useState('');
	const take = (read: Time | string) => (typeof read === 'string' ? setError(read) : onChoose(read));
	const onSubmit = (event: Event) => {
		event.preventDefault();
		take(readFields(from, to, spanOf(time), now));
	};
	const field = (id: string, label: string, value: string, set: (value: string) => void) => (
		<label>
			<span>{label}</span>
			<input
				type="text"
				data-testid={id}
				value={value}
				spellcheck={false}
				autocomplete="off"
				aria-describedby="time-hint time-error"
				onInput={(event) => {
					set(event.currentTarget.value);
					setError('');
				}}
			/>
		</label>
	);
	return (
		<form onSubmit={onSubmit} key={String(utc)}>
			{field('time-from', 'From', from, setFrom)}
			{field('time-to', 'To', to, setTo)}
			<p id="time-hint" class="dim">
				{hint} An empty To keeps the length. Times are in {zoneWords(range.to)}.
			</p>
			<p id="time-error" class="error" role="alert" data-testid="time-error">
				{error}
			</p>
			<div class="row">
				<button type="submit" class="primary" data-testid="time-show">
					Show
				</button>
				<label class="check">
					<input type="checkbox" data-testid="time-utc" checked={utc} onChange={(event) => onUtc(event.currentTarget.checked)} />
					UTC
				</label>
				<button type="button" data-testid="time-oldest" onClick={() => void oldest(now, spanOf(time)).then(take)}>
					Where history begins
				</button>
			</div>
		</form>
	);
}

export function spanWords(span_s: number): string {
	return `Last ${span_s >= 86_400 && span_s % 86_400 === 0 ? `${span_s / 86_400} d` : span_s >= 3600 && span_s % 3600 === 0 ? `${span_s / 3600} h` : span_s % 60 === 0 ? `${span_s / 60} min` : span(span_s)}`;
}

export function TimeRange(props: Props) {
	const { time, now, onChoose } = props;
	const [open, setOpen] = useState(false);
	const root = useRef<HTMLDivElement>(null);
	useEffect(() => {
		if (!open) return;
		root.current?.querySelector<HTMLElement>('[aria-pressed=true], [data-testid=time-from]')?.focus();
		const onPointer = (event: PointerEvent) => {
			if (!root.current?.contains(event.target as Node)) setOpen(false);
		};
		window.addEventListener('pointerdown', onPointer);
		return () => window.removeEventListener('pointerdown', onPointer);
	}, [open]);
	const close = () => {
		setOpen(false);
		root.current?.querySelector<HTMLElement>('[data-testid=range]')?.focus();
	};
	const choose = (next: Time) => {
		onChoose(next);
		close();
	};
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key !== 'Escape' || !open) return;
		event.preventDefault();
		close();
	};
	return (
		<div class="range-box" ref={root} onKeyDown={onKeyDown}>
			<button type="button" class="range" data-testid="range" aria-haspopup="dialog" aria-expanded={open} title="Choose the time" onClick={() => setOpen(!open)}>
				<span>{time.kind === 'live' ? spanWords(time.span_s) : rangeText(time, now)}</span>
				<Icon path={paths.down} />
			</button>
			{open && (
				<div class="popover times-popover" role="dialog" aria-label="Choose the time" data-testid="range-choice">
					<ul aria-label="Follow the last">
						{spans_s.map((span_s) => (
							<li key={span_s}>
								<button type="button" aria-pressed={time.kind === 'live' && time.span_s === span_s} onClick={() => choose(following(span_s))}>
									{spanWords(span_s)}
								</button>
							</li>
						))}
					</ul>
					<Form {...props} onChoose={choose} />
				</div>
			)}
		</div>
	);
}

// SPDX-License-Identifier: Apache-2.0
// The strip of the time bar: what was moved over time, where nothing is known, and the time that is
// shown, as a window that can be dragged, drawn anew, and moved with the keys.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock, marks, moment, rangeText } from '../model/clock';
import { barsOf, beginOf, chosen, dragged, gapsOf, type Bar, type Grip } from '../model/strip';
import type { Range, Time } from '../model/time';
import { clean } from '../model/names';
import { span } from '../model/format';
import type { Happening } from '../net/types';
import type { StripData } from './use_strip';

interface Props {
	/** From where to where it goes. */
	strip: Range;
	/** What is shown. */
	range: Range;
	now: number;
	data: StripData;
	onChoose: (time: Time) => void;
}

const labelWidth = 74; // pixels that a mark's text wants
const click_px = 4;
const ticksMax = 150;

const failedHeight = 14;

/** height: of 100 */
function path(bars: Bar[], from: number, height: (bar: Bar) => number): string {
	return bars.map((bar) => `M${bar.at - from} 100v${-height(bar).toFixed(1)}h${bar.width * 0.86}V100z`).join('');
}

function Bars({ data, strip, now }: { data: StripData; strip: Range; now: number }) {
	const { series } = data;
	if (!series) return null;
	const bars = barsOf(series, now);
	return (
		<svg viewBox={`0 0 ${strip.to - strip.from} 100`} preserveAspectRatio="none" aria-hidden="true">
			<path d={path(bars, strip.from, ({ height }) => (height > 0 ? Math.max(6, 92 * height) : 0))} />
			<path class="failed" d={path(bars.filter(({ failed }) => failed), strip.from, () => failedHeight)} />
		</svg>
	);
}

interface PlacedProps {
	strip: Range;
	range: Range;
	class: string;
	title?: string;
	children?: ComponentChildren;
}

/** Something that has its place in time. */
function Placed({ strip, range, title, children, ...rest }: PlacedProps) {
	const share = (at: number) => Math.min(1, Math.max(0, (at - strip.from) / (strip.to - strip.from)));
	const left = share(range.from);
	const right = share(range.to);
	if (range.to < strip.from || range.from > strip.to) return null;
	return (
		<div class={rest.class} title={title} style={{ left: `${100 * left}%`, width: right > left ? `${100 * (right - left)}%` : undefined }}>
			{children}
		</div>
	);
}

function isBad({ kind }: Happening): boolean {
	return kind === 'failed' || kind === 'killed' || kind === 'silent';
}

/** Those at one place become one tick; the ends of what just ended are not worth one. */
function Ticks({ events, strip, now }: { events: Happening[]; strip: Range; now: number }) {
	const places = new Map<number, Happening[]>();
	for (const event of events) {
		if (event.kind === 'exited' || (event.kind === 'started' && event.scope !== 'agent')) continue;
		const place = Math.round((ticksMax * (event.time - strip.from)) / (strip.to - strip.from));
		places.set(place, [...(places.get(place) ?? []), event]);
	}
	return (
		<>
			{[...places].map(([place, list]) => {
				const at = list[0]?.time ?? 0;
				const words = list.slice(0, 4).map((event) => `${moment(event.time, now)} ${clean(event.text, 100)}`);
				if (list.length > 4) words.push(`and ${list.length - 4} more`);
				const kind = list.some(isBad) ? 'bad' : 'some';
				return <Placed key={place} strip={strip} range={{ from: at, to: at }} class={`tick ${kind}`} title={words.join('\n')} />;
			})}
		</>
	);
}

function Known({ data, strip, now }: { data: StripData; strip: Range; now: number }) {
	const { series } = data;
	const begin = series && beginOf(series);
	return (
		<>
			{series && begin !== null && begin > strip.from && (
				<Placed strip={strip} range={{ from: strip.from, to: begin }} class="unknown" title={`Nothing is known before ${moment(begin, now)}`}>
					{begin < series.to && (begin - strip.from) / (strip.to - strip.from) > 0.25 && <span>history begins {moment(begin, now)}</span>}
				</Placed>
			)}
			{gapsOf(series?.completeness).map((gap) => (
				<Placed
					key={`${gap.from} ${gap.nodes.join()}`}
					strip={strip}
					range={gap}
					class="gap"
					title={`${gap.nodes.slice(0, 5).map((name) => clean(name, 40)).join(', ')}${gap.nodes.length > 5 ? ` and ${gap.nodes.length - 5} more` : ''} told nothing for ${span(gap.to - gap.from)}: ${rangeText(gap, now)}`}
				/>
			))}
		</>
	);
}

function Marks({ strip, width }: { strip: Range; width: number }) {
	const shown = marks(strip, Math.max(2, Math.floor(width / labelWidth)));
	return (
		<div class="marks" aria-hidden="true">
			{shown.map(({ at, text }) => {
				const share = (at - strip.from) / (strip.to - strip.from);
				if (share * width < 18 || (1 - share) * width < 18) return null; // it would hang over the edge
				return (
					<span key={at} style={{ left: `${100 * share}%` }}>
						{text}
					</span>
				);
			})}
		</div>
	);
}

/** Arrows move by a twentieth of the range, page keys by all of it, Home and End to where the strip ends. */
function keyStep(key: string, range: Range, strip: Range, grip: Grip, now: number): number | null {
	const span_s = range.to - range.from;
	const little = Math.max(1, Math.round(span_s / 20));
	const own = grip === 'from' ? range.from : range.to;
	const steps: Record<string, number> = {
		ArrowLeft: -little,
		ArrowDown: -little,
		ArrowRight: little,
		ArrowUp: little,
		PageDown: -span_s,
		PageUp: span_s,
		Home: strip.from - (grip === 'all' ? range.from : own),
		End: now - own,
	};
	return steps[key] ?? null;
}

function useDrag({ strip, range, now, onChoose }: Props, box: { current: HTMLDivElement | null }) {
	const [draft, setDraft] = useState<Range | null>(null);
	const drag = useRef<{ grip: Grip; start: number; x: number; range: Range } | null>(null);
	const timeAt = (event: PointerEvent) => {
		const { left, width } = box.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
		return strip.from + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (strip.to - strip.from);
	};
	const end = () => {
		drag.current = null;
		setDraft(null);
	};
	useEffect(() => {
		const onKey = (event: KeyboardEvent) => {
			if (event.key !== 'Escape' || !drag.current) return;
			event.preventDefault();
			end();
		};
		window.addEventListener('keydown', onKey, true);
		return () => window.removeEventListener('keydown', onKey, true);
	}, []);
	return {
		draft,
		timeAt,
		onPointerDown(event: PointerEvent) {
			if (event.button !== 0) return;
			const grip = ((event.target as HTMLElement).dataset.grip ?? 'new') as Grip;
			box.current?.setPointerCapture(event.pointerId);
			drag.current = { grip, start: timeAt(event), x: event.clientX, range };
		},
		onPointerMove(event: PointerEvent) {
			const { current } = drag;
			if (!current || (!draft && Math.abs(event.clientX - current.x) < click_px)) return;
			setDraft(dragged(current.grip, current.range, current.start, timeAt(event), now));
		},
		onPointerUp() {
			const { current } = drag;
			if (draft) onChoose(chosen(draft, strip, now));
			else if (current?.grip === 'new') {
				const half = (range.to - range.from) / 2; // a click: that time, in the middle
				onChoose(chosen(dragged('all', { from: current.start - half, to: current.start + half }, 0, 0, now), strip, now));
			}
			end();
		},
		onPointerCancel: end,
	};
}

function useWidth(box: { current: HTMLDivElement | null }): number {
	const [width, setWidth] = useState(600);
	useEffect(() => {
		const element = box.current;
		if (!element) return;
		const observer = new ResizeObserver(() => setWidth(element.clientWidth));
		observer.observe(element);
		return () => observer.disconnect();
	}, []);
	return width;
}

export function Strip(props: Props) {
	const { strip, now, data, onChoose } = props;
	const box = useRef<HTMLDivElement>(null);
	const width = useWidth(box);
	const { draft, timeAt, ...drag } = useDrag(props, box);
	const [hover, setHover] = useState<number | null>(null);
	const range = draft ?? props.range;
	const onKeyDown = (grip: Grip) => (event: KeyboardEvent) => {
		const by = event.ctrlKey || event.metaKey || event.altKey ? null : keyStep(event.key, props.range, strip, grip, now);
		if (by === null) return;
		event.preventDefault();
		onChoose(chosen(dragged(grip, props.range, 0, by, now), strip, now));
	};
	const slider = (grip: Grip, label: string, at: number, text: string) => ({
		'data-grip': grip,
		'data-testid': `strip-${grip}`,
		role: 'slider' as const,
		tabIndex: 0,
		'aria-label': label,
		'aria-valuemin': Math.floor(strip.from),
		'aria-valuemax': Math.ceil(Math.max(now, at)),
		'aria-valuenow': Math.round(at),
		'aria-valuetext': text,
		onKeyDown: onKeyDown(grip),
	});
	const share = (at: number) => Math.min(1, Math.max(0, (at - strip.from) / (strip.to - strip.from)));
	const [left, right] = [share(range.from), share(range.to)];
	const pointed = draft ? draft.to : hover;
	return (
		<div
			class="strip"
			data-testid="strip"
			ref={box}
			role="group"
			aria-label="Activity over time; the shown time is marked"
			{...drag}
			onPointerMove={(event: PointerEvent) => {
				setHover(timeAt(event));
				drag.onPointerMove(event);
			}}
			onPointerLeave={() => setHover(null)}
		>
			<div class="bars">
				<Known data={data} strip={strip} now={now} />
				<Bars data={data} strip={strip} now={now} />
				<Ticks events={data.events} strip={strip} now={now} />
			</div>
			<div class={`chosen ${draft ? 'dragging' : ''}`} style={{ left: `${100 * left}%`, width: `${100 * (right - left)}%` }}>
				<div class="all" {...slider('all', 'Shown time', range.to, rangeText(range, now))} />
				<div class="grip from" {...slider('from', 'Begin of the shown time', range.from, moment(range.from, now))} />
				<div class="grip to" {...slider('to', 'End of the shown time', range.to, moment(range.to, now))} />
			</div>
			<Marks strip={strip} width={width} />
			{pointed !== null && (
				<div class={`at ${share(pointed) > 0.5 ? 'left' : ''}`} style={{ left: `${100 * share(pointed)}%` }} aria-hidden="true">
					<span>{draft ? rangeText(draft, now) : clock(pointed)}</span>
				</div>
			)}
		</div>
	);
}

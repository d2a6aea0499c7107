// SPDX-License-Identifier: Apache-2.0
// A small chart over time (uPlot): lines with a legend above that tells the values under the pointer.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { themeChanged } from './theme';
import { clock, day, hourAndMinute } from '../model/clock';
import type { Column } from '../model/series';

export interface ChartLine {
	label: string;
	/** A colour of the style sheet, such as --accent. */
	colour: string;
	values: Column;
	dashed?: boolean;
}

interface Props {
	title: string;
	times: number[];
	lines: ChartLine[];
	format: (value: number) => string;
}

const height = 116;

function options(box: HTMLElement, { lines, format }: Props, onPoint: (at: number | null) => void): uPlot.Options {
	const style = getComputedStyle(box);
	const of = (name: string) => style.getPropertyValue(name).trim();
	const axis: uPlot.Axis = {
		stroke: of('--dim'),
		font: `10.5px ${style.fontFamily}`,
		grid: { stroke: of('--line'), width: 1 },
		ticks: { show: false },
		gap: 4,
	};
	return {
		width: box.clientWidth,
		height,
		padding: [8, 8, 0, 0],
		legend: { show: false },
		cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
		scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 10] } },
		axes: [
			{ ...axis, size: 22, space: 60, values: (_, splits) => splits.map(axisText(splits)) },
			{ ...axis, size: 58, space: 32, values: (_, splits) => splits.map((value) => format(value)) },
		],
		series: [
			{},
			...lines.map((line) => ({
				label: line.label,
				stroke: of(line.colour),
				width: 1.5,
				dash: line.dashed ? [4, 3] : undefined,
				points: { show: false },
				spanGaps: false,
			})),
		] as uPlot.Series[],
		hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
	};
}

/** As fine as the axis: seconds, minutes, days. */
function axisText(splits: number[]): (unix_s: number) => string {
	const step = (splits[1] ?? 0) - (splits[0] ?? 0);
	return step >= 86_400 ? day : step % 60 === 0 && step > 0 ? hourAndMinute : clock;
}

/** The value under the pointer, else the newest that is known. */
function shownValue(values: Column, at: number | null): number | null {
	if (at !== null) return values[at] ?? null;
	for (let i = values.length - 1; i >= 0; i--) {
		const value = values[i];
		if (value !== null && value !== undefined) return value;
	}
	return null;
}

export function Chart(props: Props) {
	const box = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | null>(null);
	const [at, setAt] = useState<number | null>(null);
	const [theme, setTheme] = useState(0);
	const data = [props.times, ...props.lines.map((line) => line.values)] as uPlot.AlignedData;

	useEffect(() => {
		const onTheme = () => setTheme((n) => n + 1);
		window.addEventListener(themeChanged, onTheme);
		return () => window.removeEventListener(themeChanged, onTheme);
	}, []);
	useEffect(() => {
		const element = box.current;
		if (!element) return;
		const created = (plot.current = new uPlot(options(element, props, setAt), data, element));
		const observer = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height }));
		observer.observe(element);
		return () => {
			observer.disconnect();
			created.destroy();
			plot.current = null;
		};
	}, [theme, props.lines.length]);
	useEffect(() => plot.current?.setData(data), [props.times, ...props.lines.map((line) => line.values)]);

	return (
		<figure class="chart">
			<figcaption>
				<span class="title">{props.title}</span>
				{props.lines.map((line) => {
					const value = shownValue(line.values, at);
					return (
						<span key={line.label} class={`key ${line.colour.slice(2)} ${line.dashed ? 'dashed' : ''}`}>
							{line.label} <b>{value === null ? '–' : props.format(value)}</b>
						</span>
					);
				})}
			</figcaption>
			<div ref={box} class="plot" role="img" aria-label={`${props.title} over time`} />
		</figure>
	);
}

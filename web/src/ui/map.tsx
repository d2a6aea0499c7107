// SPDX-License-Identifier: Apache-2.0
// The map's room: the canvas, its buttons, the tip under the pointer, and words where nothing is.
import { useEffect, useRef, useState } from 'preact/hooks';
import { MapView } from '../map/map';
import { expose } from '../map/expose';
import { Places } from '../model/places';
import { themeChanged } from './theme';
import { Icon, paths } from './parts';
import { Empty } from './empty';
import { Legend } from './legend';
import { Tip } from './tip';
import type { LiveState } from '../net/live';
import { rateWord } from '../model/tense';
import type { Selection, UrlState } from '../model/urlstate';
import type { Position } from '../net/types';

interface Props {
	live: LiveState | null;
	url: UrlState;
	change: (part: Partial<UrlState>) => void;
	onSelect: (selection: Selection | null) => void;
}

interface Hover {
	on: Selection;
	at: Position;
}

const step_px = 60;

function onKey(view: MapView | null, event: KeyboardEvent) {
	const moves: Record<string, () => void> = {
		ArrowLeft: () => view?.panBy(step_px, 0),
		ArrowRight: () => view?.panBy(-step_px, 0),
		ArrowUp: () => view?.panBy(0, step_px),
		ArrowDown: () => view?.panBy(0, -step_px),
		'+': () => view?.zoomBy(1.4),
		'=': () => view?.zoomBy(1.4),
		'-': () => view?.zoomBy(1 / 1.4),
		'0': () => view?.fit(true),
	};
	const move = event.ctrlKey || event.metaKey ? undefined : moves[event.key];
	if (!move) return;
	event.preventDefault();
	move();
}

export function MapPane({ live, url, change, onSelect }: Props) {
	const { selection } = url;
	const canvas = useRef<HTMLCanvasElement>(null);
	const view = useRef<MapView | null>(null);
	const places = useRef(new Places());
	const [hover, setHover] = useState<Hover | null>(null);

	useEffect(() => {
		if (!canvas.current) return;
		const created = (view.current = new MapView(canvas.current, {
			onSelect: (selected) => {
				setHover(null);
				onSelect(selected);
			},
			onHover: (on, at) => setHover(on ? { on, at } : null),
		}));
		const retheme = () => created.retheme();
		window.addEventListener(themeChanged, retheme);
		expose(created);
		return () => {
			window.removeEventListener(themeChanged, retheme);
			created.destroy();
		};
	}, []);
	useEffect(() => {
		if (live?.graph) view.current?.show({ graph: live.graph, rates: live.rates, places: places.current, isLive: live.time.kind === 'live' });
	}, [live]);
	useEffect(() => view.current?.select(selection), [selection]);

	const graph = live?.graph;
	const summary = graph ? `Map of ${graph.nodes.length} services and ${graph.edges.length} dependencies` : 'Map';
	return (
		<section class="map" aria-label="Map">
			<canvas
				ref={canvas}
				data-testid="map"
				tabIndex={0}
				role="img"
				aria-label={`${summary}. Arrow keys move, plus and minus zoom, 0 shows all; the table below tells the same.`}
				onKeyDown={(event) => onKey(view.current, event)}
			/>
			<div class="map-buttons" role="group" aria-label="Zoom">
				<button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => view.current?.zoomBy(1.4)}>
					<Icon path={paths.plus} />
				</button>
				<button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => view.current?.zoomBy(1 / 1.4)}>
					<Icon path={paths.minus} />
				</button>
				<button type="button" data-testid="fit" aria-label="Show all" title="Show all (0)" onClick={() => view.current?.fit(true)}>
					<Icon path={paths.fit} />
				</button>
			</div>
			<Legend when={rateWord(live?.rates, live?.time ?? url.time)} carriers={graph?.edges.some((edge) => edge.carrier) ?? false} />
			<Empty live={live} filter={url.filter} change={change} />
			{graph && hover && <Tip graph={graph} rates={live.rates} on={hover.on} at={hover.at} />}
		</section>
	);
}

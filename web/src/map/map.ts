// SPDX-License-Identifier: Apache-2.0
// The map: one canvas, a view that people move (d3-zoom), and a scene that the server moves.
//
// Nothing is drawn unless something changed. The view belongs to whoever looks: once it was moved by
// hand no update moves it; until then it stays fitted to all there is.
import { select, type Selection } from 'd3-selection';
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior, type ZoomTransform } from 'd3-zoom';
import { drawEdge, type Look } from './draw_edges';
import { drawNodes } from './draw_nodes';
import { edgesOf, nodesOf } from './expose';
import { gridFor, plain, sameGrid, scaleFit, type Grid, type Size } from './grid';
import { readPalette, type Palette } from './palette';
import { clear, paint, type View } from './paint';
import { Picture } from './picture';
import { bounds, cellsOf, edgeAt, emptyScene, makeScene, nodeAt, type Scene } from './scene';
import { gesture } from '../model/gesture';
import type { Places } from '../model/places';
import type { Rates } from '../model/rates';
import type { Selection as Selected } from '../model/urlstate';
import type { Graph, Position } from '../net/types';

export interface MapEvents {
	onSelect(selection: Selected | null): void;
	onHover(selection: Selected | null, at: Position): void;
}

/** What is shown: the server's answer, and what becomes a scene with it. */
export interface Source {
	graph: Graph;
	rates: Rates;
	places: Places;
	/** Of the present: what comes new is brought into sight. Between times nothing moves that needs not. */
	isLive: boolean;
}

const scaleMin = 0.04;
const scaleMax = 3;
const crowd = 120; // edges from which on a moving map moves a picture of itself
const below = 16; // for the legend, and the names below the last row
const nameMax = 40;
const reach = 7; // pixels beside an edge that still hit it

export class MapView {
	private source: Source | null = null;
	private scene: Scene = emptyScene;
	private grid: Grid = plain;
	private palette: Palette;
	private readonly ctx: CanvasRenderingContext2D;
	private readonly zoomer: ZoomBehavior<HTMLCanvasElement, unknown>;
	private readonly target: Selection<HTMLCanvasElement, unknown, null, undefined>;
	private readonly resizer: ResizeObserver;
	private transform: ZoomTransform = zoomIdentity;
	private size = { width: 0, height: 0 };
	private selected: Selected | null = null;
	private hovered = '';
	private moved = false;
	private fitting = 0; // frame of the running motion
	private frame = 0;
	private drawn = 0;
	private readonly picture = new Picture();

	constructor(
		private readonly canvas: HTMLCanvasElement,
		private readonly events: MapEvents,
	) {
		const ctx = canvas.getContext('2d', { alpha: false });
		if (!ctx) throw new Error('this browser has no canvas');
		this.ctx = ctx;
		this.palette = readPalette(canvas);
		this.target = select(canvas);
		this.zoomer = zoom<HTMLCanvasElement, unknown>()
			.scaleExtent([scaleMin, scaleMax])
			.clickDistance(4)
			.on('zoom', (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => this.onZoom(event));
		this.target.call(this.zoomer).on('dblclick.zoom', null);
		canvas.addEventListener('click', this.onClick);
		canvas.addEventListener('pointermove', this.onMove);
		canvas.addEventListener('pointerleave', this.onLeave);
		this.resizer = new ResizeObserver(() => this.resize());
		this.resizer.observe(canvas);
	}

	destroy() {
		this.resizer.disconnect();
		cancelAnimationFrame(this.frame);
		cancelAnimationFrame(this.fitting);
		this.target.on('.zoom', null);
		this.canvas.removeEventListener('click', this.onClick);
		this.canvas.removeEventListener('pointermove', this.onMove);
		this.canvas.removeEventListener('pointerleave', this.onLeave);
	}

	// --- what it shows -----------------------------------------------------------------------

	show(source: Source) {
		const first = this.source === null || this.scene.nodes.length === 0;
		const known = this.scene.nodeById;
		const isOther = source.graph.group !== this.source?.graph.group;
		const grown = source.graph.nodes.some((node) => !known.has(node.id));
		const follows = source.isLive && this.source?.isLive;
		this.source = source;
		if (isOther) this.moved = false;
		if (!this.moved && (first || isOther || (grown && (follows || this.hangsOver())))) {
			this.fit(!first);
			return;
		}
		this.rebuild();
	}

	/** Whether a card of the newest answer is not wholly in sight. */
	private hangsOver(): boolean {
		this.rebuild();
		const box = bounds(this.scene);
		if (!box) return false;
		const [left, top] = this.transform.apply([box.left, box.top]);
		const [right, bottom] = this.transform.apply([box.right, box.bottom]);
		return left < 0 || top < 0 || right > this.size.width || bottom > this.size.height;
	}

	private rebuild() {
		if (!this.source) return;
		const { graph, rates, places } = this.source;
		this.scene = makeScene(graph, rates, places, this.grid);
		this.picture.discard();
		this.redraw();
	}

	/** Cells as large as this view wants them; whether they are others than before. */
	private chooseGrid(room: Size): boolean {
		const cells = this.source && cellsOf(this.source.graph, this.source.places);
		if (!this.source || !cells) return false;
		this.ctx.font = `600 12.5px ${this.palette.font}`;
		const widths = this.source.graph.nodes.map(({ name }) => this.ctx.measureText(name.slice(0, nameMax)).width);
		const next = gridFor(cells, room, Math.max(...widths), this.grid.turned);
		if (sameGrid(next, this.grid)) return false;
		this.grid = next;
		this.picture.forget();
		return true;
	}

	select(selection: Selected | null) {
		this.selected = selection;
		this.picture.discard();
		this.redraw();
	}

	retheme() {
		this.palette = readPalette(this.canvas);
		this.picture.discard();
		this.redraw();
	}

	// --- the view ----------------------------------------------------------------------------

	zoomBy(factor: number) {
		this.moved = true;
		this.moveTo(this.around(this.transform.k * factor, this.size.width / 2, this.size.height / 2), true);
	}

	panBy(dx: number, dy: number) {
		this.moved = true;
		const { x, y, k } = this.transform;
		this.moveTo(zoomIdentity.translate(x + dx, y + dy).scale(k), false);
	}

	/** All there is, in the middle. The view follows what comes until it is moved by hand again. */
	fit(smooth: boolean) {
		if (this.size.width === 0) return;
		const space = { x: Math.min(48, this.size.width * 0.06), y: Math.min(48, this.size.height * 0.06) };
		const room = { width: this.size.width - 2 * space.x, height: this.size.height - 2 * space.y - below };
		const jumps = this.chooseGrid(room);
		this.rebuild();
		const box = bounds(this.scene);
		if (!box) return;
		this.moved = false;
		const k = Math.max(scaleMin, Math.min(scaleFit, room.width / (box.right - box.left), room.height / (box.bottom - box.top)));
		const x = this.size.width / 2 - (k * (box.left + box.right)) / 2;
		const y = (this.size.height - below) / 2 - (k * (box.top + box.bottom)) / 2;
		this.moveTo(zoomIdentity.translate(x, y).scale(k), smooth && !jumps);
	}

	private around(k: number, x: number, y: number): ZoomTransform {
		const scale = Math.min(scaleMax, Math.max(scaleMin, k));
		const [mapX, mapY] = this.transform.invert([x, y]);
		return zoomIdentity.translate(x - scale * mapX, y - scale * mapY).scale(scale);
	}

	private moveTo(to: ZoomTransform, smooth: boolean) {
		cancelAnimationFrame(this.fitting);
		const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
		if (!smooth || calm) {
			this.target.call(this.zoomer.transform, to);
			return;
		}
		const from = this.transform;
		const started = performance.now();
		const step = (now: number) => {
			const t = Math.min(1, Math.max(0, (now - started) / 220));
			const eased = 1 - (1 - t) ** 3;
			const mix = (a: number, b: number) => a + (b - a) * eased;
			const next = zoomIdentity.translate(mix(from.x, to.x), mix(from.y, to.y)).scale(mix(from.k, to.k));
			this.target.call(this.zoomer.transform, next);
			if (t < 1) this.fitting = requestAnimationFrame(step);
		};
		this.fitting = requestAnimationFrame(step);
	}

	private onZoom(event: D3ZoomEvent<HTMLCanvasElement, unknown>) {
		if (event.sourceEvent) {
			this.moved = true;
			cancelAnimationFrame(this.fitting);
		}
		this.transform = event.transform;
		gesture.touch();
		this.redraw();
	}

	private resize() {
		const { width, height } = this.canvas.getBoundingClientRect();
		const before = this.size;
		const ratio = devicePixelRatio || 1;
		this.size = { width, height };
		this.canvas.width = Math.round(width * ratio);
		this.canvas.height = Math.round(height * ratio);
		if (before.width === 0 || !this.moved) this.fit(false);
		else this.panBy((width - before.width) / 2, (height - before.height) / 2);
		this.draw(); // at once: a canvas that was resized is empty
	}

	// --- drawing -----------------------------------------------------------------------------

	private redraw() {
		if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
	}

	private look(): Look {
		const edge = this.selected?.kind === 'edge' ? this.selected.id : '';
		return {
			scale: this.transform.k,
			selectedEdge: this.scene.edgeById.get(edge)?.id ?? '',
			selectedNode: this.selected?.kind === 'node' ? this.selected.id : '',
			hovered: this.hovered,
		};
	}

	private draw() {
		cancelAnimationFrame(this.frame);
		this.frame = 0;
		if (this.size.width === 0) return;
		const { ctx, transform } = this;
		const ratio = this.canvas.width / this.size.width;
		const look = this.look();
		const screen = { ...this.size, x: transform.x, y: transform.y, scale: transform.k, ratio };
		if (this.scene.edges.length <= crowd) {
			for (const _ of paint(ctx, this.scene, screen, look, this.palette));
		} else {
			this.drawPicture(screen, look);
		}
		this.drawn++;
	}

	/** Of many, those under the pointer come on top of their picture. */
	private drawPicture(screen: View, look: Look) {
		const { ctx, transform, picture } = this;
		const { ratio } = screen;
		const moving = gesture.isOn();
		const plainLook = { ...look, hovered: '' };
		const more = picture.advance(transform, this.size, ratio, moving, (target, at) => paint(target, this.scene, at, plainLook, this.palette));
		clear(ctx, ratio, this.palette);
		picture.blit(ctx, transform);
		const edge = this.scene.edgeById.get(this.hovered);
		const node = this.scene.nodeById.get(this.hovered);
		ctx.setTransform(ratio * transform.k, 0, 0, ratio * transform.k, ratio * transform.x, ratio * transform.y);
		if (edge) drawEdge(ctx, edge, look, this.palette);
		ctx.setLineDash([]);
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		const on = node ? [node] : edge ? [edge.client, edge.server] : [];
		for (const _ of drawNodes(ctx, this.scene, screen, look, this.palette, on));
		if (more) this.redraw();
		else if (moving && !picture.isSharp(transform)) gesture.whenCalm(this.redrawCalm);
	}

	private readonly redrawCalm = () => this.redraw();

	// --- the pointer -------------------------------------------------------------------------

	private pick(event: MouseEvent): Selected | null {
		const [x, y] = this.transform.invert([event.offsetX, event.offsetY]);
		const node = nodeAt(this.scene, { x, y });
		if (node) return { kind: 'node', id: node.id };
		const edge = edgeAt(this.scene, { x, y }, reach / this.transform.k);
		return edge ? { kind: 'edge', id: edge.id } : null;
	}

	private readonly onClick = (event: MouseEvent) => this.events.onSelect(this.pick(event));

	private readonly onMove = (event: PointerEvent) => {
		if (event.buttons || event.pointerType === 'touch') return this.hover(null, event);
		this.hover(this.pick(event), event);
	};

	private readonly onLeave = (event: PointerEvent) => this.hover(null, event);

	private hover(picked: Selected | null, event: PointerEvent) {
		const id = picked?.id ?? '';
		if (id || this.hovered) this.events.onHover(picked, { x: event.offsetX, y: event.offsetY });
		if (id === this.hovered) return;
		this.hovered = id;
		this.canvas.classList.toggle('over', id !== '');
		this.redraw();
	}

	// --- for tests and debugging ---------------------------------------------------------------

	private onScreen(point: Position): Position {
		const [x, y] = this.transform.apply([point.x, point.y]);
		const box = this.canvas.getBoundingClientRect();
		return { x: box.left + x, y: box.top + y };
	}

	nodes() {
		return nodesOf(this.scene, (point) => this.onScreen(point));
	}

	edges() {
		return edgesOf(this.scene, (point) => this.onScreen(point));
	}

	frames(): number {
		return this.drawn;
	}
}

// SPDX-License-Identifier: Apache-2.0
// The map: one canvas, a view that people move (d3-zoom), and a scene that the server moves.
//
// Nothing is drawn unless something changed. The view belongs to whoever looks: once it was moved by
// hand no update moves it; until then it stays fitted to all there is.
import { select, type Selection } from 'd3-selection';
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior, type ZoomTransform } from 'd3-zoom';
import { drawEdge, drawEdges, type Look } from './draw_edges';
import { drawLabels } from './draw_labels';
import { drawNodes } from './draw_nodes';
import { at } from './geometry';
import { EdgeLayer } from './layer';
import { readPalette, type Palette } from './palette';
import { bounds, edgeAt, emptyScene, nodeAt, type Scene } from './scene';
import type { Selection as Selected } from '../model/urlstate';
import type { Position } from '../net/types';

export interface MapEvents {
	onSelect(selection: Selected | null): void;
	onHover(selection: Selected | null, at: Position): void;
}

const scaleMin = 0.04;
const scaleMax = 3;
const scaleFit = 1.15; // a few nodes are not blown up further than this
const crowd = 120; // edges from which on a moving map moves a picture of them
const rest_ms = 130; // without motion: the map is at rest
const patience_ms = 2500; // so long the newest answer may wait for that
const reach = 7; // pixels beside an edge that still hit it

export class MapView {
	private scene: Scene = emptyScene;
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
	private readonly layer = new EdgeLayer();
	private movedAt_ms = -Infinity;
	private settling = 0;
	private waiting: Scene | null = null; // came while the map was moved
	private shownAt_ms = -Infinity;

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
		clearTimeout(this.settling);
		this.target.on('.zoom', null);
		this.canvas.removeEventListener('click', this.onClick);
		this.canvas.removeEventListener('pointermove', this.onMove);
		this.canvas.removeEventListener('pointerleave', this.onLeave);
	}

	// --- what it shows -----------------------------------------------------------------------

	show(scene: Scene) {
		this.waiting = scene;
		// a crowded map that is being moved takes what is new when it rests, or a little later
		if (this.isMoving() && scene.edges.length > crowd && performance.now() - this.shownAt_ms < patience_ms) this.settle();
		else this.adopt();
	}

	private adopt() {
		const scene = this.waiting;
		if (!scene) return;
		this.waiting = null;
		this.shownAt_ms = performance.now();
		const first = this.scene.nodes.length === 0;
		const grown = scene.nodes.some((node) => !this.scene.nodeById.has(node.id));
		this.scene = scene;
		this.layer.discard();
		if (!this.moved && (first || grown)) this.fit(!first);
		this.redraw();
	}

	select(selection: Selected | null) {
		this.selected = selection;
		this.layer.discard();
		this.redraw();
	}

	retheme() {
		this.palette = readPalette(this.canvas);
		this.layer.discard();
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
		const box = bounds(this.scene);
		if (!box || this.size.width === 0) return;
		this.moved = false;
		const space = Math.min(48, this.size.width * 0.06);
		const k = Math.min(
			scaleFit,
			Math.max(scaleMin, (this.size.width - 2 * space) / (box.right - box.left)),
			Math.max(scaleMin, (this.size.height - 2 * space) / (box.bottom - box.top)),
		);
		const x = this.size.width / 2 - (k * (box.left + box.right)) / 2;
		const y = this.size.height / 2 - (k * (box.top + box.bottom)) / 2;
		this.moveTo(zoomIdentity.translate(x, y).scale(k), smooth);
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
		this.movedAt_ms = performance.now();
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
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		ctx.fillStyle = this.palette.background;
		ctx.fillRect(0, 0, this.size.width, this.size.height);
		this.drawEdges(ratio, look);
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		drawNodes(ctx, this.scene, { ...this.size, x: transform.x, y: transform.y }, look, this.palette);
		drawLabels(ctx, this.scene, { ...this.size, x: transform.x, y: transform.y }, look, this.palette);
		this.drawn++;
	}

	/** Few edges are simply drawn; of many, those under the pointer come on top of their picture. */
	private drawEdges(ratio: number, look: Look) {
		const { ctx, transform } = this;
		const toMap = () =>
			ctx.setTransform(ratio * transform.k, 0, 0, ratio * transform.k, ratio * transform.x, ratio * transform.y);
		if (this.scene.edges.length <= crowd) {
			toMap();
			drawEdges(ctx, this.scene, look, this.palette);
			return;
		}
		const moving = this.isMoving();
		this.layer.draw(ctx, transform, this.size, ratio, moving, (target, { k }) =>
			drawEdges(target, this.scene, { ...look, scale: k, hovered: '' }, this.palette),
		);
		const hovered = this.scene.edgeById.get(this.hovered);
		toMap();
		if (hovered) drawEdge(ctx, hovered, look, this.palette);
		if (moving && !this.layer.isSharp(transform)) this.settle();
	}

	private isMoving(): boolean {
		return performance.now() - this.movedAt_ms < rest_ms;
	}

	private settle() {
		clearTimeout(this.settling);
		this.settling = window.setTimeout(() => {
			this.adopt();
			this.redraw();
		}, rest_ms + 10);
	}

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
		return this.scene.nodes.map(({ id, node, middle }) => ({
			id,
			name: node.name,
			health: node.health,
			...this.onScreen(middle),
		}));
	}

	edges() {
		return [...this.scene.edgeById].map(([id, { edge, members, curve, broken, width }]) => ({
			id,
			client: edge.client,
			server: edge.server,
			port: members.find((member) => member.id === id)?.port ?? 0,
			health: members.find((member) => member.id === id)?.health ?? 'ok',
			lineHealth: edge.health,
			dashed: broken,
			width,
			...this.onScreen(at(curve, 0.5)),
		}));
	}

	frames(): number {
		return this.drawn;
	}
}

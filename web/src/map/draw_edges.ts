// SPDX-License-Identifier: Apache-2.0
// Edges: curves, arrow heads, and a sign in the middle of those that are not well.
//
// Colour, dash and sign each tell the health alone: solid is well, long dashes are degraded, short
// dashes never get through. What only carries others is a fine dotted line; a head that is hollow is
// provisional.
import * as geometry from './geometry';
import { healthIcon } from './icons';
import type { Palette } from './palette';
import type { Scene, SceneEdge } from './scene';
import type { Health } from '../net/types';

export interface Look {
	scale: number;
	selectedEdge: string;
	selectedNode: string;
	hovered: string;
	/** How much silent and healthy edges stand back, so that a crowd of them stays readable: 0 to 1. */
	crowded?: number;
}

/** From so many edges on a map is crowded, from so many on it is full. */
const crowdedFrom = 80;
const crowdedTo = 800;

export function dash(health: Health, broken: boolean): number[] {
	if (broken || health === 'failing') return [5, 5];
	return health === 'degraded' ? [14, 5] : [];
}

const dotted = [1.5, 3.5];

export function trace(target: CanvasRenderingContext2D | Path2D, curve: geometry.Curve) {
	const { from, bend, bend2, to } = curve;
	target.moveTo(from.x, from.y);
	if (bend2) target.bezierCurveTo(bend.x, bend.y, bend2.x, bend2.y, to.x, to.y);
	else target.quadraticCurveTo(bend.x, bend.y, to.x, to.y);
}

function head(ctx: CanvasRenderingContext2D, curve: geometry.Curve, size: number) {
	const angle = geometry.arrival(curve);
	const { x, y } = curve.to;
	ctx.moveTo(x, y);
	ctx.lineTo(x - size * Math.cos(angle - 0.42), y - size * Math.sin(angle - 0.42));
	ctx.lineTo(x - size * Math.cos(angle + 0.42), y - size * Math.sin(angle + 0.42));
	ctx.closePath();
}

/** What there is to say about a line. */
function drawNote(ctx: CanvasRenderingContext2D, edge: SceneEdge, look: Look, palette: Palette) {
	const { from, to } = edge.curve;
	const middle = geometry.at(edge.curve, 0.5);
	const text = edge.note;
	if (edge.client !== edge.server && Math.hypot(to.x - from.x, to.y - from.y) * look.scale < 110) return;
	ctx.save();
	const aside = edge.client === edge.server ? -16 : edge.health === 'ok' ? 0 : 18; // not below a card or a sign
	ctx.translate(middle.x, middle.y + aside / look.scale);
	ctx.scale(1 / look.scale, 1 / look.scale);
	ctx.globalAlpha = look.selectedEdge || look.selectedNode ? presence(edge, look) : 0.9; // words must be readable
	ctx.font = `10.5px ${palette.font}`;
	ctx.textAlign = 'center';
	ctx.textBaseline = 'middle';
	const width = ctx.measureText(text).width + 10;
	ctx.fillStyle = palette.background;
	ctx.fillRect(-width / 2, -8, width, 16);
	ctx.fillStyle = palette.dim;
	ctx.fillText(text, 0, 0);
	ctx.restore();
}

function touches(edge: SceneEdge, look: Look): boolean {
	const node = look.selectedNode;
	return edge.id === look.selectedEdge || (node !== '' && (edge.client.id === node || edge.server.id === node));
}

/** How much an edge stands back: those that flow stand before those that are silent. */
function presence(edge: SceneEdge, look: Look): number {
	if (edge.id === look.hovered || touches(edge, look)) return 1;
	if (look.selectedEdge || look.selectedNode) return edge.health === 'ok' ? 0.22 : 0.5;
	if (edge.health !== 'ok') return 1;
	return (edge.rate >= 1 ? 0.95 : 0.55) * (1 - 0.6 * (look.crowded ?? 0));
}

function colour(edge: SceneEdge, look: Look, palette: Palette): string {
	const marked = edge.id === look.selectedEdge || edge.id === look.hovered;
	return marked && edge.health === 'ok' ? palette.accent : palette.health[edge.health];
}

export function drawEdge(ctx: CanvasRenderingContext2D, edge: SceneEdge, look: Look, palette: Palette) {
	const pixel = 1 / look.scale;
	const marked = edge.id === look.selectedEdge || edge.id === look.hovered;
	// from far away, and among many, lines get finer
	const thin = Math.min(1, 0.45 + look.scale * 0.7) * (marked ? 1 : 1 - 0.4 * (look.crowded ?? 0));
	ctx.globalAlpha = presence(edge, look);
	ctx.strokeStyle = ctx.fillStyle = colour(edge, look, palette);
	ctx.lineWidth = (edge.width * thin + (marked ? 1 : 0)) * pixel;
	const dashes = edge.carrier && edge.health === 'ok' ? dotted : dash(edge.health, edge.broken);
	ctx.setLineDash(dashes.map((length) => length * pixel));
	ctx.beginPath();
	trace(ctx, edge.curve);
	ctx.stroke();
	if (look.scale < 0.28) return;
	ctx.beginPath();
	head(ctx, edge.curve, (5.5 + edge.width) * thin * pixel);
	if (!edge.provisional) return ctx.fill();
	ctx.setLineDash([]);
	ctx.lineWidth = 1.2 * pixel;
	ctx.fillStyle = palette.background;
	ctx.fill();
	ctx.stroke();
}

function drawSign(ctx: CanvasRenderingContext2D, edge: SceneEdge, look: Look, palette: Palette) {
	const middle = geometry.at(edge.curve, 0.5);
	const radius = look.scale < 0.5 ? 6 : 8;
	ctx.save();
	ctx.translate(middle.x, middle.y);
	ctx.scale(1 / look.scale, 1 / look.scale);
	ctx.globalAlpha = presence(edge, look);
	ctx.fillStyle = palette.background;
	ctx.strokeStyle = palette.health[edge.health];
	ctx.setLineDash([]);
	ctx.lineWidth = 1.5;
	ctx.beginPath();
	ctx.arc(0, 0, radius, 0, 2 * Math.PI);
	ctx.fill();
	ctx.stroke();
	ctx.scale(radius / 10, radius / 10);
	ctx.translate(-8, -8);
	ctx.lineWidth = 2.2;
	ctx.stroke(signs[edge.health]);
	ctx.restore();
}

const signs: Record<Health, Path2D> = {
	ok: new Path2D(healthIcon.ok),
	degraded: new Path2D(healthIcon.degraded),
	failing: new Path2D(healthIcon.failing),
};

const level: Record<Health, number> = { ok: 0, degraded: 1, failing: 2 };

/** What matters comes last, on top. */
function order(edge: SceneEdge, look: Look): number {
	return level[edge.health] + (touches(edge, look) ? 4 : 0) + (edge.id === look.hovered ? 8 : 0);
}

/** A piece is one line, or one sign. */
export function* drawEdges(ctx: CanvasRenderingContext2D, scene: Scene, look: Look, palette: Palette): Generator<void> {
	const crowded = (scene.edges.length - crowdedFrom) / (crowdedTo - crowdedFrom);
	look = { ...look, crowded: Math.min(1, Math.max(0, crowded)) };
	const edges = [...scene.edges].sort((a, b) => order(a, look) - order(b, look));
	ctx.lineCap = 'butt';
	for (const edge of edges) {
		drawEdge(ctx, edge, look, palette);
		yield;
	}
	ctx.lineCap = ctx.lineJoin = 'round';
	for (const edge of edges) {
		const isWorthWords = edge.members.length > 1 || !look.crowded || touches(edge, look);
		if (edge.note && isWorthWords && look.scale > 0.4) drawNote(ctx, edge, look, palette);
		if (edge.health === 'ok') continue;
		drawSign(ctx, edge, look, palette);
		yield;
	}
	ctx.setLineDash([]);
	ctx.globalAlpha = 1;
}

// SPDX-License-Identifier: Apache-2.0
// Nodes: a card with an icon for the kind, the name, and a sign if something is wrong. From far away
// the card keeps its place and its name stays readable: text never gets smaller than 10 pixels.
import { healthIcon, kindIcon } from './icons';
import { textFrom } from './draw_labels';
import { endsInNumber, fit, fitEnds, isolate } from '../model/names';
import type { Look } from './draw_edges';
import type { Palette } from './palette';
import type { Scene, SceneNode } from './scene';
import type { Health } from '../net/types';

const icons = new Map<string, Path2D>();

function icon(path: string): Path2D {
	let found = icons.get(path);
	if (!found) icons.set(path, (found = new Path2D(path)));
	return found;
}

// Measuring text is what costs; names and widths repeat in each frame.
const fitted = new Map<string, string>();
const fittedMax = 8000;

function fitText(ctx: CanvasRenderingContext2D, text: string, width: number): string {
	const key = `${ctx.font}\n${Math.round(width)}\n${text}`;
	let found = fitted.get(key);
	if (found === undefined) {
		if (fitted.size >= fittedMax) fitted.clear();
		const cut = endsInNumber(text) ? fitEnds : fit;
		found = cut(text, Math.round(width), (part) => ctx.measureText(part).width);
		fitted.set(key, found);
	}
	return found;
}

function drawIcon(ctx: CanvasRenderingContext2D, path: string, x: number, y: number, size: number) {
	ctx.save();
	ctx.translate(x, y);
	ctx.scale(size / 16, size / 16);
	ctx.stroke(icon(path));
	ctx.restore();
}

function drawBadge(ctx: CanvasRenderingContext2D, health: Health, x: number, y: number, palette: Palette) {
	ctx.fillStyle = palette.health[health];
	ctx.beginPath();
	ctx.arc(x, y, 7, 0, 2 * Math.PI);
	ctx.fill();
	ctx.strokeStyle = palette.card;
	ctx.lineWidth = 2.2;
	drawIcon(ctx, healthIcon[health], x - 5, y - 5, 10);
}

/** All in pixels from here: the card's box on the screen. */
interface Box {
	x: number;
	y: number;
	width: number;
	height: number;
	zoom: number;
}

function drawNear(ctx: CanvasRenderingContext2D, node: SceneNode, box: Box, palette: Palette) {
	const zoom = box.zoom;
	const left = box.x + 34 * zoom;
	const room = box.width - 40 * zoom;
	ctx.strokeStyle = palette.dim;
	ctx.lineWidth = 1.25;
	drawIcon(ctx, kindIcon(node.node.kind), box.x + 10 * zoom, box.y + box.height / 2 - 8 * zoom, 16 * zoom);
	ctx.fillStyle = palette.text;
	ctx.font = `600 ${Math.max(10, 12.5 * zoom).toFixed(1)}px ${palette.font}`;
	ctx.fillText(isolate(fitText(ctx, node.name, room)), left, box.y + box.height * 0.37);
	ctx.fillStyle = palette.dim;
	ctx.font = `${Math.max(10, 11 * zoom).toFixed(1)}px ${palette.font}`;
	ctx.fillText(isolate(fitText(ctx, node.detail, room)), left, box.y + box.height * 0.7);
}

/** The icon goes before the name is cut, and letters get smaller before that. */
function drawFar(ctx: CanvasRenderingContext2D, node: SceneNode, box: Box, palette: Palette) {
	if (box.width < textFrom) return;
	const large = `500 ${box.height > 18 ? 11.5 : 10}px ${palette.font}`;
	const icon = 13;
	ctx.font = large;
	const isWhole = (room: number) => fitText(ctx, node.name, room) === node.name;
	const withIcon = box.width > 80 && isWhole(box.width - icon - 12);
	if (withIcon) {
		ctx.strokeStyle = palette.dim;
		ctx.lineWidth = 1.3;
		drawIcon(ctx, kindIcon(node.node.kind), box.x + 5, box.y + box.height / 2 - icon / 2, icon);
	} else if (!isWhole(box.width - 8)) {
		ctx.font = `500 10px ${palette.font}`;
	}
	const text = fitText(ctx, node.name, box.width - (withIcon ? icon + 12 : 7));
	ctx.fillStyle = palette.text;
	ctx.textAlign = withIcon ? 'left' : 'center';
	ctx.fillText(isolate(text), box.x + (withIcon ? icon + 9 : box.width / 2), box.y + box.height / 2 + 0.5);
	ctx.textAlign = 'left';
}

/** The chosen and whom they talk to; null: nothing is chosen. */
export function neighbours(scene: Scene, look: Look): Set<string> | null {
	if (!look.selectedNode && !look.selectedEdge) return null;
	const near = new Set([look.selectedNode]);
	for (const edge of scene.edges)
		if (edge.id === look.selectedEdge || edge.client.id === look.selectedNode || edge.server.id === look.selectedNode)
			near.add(edge.client.id).add(edge.server.id);
	return near;
}

function drawCard(ctx: CanvasRenderingContext2D, node: SceneNode, box: Box, look: Look, palette: Palette) {
	const marked = node.id === look.selectedNode || node.id === look.hovered;
	const health = node.node.health;
	ctx.fillStyle = palette.card;
	ctx.strokeStyle = marked ? palette.accent : health === 'ok' ? palette.line : palette.health[health];
	ctx.lineWidth = node.id === look.selectedNode ? 2 : marked || health !== 'ok' ? 1.5 : 1;
	ctx.beginPath();
	ctx.roundRect(box.x, box.y, box.width, box.height, Math.min(8, box.height / 5));
	ctx.fill();
	ctx.stroke();
	if (box.height >= 31) drawNear(ctx, node, box, palette);
	else drawFar(ctx, node, box, palette);
	if (health !== 'ok' && box.height >= 12) drawBadge(ctx, health, box.x + box.width - 2, box.y + 2, palette);
}

export interface Screen {
	width: number;
	height: number;
	x: number; // where the map's origin is
	y: number;
}

/** A piece is one card; `only`: these and no others. */
export function* drawNodes(
	ctx: CanvasRenderingContext2D,
	scene: Scene,
	screen: Screen,
	look: Look,
	palette: Palette,
	only: SceneNode[] = scene.nodes,
): Generator<void> {
	const near = neighbours(scene, look);
	const zoom = look.scale;
	const width = scene.grid.card.width * zoom;
	const height = scene.grid.card.height * zoom;
	ctx.textBaseline = 'middle';
	ctx.textAlign = 'left';
	ctx.direction = 'ltr';
	ctx.lineCap = ctx.lineJoin = 'round';
	for (const node of only) {
		const x = screen.x + node.middle.x * zoom - width / 2;
		const y = screen.y + node.middle.y * zoom - height / 2;
		if (x > screen.width || y > screen.height || x + width < 0 || y + height < 0) continue;
		ctx.globalAlpha = !near || near.has(node.id) || node.id === look.hovered ? 1 : 0.45;
		drawCard(ctx, node, { x, y, width, height, zoom }, look, palette);
		yield;
	}
	ctx.globalAlpha = 1;
}

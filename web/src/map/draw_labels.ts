// SPDX-License-Identifier: Apache-2.0
// From far away cards are too small for text. Then the names of those that matter stand beside them,
// in a size that can be read, as many as find room without hiding a card: what is wrong first, then
// who moves the most.
import { fit, isolate } from '../model/names';
import { neighbours, type Screen } from './draw_nodes';
import type { Look } from './draw_edges';
import type { Palette } from './palette';
import type { Scene, SceneNode } from './scene';
import type { Health } from '../net/types';

/** Cards narrower than this have no text inside. */
export const textFrom = 44;

const labelsMax = 150;
const widthMax = 130;
const height = 14;
const level: Record<Health, number> = { ok: 0, degraded: 1, failing: 2 };

interface Box {
	x: number;
	y: number;
	width: number;
}

function byImportance(scene: Scene, look: Look): SceneNode[] {
	const rank = (node: SceneNode) => (node.id === look.selectedNode ? 9 : level[node.node.health]);
	return [...scene.nodes].sort((a, b) => rank(b) - rank(a) || b.rate - a.rate || b.lines - a.lines || (a.id < b.id ? -1 : 1));
}

function overlaps(a: Box, b: Box): boolean {
	return a.x < b.x + b.width && b.x < a.x + a.width && Math.abs(a.y - b.y) < height;
}

function onScreen(box: Box, screen: Screen): boolean {
	return box.x >= 0 && box.y >= 0 && box.x + box.width <= screen.width && box.y + height <= screen.height;
}

function drawLabel(ctx: CanvasRenderingContext2D, text: string, box: Box, palette: Palette) {
	ctx.lineWidth = 3;
	ctx.strokeStyle = palette.background;
	ctx.strokeText(isolate(text), box.x + 3, box.y + height / 2);
	ctx.fillStyle = palette.text;
	ctx.fillText(isolate(text), box.x + 3, box.y + height / 2);
}

/** Whether a label would lie on a card; rows that are far enough apart leave room for it. */
function hidesCard(scene: Scene, screen: Screen, scale: number, own: SceneNode, box: Box): boolean {
	const { card, pitch } = scene.grid;
	if ((pitch.height - card.height) * scale >= height) return false;
	const halfWidth = (card.width * scale) / 2;
	const halfHeight = (card.height * scale) / 2;
	return scene.nodes.some((node) => {
		const x = screen.x + node.middle.x * scale;
		const y = screen.y + node.middle.y * scale;
		if (node === own || x + halfWidth < box.x || x - halfWidth > box.x + box.width) return false;
		return y + halfHeight > box.y && y - halfHeight < box.y + height;
	});
}

/** A piece is one name. */
export function* drawLabels(ctx: CanvasRenderingContext2D, scene: Scene, screen: Screen, look: Look, palette: Palette): Generator<void> {
	const { card } = scene.grid;
	if (card.width * look.scale >= textFrom) return;
	const near = neighbours(scene, look);
	const taken: Box[] = [];
	ctx.font = `500 11px ${palette.font}`;
	for (const node of byImportance(scene, look)) {
		if (taken.length >= labelsMax) return;
		if (near && !near.has(node.id)) continue;
		const text = fit(node.name, widthMax, (part) => ctx.measureText(part).width);
		const width = ctx.measureText(text).width + 6;
		const x = screen.x + node.middle.x * look.scale - width / 2;
		const y = screen.y + node.middle.y * look.scale + (card.height * look.scale) / 2 + 1;
		const box = { x, y, width };
		if (!onScreen(box, screen) || taken.some((other) => overlaps(box, other))) continue;
		const must = node.id === look.selectedNode || node.node.health !== 'ok';
		if (!must && hidesCard(scene, screen, look.scale, node, box)) continue;
		taken.push(box);
		drawLabel(ctx, text, box, palette);
		yield;
	}
}

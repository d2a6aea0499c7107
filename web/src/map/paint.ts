// SPDX-License-Identifier: Apache-2.0
// All that the map shows, from the ground up, a piece at a time.
import { drawEdges, type Look } from './draw_edges';
import { drawLabels } from './draw_labels';
import { drawNodes, type Screen } from './draw_nodes';
import type { Palette } from './palette';
import type { Scene } from './scene';

/** What is drawn into: its size and the map's origin in pixels of the page, and how large all is. */
export interface View extends Screen {
	scale: number;
	/** Pixels of the canvas for one of the page. */
	ratio: number;
}

export function clear(ctx: CanvasRenderingContext2D, ratio: number, palette: Palette) {
	ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
	ctx.globalAlpha = 1;
	ctx.fillStyle = palette.background;
	ctx.fillRect(0, 0, ctx.canvas.width / ratio, ctx.canvas.height / ratio);
}

export function* paint(ctx: CanvasRenderingContext2D, scene: Scene, view: View, look: Look, palette: Palette): Generator<void> {
	const { ratio, scale, x, y } = view;
	const here = { ...look, scale };
	clear(ctx, ratio, palette);
	ctx.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
	yield* drawEdges(ctx, scene, here, palette);
	ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
	yield* drawNodes(ctx, scene, view, here, palette);
	yield* drawLabels(ctx, scene, view, here, palette);
}

// SPDX-License-Identifier: Apache-2.0
// A picture of the edges, a little larger than the screen. Curves are what costs to draw, so while a
// crowded map is moved the picture moves, and the curves are drawn anew when it rests, or when the
// picture has moved too far to be of use.
import { ZoomTransform } from 'd3-zoom';

export interface Size {
	width: number;
	height: number;
}

export interface Paint {
	/** Into the map's own units; the target is set up for them. */
	(ctx: CanvasRenderingContext2D, transform: ZoomTransform): void;
}

const margin = 0.25; // of the screen, on each side
const stretchMax = 2;
const pause_ms = 700; // between two pictures while it moves

export class EdgeLayer {
	private readonly canvas = document.createElement('canvas');
	private taken: ZoomTransform | null = null;
	private takenAt_ms = 0;
	private size: Size = { width: 0, height: 0 };
	private ratio = 1;

	/** What it shows has changed. */
	discard() {
		this.taken = null;
	}

	/** Whether what was drawn is what a picture taken now would show. */
	isSharp(transform: ZoomTransform): boolean {
		const at = this.taken;
		return at !== null && at.k === transform.k && this.covers(transform);
	}

	draw(ctx: CanvasRenderingContext2D, transform: ZoomTransform, size: Size, ratio: number, moving: boolean, paint: Paint) {
		if (size.width !== this.size.width || size.height !== this.size.height || ratio !== this.ratio) {
			this.size = size;
			this.ratio = ratio;
			this.taken = null;
		}
		if (this.mustTake(transform, moving)) this.take(transform, paint, ctx);
		this.blit(ctx, transform);
	}

	private mustTake(transform: ZoomTransform, moving: boolean): boolean {
		if (!this.taken) return true;
		if (this.isSharp(transform)) return false;
		if (!moving) return true;
		const stretch = transform.k / this.taken.k;
		const useful = this.covers(transform) && stretch < stretchMax && stretch > 1 / stretchMax;
		return !useful && performance.now() - this.takenAt_ms > pause_ms;
	}

	/** Whether the picture reaches to all four sides of the screen. */
	private covers(transform: ZoomTransform): boolean {
		const at = this.taken;
		if (!at) return false;
		const s = transform.k / at.k;
		const { width, height } = this.size;
		const left = transform.x - s * (at.x + width * margin);
		const top = transform.y - s * (at.y + height * margin);
		const slack = 1;
		return (
			left <= slack &&
			top <= slack &&
			left + s * width * (1 + 2 * margin) >= width - slack &&
			top + s * height * (1 + 2 * margin) >= height - slack
		);
	}

	private take(transform: ZoomTransform, paint: Paint, screen: CanvasRenderingContext2D) {
		const { width, height } = this.size;
		this.canvas.width = Math.round(width * (1 + 2 * margin) * this.ratio);
		this.canvas.height = Math.round(height * (1 + 2 * margin) * this.ratio);
		const ctx = this.canvas.getContext('2d', { alpha: false });
		if (!ctx) return;
		ctx.fillStyle = screen.fillStyle;
		ctx.fillRect(0, 0, this.canvas.width, this.canvas.height);
		const k = this.ratio * transform.k;
		const x = this.ratio * (transform.x + width * margin);
		const y = this.ratio * (transform.y + height * margin);
		ctx.setTransform(k, 0, 0, k, x, y);
		paint(ctx, transform);
		this.taken = transform;
		this.takenAt_ms = performance.now();
	}

	private blit(ctx: CanvasRenderingContext2D, transform: ZoomTransform) {
		const at = this.taken;
		if (!at) return;
		const s = transform.k / at.k;
		const { width, height } = this.size;
		const pixel = (value: number) => (s === 1 ? Math.round(value * this.ratio) / this.ratio : value);
		ctx.drawImage(
			this.canvas,
			pixel(transform.x - s * (at.x + width * margin)),
			pixel(transform.y - s * (at.y + height * margin)),
			(this.canvas.width / this.ratio) * s,
			(this.canvas.height / this.ratio) * s,
		);
	}
}

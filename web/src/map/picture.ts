// SPDX-License-Identifier: Apache-2.0
// A picture of all that a crowded map shows, a little larger than the screen. Curves and text are what
// costs to draw, so while the map is moved this picture moves, scaled and shifted. A new one is drawn
// behind it, a few pieces a frame, and takes its place when it is whole: no frame waits for all of it.
import type { ZoomTransform } from 'd3-zoom';
import type { Size } from './grid';
import type { View } from './paint';

/** Draws one piece after the other. */
export type Paint = (ctx: CanvasRenderingContext2D, view: View) => Generator<void>;

const margin = 0.25; // of the screen, on each side
const stretchMax = 2;
const pause_ms = 250; // between two pictures while it moves
const pieces = { first: 60, least: 16, most: 160 }; // a frame
const restFrames = 4; // so many frames does a picture take when nothing moves
const slow_ms = 22; // frames that follow each other later than this are slow

interface Shot {
	canvas: HTMLCanvasElement;
	transform: ZoomTransform;
	size: Size;
	ratio: number;
}

export class Picture {
	private front: Shot | null = null;
	private back: Shot | null = null;
	private work: Generator<void> | null = null;
	private stale = true;
	private spare: HTMLCanvasElement | null = null;
	private finishedAt_ms = -Infinity;
	private frameAt_ms = -Infinity;
	private batch = pieces.first;
	private lastCount = 0; // pieces of the last picture
	private count = 0; // of the one at hand

	/** What it shows has changed; it stays until the next one is whole. */
	discard() {
		this.stale = true;
		this.stop();
	}

	/** The map is another one: nothing of the picture is of use. */
	forget() {
		this.discard();
		this.front = null;
	}

	/** Whether it is what a picture taken now would show. */
	isSharp(transform: ZoomTransform): boolean {
		return !this.stale && this.front?.transform.k === transform.k && this.covers(transform);
	}

	/** Once a frame. True: there is more to do in the next one. */
	advance(transform: ZoomTransform, size: Size, ratio: number, moving: boolean, paint: Paint): boolean {
		this.pace(moving);
		const front = this.front;
		if (front && (front.size.width !== size.width || front.size.height !== size.height || front.ratio !== ratio)) this.stale = true;
		if (this.work && !moving && this.back?.transform.toString() !== transform.toString()) this.stop();
		if (!this.work && this.mustTake(transform, moving)) this.start(transform, size, ratio, paint);
		if (this.work) this.draw(front ? (moving ? this.batch : Math.max(this.batch, this.lastCount / restFrames)) : Infinity);
		return this.work !== null;
	}

	/** As much a frame as keeps frames coming: what a piece costs differs a hundredfold between machines. */
	private pace(moving: boolean) {
		const now = performance.now();
		const gap_ms = now - this.frameAt_ms;
		this.frameAt_ms = now;
		if (!moving || !this.work) return;
		const next = gap_ms > slow_ms ? this.batch / 2 : this.batch * 1.2;
		this.batch = Math.min(pieces.most, Math.max(pieces.least, next));
	}

	private mustTake(transform: ZoomTransform, moving: boolean): boolean {
		const front = this.front;
		if (!front) return true;
		if (this.isSharp(transform)) return false;
		if (!moving) return true;
		const stretch = transform.k / front.transform.k;
		const useful = this.covers(transform) && stretch < stretchMax && stretch > 1 / stretchMax;
		return !useful && performance.now() - this.finishedAt_ms > pause_ms;
	}

	/** Whether the picture reaches to all four sides of the screen. */
	private covers(transform: ZoomTransform): boolean {
		if (!this.front) return false;
		const { left, top, width, height, size } = this.place(this.front, transform);
		const slack = 1;
		return left <= slack && top <= slack && left + width >= size.width - slack && top + height >= size.height - slack;
	}

	private place({ transform: at, size }: Shot, transform: ZoomTransform) {
		const scale = transform.k / at.k;
		return {
			left: transform.x - scale * (at.x + size.width * margin),
			top: transform.y - scale * (at.y + size.height * margin),
			width: scale * size.width * (1 + 2 * margin),
			height: scale * size.height * (1 + 2 * margin),
			scale,
			size,
		};
	}

	private start(transform: ZoomTransform, size: Size, ratio: number, paint: Paint) {
		const canvas = this.spare ?? document.createElement('canvas');
		this.spare = null;
		const whole = { width: size.width * (1 + 2 * margin), height: size.height * (1 + 2 * margin) };
		canvas.width = Math.round(whole.width * ratio);
		canvas.height = Math.round(whole.height * ratio);
		const ctx = canvas.getContext('2d', { alpha: false });
		if (!ctx) return;
		this.back = { canvas, transform, size, ratio };
		this.stale = false;
		this.count = 0;
		const corner = { x: transform.x + size.width * margin, y: transform.y + size.height * margin };
		this.work = paint(ctx, { ...whole, ...corner, scale: transform.k, ratio });
	}

	private stop() {
		if (!this.work) return;
		this.work = null;
		this.spare = this.back?.canvas ?? null;
		this.back = null;
		this.stale = true;
	}

	private draw(most: number) {
		for (let i = 0; i < most; i++) {
			if (this.work?.next().done) return this.finish();
			this.count++;
		}
	}

	private finish() {
		this.work = null;
		this.spare = this.front?.canvas ?? null;
		this.front = this.back;
		this.back = null;
		this.lastCount = this.count;
		this.finishedAt_ms = performance.now();
	}

	blit(ctx: CanvasRenderingContext2D, transform: ZoomTransform) {
		if (!this.front) return;
		const { canvas, ratio } = this.front;
		const { left, top, width, height, scale } = this.place(this.front, transform);
		const pixel = (value: number) => (scale === 1 ? Math.round(value * ratio) / ratio : value);
		ctx.drawImage(canvas, pixel(left), pixel(top), width, height);
	}
}

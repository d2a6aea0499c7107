// SPDX-License-Identifier: Apache-2.0
// Where cards and edges lie, in the map's own units. Pure arithmetic.
//
// A place of the server is one cell; a card fills most of it. An edge is one quadratic curve, bent
// to its own left: so both directions between two cards lie apart, and so do several ports. Where
// cards stand in between it takes the bend that passes behind the fewest.
import type { Size } from './grid';
import type { Position } from '../net/types';

export interface Curve {
	from: Position;
	bend: Position;
	to: Position;
	/** Second half of a self loop: a cubic needs two bends. */
	bend2?: Position;
}

/** Where the line from the middle of a card towards `to` leaves the card, and a little further. */
export function border(middle: Position, to: Position, gap: number, card: Size): Position {
	const dx = to.x - middle.x;
	const dy = to.y - middle.y;
	const length = Math.hypot(dx, dy);
	if (length < 1e-6) return middle;
	const across = Math.abs(dx) < 1e-6 ? Infinity : card.width / 2 / Math.abs(dx);
	const down = Math.abs(dy) < 1e-6 ? Infinity : card.height / 2 / Math.abs(dy);
	const share = Math.min(Math.min(across, down) + gap / length, 0.98);
	return { x: middle.x + dx * share, y: middle.y + dy * share };
}

/** The loop of a card that talks to itself; rank: how many it has already. */
export function loop(middle: Position, rank: number, card: Size): Curve {
	const x = middle.x + card.width / 2;
	const y = middle.y - card.height / 2;
	const out = 26 + rank * 12;
	return {
		from: { x: x - 34 - rank * 8, y },
		bend: { x: x - 34 - rank * 8, y: y - out },
		bend2: { x: x + out + 6, y: y + 14 + rank * 6 },
		to: { x: x + 3, y: y + 14 + rank * 6 },
	};
}

/** Tells whether a card other than these two covers a point. */
export type Covered = (point: Position) => boolean;

// The usual bend first, then nearly none, then wider ones to both sides.
const bends = [1, 0.3, -0.3, -1, 1.7, -1.7];
const air = 12;

/** Usual ones, and those that pass beside a card in the middle. */
function depths(usual: number, card: Size, across: Position): number[] {
	const around = Math.abs(across.x) * card.width + Math.abs(across.y) * card.height + 2 * air;
	return [...bends.map((factor) => factor * usual), around, -around, 1.3 * around, -1.3 * around];
}
const probes = 32;

function hits(curve: Curve, covered: Covered): number {
	let count = 0;
	for (let i = 1; i < probes; i++) if (covered(at(curve, i / probes))) count++;
	return count;
}

/** rank: how many edges of the same direction lie between the two already. */
export function between(a: Position, b: Position, rank: number, card: Size, covered: Covered = () => false): Curve {
	const dx = b.x - a.x;
	const dy = b.y - a.y;
	const length = Math.max(Math.hypot(dx, dy), 1);
	const usual = Math.min(10 + length * 0.1, 56);
	let best: Curve | null = null;
	let fewest = Infinity;
	const across = { x: dy / length, y: -dx / length };
	for (const size of depths(usual, card, across)) {
		const depth = size + Math.sign(size) * rank * 22;
		const bend = { x: (a.x + b.x) / 2 + across.x * depth, y: (a.y + b.y) / 2 + across.y * depth };
		const curve = { from: border(a, bend, 1, card), bend, to: border(b, bend, 3, card) };
		const count = hits(curve, covered);
		if (count < fewest) [best, fewest] = [curve, count];
		if (count === 0) break;
	}
	return best ?? { from: a, bend: a, to: b };
}

export function at(curve: Curve, t: number): Position {
	const u = 1 - t;
	const { from, bend, bend2, to } = curve;
	if (!bend2)
		return {
			x: u * u * from.x + 2 * u * t * bend.x + t * t * to.x,
			y: u * u * from.y + 2 * u * t * bend.y + t * t * to.y,
		};
	return {
		x: u ** 3 * from.x + 3 * u * u * t * bend.x + 3 * u * t * t * bend2.x + t ** 3 * to.x,
		y: u ** 3 * from.y + 3 * u * u * t * bend.y + 3 * u * t * t * bend2.y + t ** 3 * to.y,
	};
}

/** The direction in which the curve arrives, as an angle. */
export function arrival(curve: Curve): number {
	const last = curve.bend2 ?? curve.bend;
	return Math.atan2(curve.to.y - last.y, curve.to.x - last.x);
}

const samples = 16;

/** How far a point is from the curve, at most a little wrong. */
export function distance(curve: Curve, point: Position): number {
	let nearest = Infinity;
	let previous = at(curve, 0);
	for (let i = 1; i <= samples; i++) {
		const next = at(curve, i / samples);
		nearest = Math.min(nearest, toSegment(point, previous, next));
		previous = next;
	}
	return nearest;
}

function toSegment(p: Position, a: Position, b: Position): number {
	const dx = b.x - a.x;
	const dy = b.y - a.y;
	const square = dx * dx + dy * dy;
	const t = square > 0 ? Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / square)) : 0;
	return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/** Width in pixels by what flows: 1 for nothing, then one step for each factor of ten over 1 KB/s. */
export function width(bytes_per_s: number): number {
	if (bytes_per_s < 1) return 1.25;
	return Math.min(1.5 + Math.max(0, Math.log10(bytes_per_s) - 2.5) * 0.8, 6);
}

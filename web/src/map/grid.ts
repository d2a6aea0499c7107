// SPDX-License-Identifier: Apache-2.0
// How large a cell of the server's map is on this screen: cards as wide as their names want, rows and
// columns apart so that the view is filled; on a screen that is higher than the map is, what flows
// from left to right flows downwards. Pure arithmetic; cells stay the server's.
import type { Position } from '../net/types';

export interface Size {
	width: number;
	height: number;
}

/** All in the map's own units. */
export interface Grid {
	pitch: Size;
	card: Size;
	/** Columns are rows and rows are columns. */
	turned: boolean;
}

const cardHeight = 42;
const besideName = 44; // icon and margins
const cardWidth = { min: 150, max: 240 };
const gaps = { flow: 46, beside: 28, rows: 28, levels: 40 };
const stretchMax = { across: 1.25, down: 2.4 }; // of the least distance
const turnFrom = 1.6; // so much larger all must become for the map to turn
export const scaleFit = 1.15; // a few nodes are not blown up further than this

export const plain: Grid = { pitch: { width: 204, height: 70 }, card: { width: 156, height: cardHeight }, turned: false };

export function middleOf(place: Position, { pitch, turned }: Grid): Position {
	const { x, y } = turned ? { x: place.y, y: place.x } : place;
	return { x: x * pitch.width, y: y * pitch.height };
}

interface Try {
	grid: Grid;
	scale: number;
}

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** So far apart that `count` of them fill the room at this scale. */
function spread(room: number, scale: number, count: number, card: number, least: number, most: number): number {
	return count < 2 ? least : clamp((room / scale - card) / (count - 1), least, least * most);
}

function attempt(columns: number, rows: number, card: Size, room: Size, turned: boolean): Try {
	const least = { width: card.width + (turned ? gaps.beside : gaps.flow), height: card.height + (turned ? gaps.levels : gaps.rows) };
	const wide = (columns - 1) * least.width + card.width;
	const high = (rows - 1) * least.height + card.height;
	const scale = Math.min(scaleFit, room.width / wide, room.height / high);
	const pitch = {
		width: spread(room.width, scale, columns, card.width, least.width, stretchMax.across),
		height: spread(room.height, scale, rows, card.height, least.height, stretchMax.down),
	};
	return { grid: { pitch, card, turned }, scale };
}

/** cells: columns and rows of the server's map; name: of the widest name, in the map's units. */
export function gridFor(cells: Size, room: Size, name: number, turnedBefore: boolean): Grid {
	const card = { width: clamp(Math.ceil(name) + besideName, cardWidth.min, cardWidth.max), height: cardHeight };
	const level = attempt(cells.width, cells.height, card, room, false);
	const turned = attempt(cells.height, cells.width, card, room, true);
	const gain = turned.scale / level.scale;
	return (turnedBefore ? gain > 1 / turnFrom : gain > turnFrom) ? turned.grid : level.grid;
}

export function sameGrid(a: Grid, b: Grid): boolean {
	const near = (x: Size, y: Size) => Math.abs(x.width - y.width) < 0.5 && Math.abs(x.height - y.height) < 0.5;
	return a.turned === b.turned && near(a.pitch, b.pitch) && near(a.card, b.card);
}

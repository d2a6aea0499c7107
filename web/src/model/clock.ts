// SPDX-License-Identifier: Apache-2.0
// Times of day as people read and type them, in this browser's time zone or in UTC.
import { parseSpan, type Range } from './time';

let inUtc = false;

export function isUtc(): boolean {
	return inUtc;
}

export function setUtc(on: boolean) {
	inUtc = on;
}

interface Parts {
	year: number;
	month: number; // from 0
	day: number;
	hour: number;
	minute: number;
	second: number;
}

function partsOf(unix_s: number): Parts {
	const date = new Date(unix_s * 1000);
	if (inUtc)
		return {
			year: date.getUTCFullYear(),
			month: date.getUTCMonth(),
			day: date.getUTCDate(),
			hour: date.getUTCHours(),
			minute: date.getUTCMinutes(),
			second: date.getUTCSeconds(),
		};
	return {
		year: date.getFullYear(),
		month: date.getMonth(),
		day: date.getDate(),
		hour: date.getHours(),
		minute: date.getMinutes(),
		second: date.getSeconds(),
	};
}

/** Days and hours may be out of bounds, as for Date. */
function unixOf({ year, month, day, hour, minute, second }: Parts): number {
	const date = inUtc ? Date.UTC(year, month, day, hour, minute, second) : new Date(year, month, day, hour, minute, second).getTime();
	return date / 1000;
}

const two = (value: number) => String(value).padStart(2, '0');
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 12:03:05 */
export function clock(unix_s: number): string {
	const { hour, minute, second } = partsOf(unix_s);
	return `${two(hour)}:${two(minute)}:${two(second)}`;
}

/** 12:03 */
export function hourAndMinute(unix_s: number): string {
	return clock(unix_s).slice(0, 5);
}

/** 29 Nov */
export function day(unix_s: number): string {
	const parts = partsOf(unix_s);
	return `${parts.day} ${months[parts.month]}`;
}

function isSameDay(a: number, b: number): boolean {
	const [x, y] = [partsOf(a), partsOf(b)];
	return x.year === y.year && x.month === y.month && x.day === y.day;
}

function dated(unix_s: number, now: number): string {
	if (isSameDay(unix_s, now)) return '';
	const { year } = partsOf(unix_s);
	return year === partsOf(now).year ? `${day(unix_s)}, ` : `${day(unix_s)} ${year}, `;
}

/** 12:03:05, and the day where it is not today. */
export function moment(unix_s: number, now: number): string {
	return dated(unix_s, now) + clock(unix_s);
}

/** 28 Nov, 12:03 – 13:03: no more than tells it apart. */
export function rangeText({ from, to }: Range, now: number): string {
	const whole = [from, to].every((end) => partsOf(end).second === 0);
	const shown = whole ? hourAndMinute : clock;
	const end = isSameDay(from, to) ? '' : dated(to, now);
	return `${dated(from, now)}${shown(from)} – ${end}${shown(to)}`;
}

/** UTC+5:30 at that time: it changes over the year. */
export function zone(unix_s: number): string {
	const minutes = inUtc ? 0 : -new Date(unix_s * 1000).getTimezoneOffset();
	if (minutes === 0) return 'UTC';
	const size = Math.abs(minutes);
	return `UTC${minutes > 0 ? '+' : '−'}${Math.floor(size / 60)}${size % 60 ? `:${two(size % 60)}` : ''}`;
}

/** Europe/Berlin, as the browser calls it. */
export function zoneName(): string {
	return inUtc ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone || 'local time';
}

/** As it is typed: for the fields of a form. */
export function typed(unix_s: number): string {
	const { year, month, day: ofMonth } = partsOf(unix_s);
	return `${year}-${two(month + 1)}-${two(ofMonth)} ${clock(unix_s)}`;
}

/** 12:03 is the last time that the clock showed it. */
function timeOfDay(text: string, now: number): number | null {
	const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
	if (!match) return null;
	const [hour, minute, second] = [match[1], match[2], match[3] ?? 0].map(Number) as [number, number, number];
	if (hour > 23 || minute > 59 || second > 59) return null;
	const today = { ...partsOf(now), hour, minute, second };
	const at = unixOf(today);
	return at <= now ? at : unixOf({ ...today, day: today.day - 1 });
}

function dateAndTime(text: string): number | null {
	const match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(Z)?$/i.exec(text);
	if (!match) return null;
	const [year, month, ofMonth, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
	if (month < 1 || month > 12 || ofMonth < 1 || ofMonth > 31 || hour > 23 || minute > 59 || second > 59) return null;
	if (match[7]) return Date.UTC(year, month - 1, ofMonth, hour, minute, second) / 1000;
	return unixOf({ year, month: month - 1, day: ofMonth, hour, minute, second });
}

/** now, -2h, 12:03, 12:03:05, 2026-11-29 12:03, unix seconds; null: none of them. */
export function parseMoment(text: string, now: number): number | null {
	const trimmed = text.trim();
	if (/^now$/i.test(trimmed)) return now;
	if (/^\d{9,11}(\.\d+)?$/.test(trimmed)) return Number(trimmed);
	const ago = /^[-−]/.test(trimmed) ? parseSpan(trimmed.replace('−', '-')) : null;
	if (ago !== null) return now - ago;
	return timeOfDay(trimmed, now) ?? dateAndTime(trimmed);
}

const steps_s = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

export interface Mark {
	at: number;
	text: string;
}

/** At most so many round times inside, in this zone; midnight is told by its day. */
export function marks({ from, to }: Range, most: number): Mark[] {
	const step = steps_s.find((candidate) => (to - from) / candidate <= most) ?? (to - from) / most;
	const begin = partsOf(from);
	const midnight = unixOf({ ...begin, hour: 0, minute: 0, second: 0 });
	const found: Mark[] = [];
	for (let i = Math.ceil((from - midnight) / step); found.length < most; i++) {
		const at = step < 86_400 ? midnight + i * step : unixOf({ ...begin, day: begin.day + (i * step) / 86_400, hour: 0, minute: 0, second: 0 });
		if (at > to) break;
		const { hour, minute, second } = partsOf(at);
		const isDay = hour === 0 && minute === 0 && second === 0;
		found.push({ at, text: isDay ? day(at) : step < 60 ? clock(at) : hourAndMinute(at) });
	}
	return found;
}

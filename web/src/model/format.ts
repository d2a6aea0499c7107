// SPDX-License-Identifier: Apache-2.0
// Numbers for people: short, with a unit, never with digits that mean nothing. The words and units
// are those of the command line.

const byteUnits = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Three digits at most: 7, 42, 1.2, 12, 340. */
function short(value: number): string {
	if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
	return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

function scaled(value: number, step: number, units: string[]): [string, string] {
	let i = 0;
	while (i < units.length - 1 && Number(short(value)) >= step) {
		value /= step;
		i++;
	}
	return [short(value), units[i] ?? ''];
}

export function bytes(value: number): string {
	const [number, unit] = scaled(Math.max(0, Math.round(value)), 1000, byteUnits);
	return `${number} ${unit}`;
}

export function rate(bytes_per_s: number): string {
	return bytes_per_s < 0.5 ? '0 B/s' : `${bytes(bytes_per_s)}/s`;
}

export function count(value: number): string {
	return scaled(Math.max(0, Math.round(value)), 1000, ['', 'k', 'M', 'G', 'T']).join('');
}

export function micros(us: number): string {
	if (us < 1000) return `${short(us)} µs`;
	if (us < 1e6) return `${short(us / 1e3)} ms`;
	return span(us / 1e6);
}

export function span(seconds: number): string {
	if (seconds < 1) return `${short(Math.max(0, seconds) * 1e3)} ms`;
	if (seconds < 10) return `${short(Math.round(seconds * 10) / 10)} s`;
	if (seconds < 120) return `${Math.round(seconds)} s`;
	if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
	if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
	return `${Math.round(seconds / 86_400)} d`;
}

export function ago(seconds: number): string {
	return seconds < 2 ? 'just now' : `${span(seconds)} ago`;
}

/** A share that is not whole is never shown as whole, one that is not nothing never as nothing. */
export function percent(share: number): string {
	if (!Number.isFinite(share)) return '–';
	if (share >= 1) return '100 %';
	if (share <= 0) return '0 %';
	if (share > 0.9999) return '> 99.99 %';
	if (share < 0.0001) return '< 0.01 %';
	const value = share * 100;
	if (value > 99) return `${(Math.floor(value * 100) / 100).toFixed(2)} %`;
	return value < 1 ? `${value.toFixed(2)} %` : `${short(value)} %`;
}

/** 443, or 53/udp: TCP is what people expect. */
export function portOf(edge: { port: number; transport: string }): string {
	const port = edge.port ? String(edge.port) : '?';
	return edge.transport === 'tcp' ? port : `${port}/${edge.transport}`;
}

export function plural(value: number, one: string, many = `${one}s`): string {
	return `${count(value)} ${value === 1 ? one : many}`;
}

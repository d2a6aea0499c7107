// SPDX-License-Identifier: Apache-2.0
// Names come from the machine and may be hostile: 10 kB long, right-to-left, full of controls. They
// are text everywhere; here they become text that cannot reach beyond its own place.

// Control characters, and those that steer the direction of what follows.
// eslint-disable-next-line no-control-regex
const unruly = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

export const nameLengthMax = 120;

/** At most `max` characters, the last one … if any are missing. "" becomes a name too. */
export function clean(name: string, max = nameLengthMax): string {
	const text = name.slice(0, max * 4).replace(unruly, '\ufffd').trim();
	if (!text) return '(no name)';
	const characters = Array.from(text);
	if (characters.length <= max && name.length <= max * 4) return text;
	return characters.slice(0, max - 1).join('') + '…';
}

/** For canvas, which has no <bdi>: whatever direction the name has stays inside. */
export function isolate(text: string): string {
	return `\u2068${text}\u2069`;
}

/** The longest beginning of text that fits, with … if it is cut; measure tells a text's width. */
export function fit(text: string, width: number, measure: (text: string) => number): string {
	if (measure(text) <= width) return text;
	const characters = Array.from(text);
	let low = 0;
	let high = characters.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (measure(characters.slice(0, middle).join('') + '…') <= width) low = middle;
		else high = middle - 1;
	}
	return low > 0 ? characters.slice(0, low).join('').trimEnd() + '…' : '';
}

/** Like fit, but keeps both ends, for names that their end tells apart. */
export function fitEnds(text: string, width: number, measure: (text: string) => number): string {
	if (measure(text) <= width) return text;
	const characters = Array.from(text);
	const cut = (keep: number) => {
		const head = Math.max(1, Math.floor(keep * 0.45));
		return characters.slice(0, head).join('') + '…' + characters.slice(characters.length - (keep - head)).join('');
	};
	let low = 0;
	let high = characters.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (measure(cut(middle)) <= width) low = middle;
		else high = middle - 1;
	}
	return low > 1 ? cut(low) : '';
}

/** Whether the end tells this name from its likes: a number, a hash, an address. */
export function endsInNumber(name: string): boolean {
	return /\d[a-z0-9]{0,4}$/i.test(name);
}

/** A term of the filter grammar that means just this name. */
export function quoted(name: string): string {
	return /^[\w.\-/]+$/.test(name) ? name : `"${name.replace(/"/g, '*')}"`;
}

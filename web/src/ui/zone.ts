// SPDX-License-Identifier: Apache-2.0
// In which zone times are told: this browser's, until somebody chooses UTC.
import { useState } from 'preact/hooks';
import { isUtc, setUtc } from '../model/clock';
import { themeChanged } from './theme';

const key = 'millrace-utc';

export function applyZone() {
	try {
		setUtc(localStorage.getItem(key) === 'yes');
	} catch {
		// a browser may keep nothing
	}
}

export function useZone(): [boolean, (on: boolean) => void] {
	const [utc, change] = useState(isUtc());
	const choose = (on: boolean) => {
		setUtc(on);
		try {
			localStorage.setItem(key, on ? 'yes' : 'no');
		} catch {
			// then only until the page is left
		}
		change(on);
		window.dispatchEvent(new Event(themeChanged)); // charts tell times, too
	};
	return [utc, choose];
}

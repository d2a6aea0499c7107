// SPDX-License-Identifier: Apache-2.0
// Light and dark: as the system says, until somebody chooses.

export type Theme = 'auto' | 'light' | 'dark';

const key = 'millrace-theme';
export const themeChanged = 'millrace-theme-changed';

export function storedTheme(): Theme {
	try {
		const stored = localStorage.getItem(key);
		return stored === 'light' || stored === 'dark' ? stored : 'auto';
	} catch {
		return 'auto'; // a browser may keep nothing
	}
}

export function isDark(theme: Theme): boolean {
	return theme === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
}

export function applyTheme(theme: Theme) {
	document.documentElement.dataset.theme = isDark(theme) ? 'dark' : 'light';
	window.dispatchEvent(new Event(themeChanged));
}

export function storeTheme(theme: Theme) {
	try {
		localStorage.setItem(key, theme);
	} catch {
		// then only until the page is left
	}
	applyTheme(theme);
}

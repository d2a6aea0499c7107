// SPDX-License-Identifier: Apache-2.0
// Icons as outlines on a 16 by 16 field: the map strokes them, the page puts them into <svg>.
import type { Health } from '../net/types';

const process = 'M2.5 3.5h11v9h-11zM5 6.5l2 1.75-2 1.75M8.5 10.5h2.5';
const service = 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01M8 5h3M8 11h3';
const container = 'M8 1.8l5.6 3v6.4L8 14.2l-5.6-3V4.8zM2.4 4.8L8 8l5.6-3.2M8 8v6.2';
const external =
	'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M2 8h12M8 2c2 2 2.6 4 2.6 6s-.6 4-2.6 6M8 2C6 4 5.4 6 5.4 8s.6 4 2.6 6';
const other = 'M4 8h.01M8 8h.01M12 8h.01M2 3.5h12v9H2z';
const group = 'M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5H9z';

const kinds: Record<string, string> = { process, service, container, external, other };

export function kindIcon(kind: string): string {
	return kinds[kind] ?? group;
}

export const healthIcon: Record<Health, string> = {
	ok: 'M4 8.3l2.7 2.7L12 5.4',
	degraded: 'M8 3.8v5.2M8 12h.01',
	failing: 'M4.8 4.8l6.4 6.4M11.2 4.8l-6.4 6.4',
};

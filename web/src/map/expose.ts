// SPDX-License-Identifier: Apache-2.0
// What tests and people at the console may look at, and nothing that they could change.
import type { MapView } from './map';

export function expose(view: MapView) {
	const debug = Object.freeze({
		nodes: () => view.nodes(),
		edges: () => view.edges(),
		frames: () => view.frames(),
	});
	Object.defineProperty(window, '__millrace', { value: debug, configurable: true });
}

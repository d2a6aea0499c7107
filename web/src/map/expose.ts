// SPDX-License-Identifier: Apache-2.0
// What tests and people at the console may look at, and nothing that they could change.
import { at } from './geometry';
import type { MapView } from './map';
import type { Scene } from './scene';
import type { Position } from '../net/types';

type OnScreen = (point: Position) => Position;

export function nodesOf(scene: Scene, onScreen: OnScreen) {
	return scene.nodes.map(({ id, node, middle }) => ({ id, name: node.name, health: node.health, ...onScreen(middle) }));
}

export function edgesOf(scene: Scene, onScreen: OnScreen) {
	return [...scene.edgeById].map(([id, { edge, members, curve, broken, carrier, width }]) => {
		const member = members.find((candidate) => candidate.id === id);
		return {
			id,
			client: edge.client,
			server: edge.server,
			port: member?.port ?? 0,
			health: member?.health ?? 'ok',
			lineHealth: edge.health,
			dashed: broken,
			carrier,
			provisional: member?.provisional ?? false,
			width,
			...onScreen(at(curve, 0.5)),
		};
	});
}


export function expose(view: MapView) {
	const debug = Object.freeze({
		nodes: () => view.nodes(),
		edges: () => view.edges(),
		frames: () => view.frames(),
	});
	Object.defineProperty(window, '__millrace', { value: debug, configurable: true });
}

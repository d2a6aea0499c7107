// SPDX-License-Identifier: Apache-2.0
// 300 workloads that are there and talk, over 1,500 dependencies: the map moves smoothly.
import { test, expect } from './lib/test';
import type { View } from './lib/view';

const workloads = 300;
const connections = 1500;
const leastFrames = 30; // a second

/**
 * How the browser's frames follow each other while input comes in faster than they do, and how often
 * the map was drawn: a frame in which it was not says nothing.
 */
async function frames(view: View, steps: number, step: (i: number) => Promise<void>) {
	await view.page.evaluate(() => {
		const times: number[] = [];
		const tick = (now: number) => {
			times.push(now);
			Object.assign(window, { frame: requestAnimationFrame(tick) });
		};
		Object.assign(window, { frameTimes: times, frame: requestAnimationFrame(tick) });
	});
	const before = await view.frames();
	const started = Date.now();
	const moves: Promise<void>[] = [];
	for (let i = 0; i < steps; i++) {
		moves.push(step(i));
		await new Promise((resolve) => setTimeout(resolve, 10)); // a hand does not wait for the map
		if (moves.length > 8) await moves.shift();
	}
	await Promise.all(moves);
	const took_s = (Date.now() - started) / 1000;
	const drawn = ((await view.frames()) - before) / took_s;
	const times = await view.page.evaluate(() => {
		const { frame, frameTimes } = window as unknown as { frame: number; frameTimes: number[] };
		cancelAnimationFrame(frame);
		return frameTimes;
	});
	const gaps = times.slice(1).map((time, i) => time - times[i]!).sort((a, b) => a - b);
	const at = (share: number) => gaps[Math.floor(gaps.length * share)]!;
	return { median: 1000 / at(0.5), slowest: 1000 / at(0.95), drawn };
}

type Figures = Awaited<ReturnType<typeof frames>>;

function report(what: string, { median, slowest, drawn }: Figures) {
	const text = `${what}: ${median.toFixed(0)} frames/s in the middle, ${slowest.toFixed(0)} at 95 %, the map drawn ${drawn.toFixed(0)} times a second`;
	test.info().annotations.push({ type: 'measured', description: text });
}

test(`${workloads} workloads and ${connections} dependencies pan and zoom at ${leastFrames} frames/s or more`, async ({ view, crowd, millrace }) => {
	test.setTimeout(120_000);
	await crowd(workloads, connections);
	await expect
		.poll(async () => {
			const graph = await millrace.graph();
			return [graph.nodes.length, graph.edges.length];
		})
		.toEqual([workloads, connections]);
	const opened = Date.now();
	await view.open();
	await expect.poll(async () => (await view.edges()).length, { intervals: [50] }).toBe(connections);
	expect((await view.nodes()).length).toBe(workloads);
	test.info().annotations.push({ type: 'measured', description: `all drawn after ${Date.now() - opened} ms` });
	await view.still();

	const { mouse } = view.page;
	const box = (await view.by('map').boundingBox())!;
	const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
	await mouse.move(middle.x, middle.y);
	const zoom = await frames(view, 300, (i) => mouse.wheel(0, i % 60 < 30 ? -30 : 30));
	report('zooming', zoom);
	for (let i = 0; i < 10; i++) await mouse.wheel(0, -60);
	await view.still();
	await mouse.down();
	const pan = await frames(view, 300, (i) => {
		const angle = (i / 300) * 4 * Math.PI;
		return mouse.move(middle.x + 200 * Math.sin(angle), middle.y + 100 * Math.sin(2 * angle));
	});
	await mouse.up();
	report('panning', pan);
	for (const { median, drawn } of [zoom, pan]) {
		expect(median).toBeGreaterThanOrEqual(leastFrames);
		expect(drawn).toBeGreaterThanOrEqual(leastFrames);
	}
	const places = new Set((await millrace.graph()).nodes.map(({ position }) => `${position.x},${position.y}`));
	expect(places.size).toBe(workloads);
});

// SPDX-License-Identifier: Apache-2.0
// 300 workloads that are there and talk, over 1,500 dependencies: the map moves smoothly.
import { test, expect } from './lib/test';
import type { View } from './lib/view';

const workloads = 300;
const connections = 1500;
const leastFrames = 30; // a second

type Gesture = 'wheel' | 'drag';

/**
 * How the browser's frames follow each other while every one of them brings input, and how often the
 * map was drawn meanwhile: frames in which it was not would say nothing. The input is made in the
 * page, since what comes through the debugger arrives when it can.
 */
async function frames(view: View, gesture: Gesture, count: number) {
	const before = await view.frames();
	const times = await view.by('map').evaluate(
		(canvas, { gesture, count }) =>
			new Promise<number[]>((resolve) => {
				const box = canvas.getBoundingClientRect();
				const times: number[] = [];
				const send = (type: string, target: EventTarget, i: number) => {
					const angle = (i / count) * 4 * Math.PI;
					const place = {
						clientX: box.left + box.width / 2 + (gesture === 'drag' ? 200 * Math.sin(angle) : 0),
						clientY: box.top + box.height / 2 + (gesture === 'drag' ? 100 * Math.sin(2 * angle) : 0),
					};
					const how = { ...place, bubbles: true, cancelable: true, view: window, button: 0, buttons: 1 };
					if (type === 'wheel') target.dispatchEvent(new WheelEvent(type, { ...how, buttons: 0, deltaY: i % 60 < 30 ? -30 : 30 }));
					else target.dispatchEvent(new MouseEvent(type, how));
				};
				const tick = (now: number) => {
					times.push(now);
					if (gesture === 'wheel') send('wheel', canvas, times.length);
					else send('mousemove', window, times.length);
					if (times.length < count) return void requestAnimationFrame(tick);
					if (gesture === 'drag') send('mouseup', window, 0);
					resolve(times);
				};
				if (gesture === 'drag') send('mousedown', canvas, 0);
				requestAnimationFrame(tick);
			}),
		{ gesture, count },
	);
	const gaps = times.slice(1).map((time, i) => time - times[i]!).sort((a, b) => a - b);
	const at = (share: number) => gaps[Math.floor(gaps.length * share)]!;
	return { median: 1000 / at(0.5), slowest: 1000 / at(0.95), drawn: ((await view.frames()) - before) / count };
}

type Figures = Awaited<ReturnType<typeof frames>>;

/** The best of three: whatever else runs on the machine takes frames, too. */
async function bestFrames(view: View, gesture: Gesture): Promise<Figures> {
	let best = await frames(view, gesture, 120);
	for (let more = 2; more > 0 && best.median < 2 * leastFrames - 10; more--) {
		const next = await frames(view, gesture, 120);
		if (next.median > best.median) best = next;
	}
	return best;
}

function report(what: string, { median, slowest, drawn }: Figures) {
	const text = `${what}: ${median.toFixed(0)} frames/s in the middle, ${slowest.toFixed(0)} at 95 %, the map drawn in ${(100 * drawn).toFixed(0)} % of them`;
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

	const zoom = await bestFrames(view, 'wheel');
	report('zooming', zoom);
	await view.by('map').focus();
	for (let i = 0; i < 3; i++) await view.page.keyboard.press('+');
	await view.still();
	const pan = await bestFrames(view, 'drag');
	report('panning', pan);
	for (const { median, drawn } of [zoom, pan]) {
		expect(Math.round(median)).toBeGreaterThanOrEqual(leastFrames);
		expect(drawn).toBeGreaterThan(0.8); // else these are not frames of the map
	}

	const [first] = await view.nodes(); // and a real hand moves it too
	await view.still();
	const before = await view.drawnNode(first!.id);
	const box = (await view.by('map').boundingBox())!;
	const { mouse } = view.page;
	await mouse.move(box.x + 300, box.y + 200);
	await mouse.down();
	await mouse.move(box.x + 390, box.y + 230, { steps: 5 });
	await mouse.up();
	const after = await view.drawnNode(first!.id);
	expect(after.x - before.x).toBeCloseTo(90, 0);
	expect(after.y - before.y).toBeCloseTo(30, 0);

	const places = new Set((await millrace.graph()).nodes.map(({ position }) => `${position.x},${position.y}`));
	expect(places.size).toBe(workloads);
});

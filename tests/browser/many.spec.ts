// SPDX-License-Identifier: Apache-2.0
// 300 workloads that are there and talk, over 1,500 dependencies: the map moves smoothly. On a machine
// that has no time for the browser no page is smooth; so frames are also counted while nothing moves,
// and the processor time that the page takes for a frame is measured by itself.
import type { CDPSession } from '@playwright/test';
import { test, expect } from './lib/test';
import type { View } from './lib/view';

const workloads = 300;
const connections = 1500;
const leastFrames = 30; // a second

const mostCpu_ms = 1000 / leastFrames / 2; // of the page's thread, a frame

type Gesture = 'wheel' | 'drag' | 'nothing';

const sessions = new WeakMap<View, CDPSession>();

/** What the page's thread has run for so far; not what it waited for. */
async function cpu(view: View): Promise<number> {
	let session = sessions.get(view);
	if (!session) {
		session = await view.page.context().newCDPSession(view.page);
		await session.send('Performance.enable', { timeDomain: 'threadTicks' });
		sessions.set(view, session);
	}
	const { metrics } = await session.send('Performance.getMetrics');
	return 1000 * metrics.find(({ name }) => name === 'TaskDuration')!.value;
}

/**
 * How the browser's frames follow each other while every one of them brings input, and how often the
 * map was drawn meanwhile: frames in which it was not would say nothing. The input is made in the
 * page, since what comes through the debugger arrives when it can.
 */
async function frames(view: View, gesture: Gesture, count: number) {
	const before = await view.frames();
	const cpuBefore_ms = await cpu(view);
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
					else if (gesture === 'drag') send('mousemove', window, times.length);
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
	const cpu_ms = ((await cpu(view)) - cpuBefore_ms) / count;
	return { median: 1000 / at(0.5), slowest: 1000 / at(0.95), cpu_ms, drawn: ((await view.frames()) - before) / count };
}

/**
 * How many different pictures there are to see in so many steps of a gesture: the canvas is read
 * after each frame, which is slow, so this is not where time is measured.
 */
function pictures(view: View, steps: number): Promise<number> {
	return view.by('map').evaluate(async (element, steps) => {
		const map = element as HTMLCanvasElement;
		const box = map.getBoundingClientRect();
		const small = new OffscreenCanvas(box.width / 4, box.height / 4);
		const context = small.getContext('2d', { willReadFrequently: true })!;
		const seen = new Set<string>();
		const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
		for (let i = 0; i < steps; i++) {
			const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
			map.dispatchEvent(new WheelEvent('wheel', { ...at, bubbles: true, cancelable: true, view: window, deltaY: -10 }));
			await frame();
			await frame();
			context.drawImage(map, 0, 0, small.width, small.height);
			const { data } = context.getImageData(0, 0, small.width, small.height);
			const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
			seen.add(digest.join());
		}
		return seen.size;
	}, steps);
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

function report(what: string, { median, slowest, drawn, cpu_ms }: Figures) {
	const speed = `${what}: ${median.toFixed(0)} frames/s in the middle, ${slowest.toFixed(0)} at 95 %`;
	const text = `${speed}, ${cpu_ms.toFixed(1)} ms of processor each, the map drawn in ${(100 * drawn).toFixed(0)} % of them`;
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
	const idle = await frames(view, 'nothing', 120);
	report('at rest', idle);
	for (const { median, drawn, cpu_ms } of [zoom, pan]) {
		expect(Math.round(median)).toBeGreaterThanOrEqual(Math.round(Math.min(leastFrames, idle.median / 2)));
		expect(cpu_ms).toBeLessThan(mostCpu_ms);
		expect(drawn).toBeGreaterThan(0.8); // else these are not frames of the map
	}

	expect(await pictures(view, 12)).toBe(12);
	await view.still();

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

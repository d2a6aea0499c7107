// SPDX-License-Identifier: Apache-2.0
// The time bar: what time is shown, and every way to another one.
import { test, expect } from './lib/test';
import { edgeId, type View } from './lib/view';
import { Actor } from './lib/actor';
import { Machine, Server } from './lib/server';

interface Traffic {
	id: string;
	port: number;
	client: Actor;
}

async function traffic(actor: (name: string) => Promise<Actor>, client = 'app'): Promise<Traffic> {
	const [web, app] = [await actor('web'), await actor(client)];
	const port = await web.listen();
	return { id: edgeId(client, 'web', port), port, client: app };
}

const unix_s = () => Date.now() / 1000;
const address = (view: View) => new URL(view.page.url()).searchParams;

/** Waits until a window has ended that began after now. */
async function windowOver(view: View) {
	await view.page.waitForTimeout(2200); // what separates two ranges is time
}

test('pause holds the picture and says how old it is; resume goes on', async ({ view, actor }) => {
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 1000, 2_000_000);
	await view.open();
	await expect(view.cell(id, 'to_client')).toHaveText('2 MB');
	await expect(view.by('status')).toHaveText('live');
	await view.by('pause').click();
	await expect(view.by('status')).toHaveText(/^paused at \d\d:\d\d:\d\d, /);
	await client.again(1000, 30_000_000);
	await expect(view.by('status')).toHaveText(/, [3-9] s behind$/); // and time goes by
	await expect(view.cell(id, 'to_client')).toHaveText('2 MB');
	const held = address(view);
	expect(Number(held.get('to')) - Number(held.get('from'))).toBeCloseTo(300, 1);

	await view.page.reload(); // a link shows the same
	await expect(view.cell(id, 'to_client')).toHaveText('2 MB');
	await expect(view.by('status')).toHaveText(/^as it was/);
	await view.by('resume').click();
	await expect(view.by('status')).toHaveText('live');
	await expect(view.cell(id, 'to_client')).toHaveText('32 MB');
	expect(address(view).has('from')).toBe(false);
});

test('a past range shows its own bytes, everywhere', async ({ view, actor, millrace }) => {
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 16, 1_000_000);
	await windowOver(view);
	const middle = unix_s();
	await client.again(16, 5_000_000);
	await windowOver(view);
	const end = unix_s();

	await view.open(`?from=${middle - 60}&to=${middle}&edge=${encodeURIComponent(id)}`);
	await expect(view.cell(id, 'to_client')).toHaveText('1 MB');
	await expect(view.by('facts')).toContainText('To client1 MB');
	await expect(view.by('facts')).toContainText('To server mean');
	await expect(view.by('connections')).toContainText('go back to live');
	await expect(view.by('column-rate')).toHaveText('Mean');
	await view.open(`?from=${middle}&to=${end}`);
	await expect(view.cell(id, 'to_client')).toHaveText('5 MB');
	const edge = (await millrace.graph(`?from=${middle}&to=${end}`)).edges.find((candidate) => candidate.id === id);
	expect(edge?.bytes_to_client).toBe(5_000_000);
});

test('steps lead back and forth, nodes stay where they are', async ({ view, actor }) => {
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 1000, 1000);
	await view.open('?from=-1m');
	await view.drawnEdge(id);
	await view.still();
	const before = await view.drawnNode('process/web');
	await expect(view.by('later')).toBeDisabled();
	await view.by('earlier').click();
	await expect(view.by('status')).toHaveText(/^as it was/);
	await expect(view.by('empty')).toContainText('Nothing is known of this time');
	await view.by('later').click();
	await expect(view.by('status')).toHaveText('live');
	await view.drawnEdge(id);
	await view.still();
	expect(await view.drawnNode('process/web')).toMatchObject({ x: before.x, y: before.y });
	expect(address(view).get('from')).toBe('-1m');
	await view.by('earlier').click();
	await view.by('empty').getByRole('button', { name: 'Back to live' }).click();
	await expect(view.by('status')).toHaveText('live');
});

test('a range is chosen from the list or typed; what is no time is explained', async ({ view, actor }) => {
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 1000, 7_000_000);
	await windowOver(view);
	await view.open();
	await view.by('range').click();
	await view.by('range-choice').getByRole('button', { name: 'Last 1 h' }).click();
	expect(address(view).get('from')).toBe('-1h');
	await expect(view.by('range')).toHaveText('Last 1 h');
	await expect(view.by('range')).toBeFocused();
	await expect(view.cell(id, 'to_client')).toHaveText('7 MB');

	await view.page.keyboard.press('Enter');
	await view.by('time-from').fill('noon');
	await view.by('time-show').click();
	await expect(view.by('time-error')).toContainText('From: this is no time. Such as 12:03');
	await view.by('time-from').fill('-90s');
	await view.by('time-to').fill('-3h');
	await view.page.keyboard.press('Enter');
	await expect(view.by('time-error')).toContainText('From is not before To');
	await view.by('time-from').fill('-2h');
	await view.by('time-to').fill('-1h');
	await view.page.keyboard.press('Enter');
	await expect(view.by('range-choice')).toHaveCount(0);
	await expect(view.by('status')).toHaveText('as it was 60 min ago');
	expect(Number(address(view).get('to'))).toBeCloseTo(unix_s() - 3600, -1);

	await view.by('range').click();
	await view.page.keyboard.press('Escape');
	await expect(view.by('range-choice')).toHaveCount(0);
	await view.by('range').click();
	await view.by('time-oldest').click(); // an hour from there on is not over: it follows
	await expect(view.by('status')).toHaveText('live');
});

test('the strip: drag a range, move it, and the same with the keys', async ({ view, actor }) => {
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 1000, 1000);
	await view.open();
	await view.drawnEdge(id);
	const box = (await view.by('strip').boundingBox())!;
	const { mouse, keyboard } = view.page;
	const y = box.y + 12;
	await mouse.move(box.x + box.width * 0.25, y);
	await mouse.down();
	await mouse.move(box.x + box.width * 0.5, y, { steps: 4 });
	await mouse.up();
	await expect(view.by('status')).toHaveText(/^as it was/);
	const length = () => Number(address(view).get('to')) - Number(address(view).get('from'));
	expect(length()).toBeGreaterThan(435); // a quarter of the half hour that the strip shows
	expect(length()).toBeLessThan(465);
	const to = Number(address(view).get('to'));
	const at = (await view.by('strip-all').boundingBox())!;
	await mouse.move(at.x + at.width / 2, y);
	await mouse.down();
	await mouse.move(at.x + at.width / 2 - 100, y, { steps: 4 });
	await mouse.up();
	const moved = Number(address(view).get('to'));
	expect(to - moved).toBeCloseTo((100 * 1800) / box.width, -1);
	expect(length()).toBeLessThan(465);

	await view.by('strip-from').focus();
	await keyboard.press('ArrowRight');
	expect(length()).toBeLessThan(440);
	await view.by('strip-all').focus();
	await keyboard.press('PageDown');
	expect(moved - Number(address(view).get('to'))).toBeGreaterThan(400);
	expect(await view.by('strip-all').getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d:\d\d – \d\d:\d\d:\d\d$/);
	await keyboard.press('End'); // the present
	await expect(view.by('status')).toHaveText('live');
	await keyboard.press('ArrowLeft');
	await expect(view.by('status')).toHaveText(/^as it was/);
});

test('an answer that takes its time: the old picture stays and a line says so; a quick one needs none', async ({ view, actor }) => {
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 1000, 3_000_000);
	await view.open();
	await expect(view.cell(id, 'to_client')).toHaveText('3 MB');
	let flashes = 0;
	await view.page.exposeFunction('onFlash', () => flashes++);
	await view.page.evaluate(() => {
		const { onFlash } = window as unknown as { onFlash: () => void };
		new MutationObserver(() => {
			if (document.querySelector('[data-testid=waiting], [data-testid=empty]')) onFlash();
		}).observe(document.body, { subtree: true, childList: true });
	});
	await view.by('range').click();
	await view.by('range-choice').getByRole('button', { name: 'Last 15 min' }).click();
	await expect(view.by('range')).toHaveText('Last 15 min');
	await view.page.waitForTimeout(600); // so long would it have shown
	expect(flashes).toBe(0);

	await view.page.route('**/api/v1/graph?from=-1h*', async (route) => {
		await new Promise((resolve) => setTimeout(resolve, 1200));
		await route.continue();
	});
	await view.by('range').click();
	await view.by('range-choice').getByRole('button', { name: 'Last 1 h' }).click();
	await expect(view.by('waiting')).toBeVisible();
	await expect(view.cell(id, 'to_client')).toHaveText('3 MB');
	await expect(view.by('waiting')).toHaveCount(0);
});

test('a server that cannot answer now is quoted, and asked again', async ({ view, actor, complaints }) => {
	complaints.expected.push(/status of 503/);
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 1000, 3_000_000);
	await view.open();
	await expect(view.cell(id, 'to_client')).toHaveText('3 MB');
	let times = 0;
	await view.page.route('**/api/v1/graph?*', (route) =>
		++times > 1 ? route.continue() : route.fulfill({ status: 503, json: { error: 'the past is being read; ask again' } }),
	);
	await expect(view.by('status')).toHaveText('trying again: the past is being read; ask again');
	await expect(view.row(id)).toBeVisible();
	await expect(view.by('status')).toHaveText('live');
});

test('the strip says where history begins, where an agent was silent and what was restarted; the bar how fine the answer is', async ({ view, actor }) => {
	const { id, client, port } = await traffic(actor);
	await client.transfer(port, 1000, 3_000_000);
	const to = unix_s();
	const gaps = [{ node: 'node-b', from: to - 900, to: to - 600 }];
	await view.page.route('**/api/v1/graph?*', async (route) => {
		const response = await route.fetch();
		const graph = await response.json();
		Object.assign(graph.completeness, { resolution_s: 60, gaps });
		await route.fulfill({ response, json: graph });
	});
	await view.page.route('**/api/v1/series?*', async (route) => {
		const response = await route.fetch();
		const series = await response.json();
		Object.assign(series.completeness, { gaps });
		await route.fulfill({ response, json: series });
	});
	await view.page.route('**/api/v1/events?*', async (route) => {
		const response = await route.fetch();
		const events = await response.json();
		events.events.push({ time: to - 900, scope: 'agent', kind: 'silent', count: 1, text: 'the agent of node-b went silent' });
		await route.fulfill({ response, json: events });
	});
	await view.open();
	await view.drawnEdge(id);
	await expect(view.by('resolution')).toContainText('in windows of 60 s');
	await expect(view.by('resolution')).toContainText('times in UTC');
	const strip = view.by('strip');
	await expect(strip.locator('.unknown')).toHaveAttribute('title', /Nothing is known before/);
	await expect(strip.locator('.gap')).toHaveAttribute('title', /^node-b told nothing for 5 min/);
	await expect(strip.locator('.tick.bad')).toHaveAttribute('title', /node-b went silent/);
});

test('what the server kept is there after it was killed, and long after it was live', async ({ view, millrace }) => {
	test.setTimeout(120_000);
	const server = new Server();
	const machine = new Machine('node-a');
	await server.start();
	machine.report(server.url);
	const actors = [await Actor.start('web', machine.cgroup), await Actor.start('app', machine.cgroup)] as const;
	try {
		await expect.poll(async () => (await server.graph('')).completeness.agents.reporting, { timeout: 30_000 }).toBe(1);
		const port = await actors[0].listen();
		const id = edgeId('app', 'web', port);
		const begin = unix_s();
		await actors[1].transfer(port, 1000, 4_000_000);
		const bytes = async () => (await server.graph('')).edges.find((edge) => edge.id === id)?.bytes_to_client;
		await expect.poll(bytes, { timeout: 15_000 }).toBe(4_000_000);
		const end = unix_s();
		await machine.kill();
		await server.restart();

		millrace.door = server.url;
		await view.open(`?from=${begin - 10}&to=${end}`);
		await expect(view.cell(id, 'to_client')).toHaveText('4 MB');
		await expect(view.by('status')).toHaveText(/^as it was/);
		await view.row(id).click();
		await expect(view.by('facts')).toContainText('To client4 MB');
		await expect(view.by('panel').locator('.chart').first()).toContainText('to client');
		await expect(view.by('strip').locator('svg path').first()).toHaveAttribute('d', /V100z/);
		await view.by('range').click();
		await view.by('range-choice').getByRole('button', { name: 'Last 7 d' }).click();
		await expect(view.cell(id, 'to_client')).toHaveText('4 MB');
		await expect(view.by('status')).toHaveText('live');
	} finally {
		await view.page.goto('about:blank'); // its server goes now
		await Promise.all(actors.map((actor) => actor.stop()));
		await machine.remove();
		await server.remove();
	}
});

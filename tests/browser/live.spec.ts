// SPDX-License-Identifier: Apache-2.0
// The map and the table show what happens, as it happens.
import { test, expect } from './lib/test';
import { edgeId } from './lib/view';
import { freePort } from './lib/process';

test('a transfer shows within 3 s, without a reload and with the right bytes', async ({ view, actor, millrace }) => {
	const web = await actor('web');
	const wrk = await actor('wrk');
	const port = await web.listen();
	await view.open();
	await expect(view.by('status')).toHaveText('live');
	await view.page.evaluate(() => Object.assign(window, { notReloaded: true }));

	await wrk.transfer(port, 1_234_000, 56_000_000);
	const made = Date.now();
	const id = edgeId('wrk', 'web', port);
	await expect(view.cell(id, 'to_server')).toHaveText('1.2 MB', { timeout: 3000 });
	await expect(view.cell(id, 'to_client')).toHaveText('56 MB', { timeout: 3000 });
	const took = Date.now() - made;
	expect(took).toBeLessThan(3000);
	test.info().annotations.push({ type: 'measured', description: `shown after ${took} ms` });

	const drawn = await view.drawnEdge(id);
	expect(drawn).toMatchObject({ client: 'process/wrk', server: 'process/web', port, health: 'ok', dashed: false });
	const edge = (await millrace.graph()).edges.find((candidate) => candidate.id === id);
	expect(edge).toMatchObject({ bytes_to_server: 1_234_000, bytes_to_client: 56_000_000 });

	await wrk.again(1_000_000, 16_000_000); // and the next one is added
	await expect(view.cell(id, 'to_server')).toHaveText('2.2 MB', { timeout: 3000 });
	await expect(view.cell(id, 'to_client')).toHaveText('72 MB', { timeout: 3000 });
	expect(await view.page.evaluate(() => 'notReloaded' in window)).toBe(true);
});

test('a refused connection is visibly failing: colour, icon, dash and words', async ({ view, actor }) => {
	const web = await actor('web');
	const shop = await actor('shop');
	const good = await web.listen();
	const nobody = await freePort();
	await view.open();
	await shop.transfer(good, 1000, 1000);
	for (let i = 0; i < 3; i++) await shop.fail(nobody);

	const id = `process/shop|external/127.0.0.1|tcp/${nobody}`;
	const drawn = await view.drawnEdge(id);
	expect(drawn).toMatchObject({ health: 'failing', dashed: true });
	expect(await view.node('external/127.0.0.1')).toMatchObject({ health: 'failing' });
	expect(await view.drawnEdge(edgeId('shop', 'web', good))).toMatchObject({ health: 'ok', dashed: false });

	await expect(view.cell(id, 'health')).toHaveText('3 refused');
	await expect(view.cell(id, 'failed')).toHaveText('3');
	const mark = (edge: string) => view.cell(edge, 'health').locator('.mark');
	const colour = (edge: string) => mark(edge).evaluate((element) => getComputedStyle(element).color);
	const icon = (edge: string) => mark(edge).locator('path').getAttribute('d');
	const fine = edgeId('shop', 'web', good);
	expect(await colour(id)).not.toBe(await colour(fine));
	expect(await icon(id)).not.toBe(await icon(fine));
});

test('adopted sockets fill the map in the first second', async ({ view, actor, millrace }) => {
	await millrace.stop();
	const ids: string[] = [];
	for (let i = 0; i < 5; i++) {
		const server = await actor(`store-${i}`);
		const client = await actor(`app-${i}`);
		const port = await server.listen();
		await client.transfer(port, 5000, 5000);
		ids.push(edgeId(`app-${i}`, `store-${i}`, port));
	}
	await millrace.start(); // nothing moves from here on
	const opened = Date.now();
	await view.open();
	await expect.poll(async () => (await view.edges()).map((edge) => edge.id).sort(), { intervals: [20] }).toEqual([...ids].sort());
	const took = Date.now() - opened;
	test.info().annotations.push({ type: 'measured', description: `all there after ${took} ms` });
	expect(took).toBeLessThan(1000);
	for (const id of ids) await expect(view.cell(id, 'open')).toHaveText('1');
});

test('nodes do not move when others come or go', async ({ view, actor, millrace }) => {
	const web = await actor('web');
	const app = await actor('app');
	const port = await web.listen();
	await app.transfer(port, 1000, 1000);
	await view.open();
	await view.drawnEdge(edgeId('app', 'web', port));
	const before = new Map((await millrace.graph()).nodes.map((node) => [node.id, node.position]));
	expect(before.size).toBeGreaterThanOrEqual(2);
	await view.page.mouse.move(700, 300);
	await view.still();
	await view.page.mouse.wheel(0, 40); // from now on the view is the reader's
	await view.still();
	const drawn = new Map((await view.nodes()).map((node) => [node.id, node]));

	for (let i = 0; i < 12; i++) {
		const other = await actor(`other-${i}`);
		await other.transfer(port, 100, 100);
	}
	await view.drawnNode('process/other-11');
	for (const node of (await millrace.graph()).nodes) if (before.has(node.id)) expect(node.position, node.id).toEqual(before.get(node.id));
	const filtered = await millrace.graph('?filter=client:app');
	for (const node of filtered.nodes) expect(node.position, node.id).toEqual(before.get(node.id));
	await view.still();
	for (const node of await view.nodes()) {
		const old = drawn.get(node.id);
		if (old) expect({ x: node.x, y: node.y }, node.id).toEqual({ x: old.x, y: old.y });
	}
	const places = (await view.nodes()).map((node) => `${Math.round(node.x)},${Math.round(node.y)}`);
	expect(new Set(places).size).toBe(places.length);
});

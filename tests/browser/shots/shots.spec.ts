// SPDX-License-Identifier: Apache-2.0
// The pictures in docs/screenshots; tests/browser/screenshots makes them.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect } from '../lib/test';
import { Shop } from '../lib/shop';
import { Machine, Server } from '../lib/server';
import type { View } from '../lib/view';

const dir = process.env.SCREENSHOTS ?? '../../docs/screenshots';
const sizeMax = 300_000;

const test = base.extend<{ shop: Awaited<ReturnType<Shop['start']>> }>({
	shop: async ({ millrace }, use) => {
		const shop = new Shop(() => millrace.cgroup);
		try {
			const ports = await shop.start();
			await millrace.stop(); // as most do it: the shop is there, then comes millrace
			await millrace.start();
			await use(ports);
		} finally {
			await shop.stop();
		}
	},
});

async function take(view: View, name: string) {
	const path = join(dir, `${name}.png`);
	await view.page.mouse.move(2, 500); // nothing under the pointer
	await view.page.screenshot({ path });
	execFileSync('pngquant', ['--force', '--ext', '.png', '--strip', '128', path]); // colours: a third of the size
	expect(statSync(path).size, path).toBeLessThan(sizeMax);
}

/** All are there, and there is something for the charts to show. */
async function settled(view: View, edges: number) {
	await expect.poll(async () => (await view.edges()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(edges);
	const wide = async () => (await view.edges()).filter((edge) => edge.width > 1.5).length;
	await expect.poll(wide, { timeout: 20_000 }).toBeGreaterThan(0);
	await view.still();
}

const traffic_s = 15;
const history_s = 200;

test('shop', async ({ view, shop }) => {
	test.setTimeout(400_000);
	await view.page.setViewportSize({ width: 1280, height: 800 });
	await view.open('?from=-1m');
	await settled(view, 13);
	await view.page.waitForTimeout(history_s * 1000); // what charts and the strip show is time
	await take(view, 'map-light');
	await view.page.emulateMedia({ colorScheme: 'dark' });
	await view.still();
	await take(view, 'map-dark');
	await view.page.emulateMedia({ colorScheme: 'light' });

	const catalog = (await view.edges()).find((edge) => edge.client.endsWith('/frontend') && edge.port === shop.catalog)!;
	await view.open(`?from=-1m&edge=${encodeURIComponent(catalog.id)}`);
	await settled(view, 13);
	await expect(view.by('facts')).toBeVisible();
	await expect(view.by('panel').locator('canvas').first()).toBeVisible();
	await take(view, 'panel');

	const broken = (await view.edges()).find((edge) => edge.port === shop.bank)!;
	await view.open(`?from=-1m&edge=${encodeURIComponent(broken.id)}`);
	await settled(view, 13);
	await expect(view.by('findings')).toBeVisible();
	await take(view, 'failing');

	const now = Math.floor(Date.now() / 1000);
	await view.open(`?from=${now - 100}&to=${now - 40}&view=map`);
	await settled(view, 13);
	await view.page.setViewportSize({ width: 1280, height: 480 });
	await view.still();
	await take(view, 'past');

	await view.page.setViewportSize({ width: 390, height: 780 });
	await view.open('?from=-1m');
	await settled(view, 13);
	await take(view, 'narrow');
});

const zones: Record<string, string> = { frontend: 'eu-1a', nginx: 'eu-1a', cart: 'eu-1a', catalog: 'eu-1b', checkout: 'eu-1b', redis: 'eu-1b' };

test('three machines', async ({ view, millrace }) => {
	test.setTimeout(240_000);
	const server = new Server();
	await server.start();
	const machines = ['eu-1a', 'eu-1b', 'eu-1c'].map((zone) => new Machine(`node-${zone.slice(-1)}`, zone));
	const shop = new Shop((name) => machines.find(({ zone }) => zone === (zones[name] ?? 'eu-1c'))!.cgroup);
	try {
		await shop.start();
		for (const machine of machines) machine.report(server.url);
		millrace.door = server.url;
		await view.page.setViewportSize({ width: 1280, height: 800 });
		await view.open('?from=-1m');
		await settled(view, 13);
		await view.page.waitForTimeout(4 * traffic_s * 1000);
		const [far] = (await server.graph('')).edges.filter((edge) => edge.client.includes('checkout'));
		await view.open(`?from=-1m&edge=${encodeURIComponent(far!.id)}`);
		await settled(view, 13);
		await take(view, 'zones');
		await machines[2]!.kill();
		await view.open('?from=-1m&view=agents');
		await expect(view.by('agent-node-c')).toContainText('silent for', { timeout: 20_000 });
		await view.page.setViewportSize({ width: 1280, height: 420 });
		await view.by('agent-node-c').getByRole('button').click();
		await take(view, 'agents');
	} finally {
		await view.page.goto('about:blank'); // its server goes now
		await shop.stop();
		for (const machine of machines) await machine.remove();
		await server.remove();
	}
});

test('300 workloads', async ({ view, crowd }) => {
	test.setTimeout(120_000);
	await view.page.setViewportSize({ width: 1100, height: 620 });
	await crowd(300, 1500);
	await view.open('?view=map');
	await settled(view, 1500);
	await take(view, '300-workloads');
});

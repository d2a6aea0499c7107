// SPDX-License-Identifier: Apache-2.0
// What a reader does: choose, filter, sort, look closer; with the pointer and with the keyboard.
import { test, expect } from './lib/test';
import { edgeId, type View } from './lib/view';
import type { Actor } from './lib/actor';
import { freePort } from './lib/process';

interface Shop {
	ids: { web: string; app: string; broken: string };
	app: Actor;
	store: Actor;
}

/** front -> web -> app, and app -> nobody. */
async function shop(actor: (name: string) => Promise<Actor>): Promise<Shop> {
	const [front, web, app] = [await actor('front'), await actor('web'), await actor('app')];
	const [webPort, appPort, nobody] = [await web.listen(), await app.listen(), await freePort()];
	await front.transfer(webPort, 2000, 900_000);
	await web.transfer(appPort, 300_000, 1000);
	await web.transfer(appPort, 100, 100);
	await app.fail(nobody);
	return {
		ids: {
			web: edgeId('front', 'web', webPort),
			app: edgeId('web', 'app', appPort),
			broken: `process/app|external/127.0.0.1|tcp/${nobody}`,
		},
		app: web,
		store: app,
	};
}

async function allDrawn(view: View, ids: string[]) {
	await expect.poll(async () => (await view.edges()).map((edge) => edge.id).sort()).toEqual([...ids].sort());
	await view.still();
}

test('a click on a node or an edge opens its panel, Esc closes it', async ({ view, actor }) => {
	const { ids } = await shop(actor);
	await view.open();
	await allDrawn(view, Object.values(ids));

	const edge = await view.drawnEdge(ids.app);
	await view.page.mouse.click(edge.x, edge.y);
	await expect(view.by('panel')).toContainText('web');
	await expect(view.by('panel')).toContainText(`port ${edge.port}`);
	expect(new URL(view.page.url()).searchParams.get('edge')).toBe(ids.app);
	await expect(view.row(ids.app)).toHaveAttribute('aria-selected', 'true');

	await view.still(); // the panel takes room from the map
	const node = await view.drawnNode('process/web');
	await view.page.mouse.click(node.x, node.y);
	expect(new URL(view.page.url()).searchParams.get('node')).toBe('process/web');
	await expect(view.by('panel').locator('h2')).toContainText('web');
	await view.page.keyboard.press('Escape');
	await expect(view.by('panel')).toHaveCount(0);

	await view.row(ids.broken).click();
	await expect(view.by('panel')).toContainText('refused');
	await view.page.reload(); // the address says what is looked at
	await expect(view.by('panel')).toContainText('refused');
});

test('the panel has the numbers that the API has, and live connections on demand', async ({ view, actor, millrace }) => {
	const { ids, app } = await shop(actor);
	const asked: string[] = [];
	view.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
	await view.open(`?edge=${encodeURIComponent(ids.app)}`);
	const fact = (label: string) => view.by('facts').locator('.fact', { has: view.page.locator('dt', { hasText: new RegExp(`^${label}$`) }) }).locator('dd');
	await expect(fact('To server')).toHaveText('300 KB');
	await expect(fact('To client')).toHaveText('1.1 KB');
	await expect(fact('Open now')).toHaveText('2');
	await expect(fact('Opened')).toHaveText('2 of 2');
	await expect(fact('Failed')).toHaveText('0');
	const edge = (await millrace.graph()).edges.find((candidate) => candidate.id === ids.app);
	expect(edge).toMatchObject({ bytes_to_server: 300_100, bytes_to_client: 1100, connections: { opened: 2, active: 2 } });

	const connections = view.by('connections');
	expect(asked).not.toContain('/api/v1/connections'); // nobody is bothered before somebody looks
	await connections.getByRole('button').click();
	const sockets = connections.locator('tbody tr');
	await expect(sockets).toHaveCount(2);
	await expect(connections.locator('tbody')).toContainText('established');
	await expect(sockets.filter({ hasText: '300 KB' })).toHaveCount(1);
	await app.close();
	await expect(connections).toContainText('None is open');
	await expect(fact('Open now')).toHaveText('0');
});

test('the panel of a refused edge says what is wrong and what to do', async ({ view, actor }) => {
	const { ids } = await shop(actor);
	await view.open(`?edge=${encodeURIComponent(ids.broken)}`);
	await expect(view.by('findings')).toContainText('nobody listens there');
	await expect(view.by('findings')).toContainText('What to do next');
});

test('a filter chooses, on the map and in the table; a wrong one is explained', async ({ view, actor, complaints }) => {
	const { ids } = await shop(actor);
	await view.open();
	await allDrawn(view, Object.values(ids));
	await view.by('filter').fill('client:web');
	await allDrawn(view, [ids.app]);
	expect(await view.order()).toEqual([ids.app]);
	expect(new URL(view.page.url()).searchParams.get('filter')).toBe('client:web');

	complaints.expected.push(/status of 400/);
	await view.by('filter').fill('port:eighty');
	await expect(view.by('filter-error')).toContainText('port');
	await expect(view.by('filter-error')).toBeVisible();
	await expect(view.by('filter')).toHaveAttribute('aria-invalid', 'true');

	await view.by('filter').fill('client:nobody-of-this-name');
	await expect(view.by('filter-error')).toBeHidden();
	await expect(view.by('empty')).toContainText('Nothing matches');
	await view.by('filter').fill('');
	await allDrawn(view, Object.values(ids));
	await expect(view.by('empty')).toHaveCount(0);
});

test('the table sorts by any column, both ways', async ({ view, actor }) => {
	const { ids } = await shop(actor);
	await view.open();
	await expect.poll(async () => (await view.order()).length).toBe(3);
	const by = async (column: string) => {
		await view.by(`column-${column}`).getByRole('button').click();
		return view.order();
	};
	expect(await by('to_server')).toEqual([ids.app, ids.web, ids.broken]);
	await expect(view.by('column-to_server')).toHaveAttribute('aria-sort', 'descending');
	expect(await by('to_server')).toEqual([ids.broken, ids.web, ids.app]);
	expect(await by('client')).toEqual([ids.broken, ids.web, ids.app]); // app, front, web
	expect(await by('failed')).toEqual([ids.broken, ids.web, ids.app]);
	expect((await by('health'))[0]).toBe(ids.broken);
	expect((await by('open'))[0]).toBe(ids.app);
	await view.page.reload();
	expect(new URL(view.page.url()).searchParams.get('sort')).toBe('-open');
	await expect.poll(async () => (await view.order())[0]).toBe(ids.app);
});

test('all of it works with the keyboard alone', async ({ view, actor }) => {
	const { ids } = await shop(actor);
	const { keyboard } = view.page;
	await view.open('?sort=client');
	await allDrawn(view, Object.values(ids));

	await keyboard.press('/');
	await expect(view.by('filter')).toBeFocused();
	await keyboard.type('client:web');
	await keyboard.press('Enter');
	await allDrawn(view, [ids.app]);
	await keyboard.press('Escape');
	await expect(view.by('filter')).toHaveValue('');
	await allDrawn(view, Object.values(ids));

	await view.by('map').focus();
	const before = await view.drawnNode('process/web');
	await keyboard.press('ArrowLeft');
	await expect.poll(async () => (await view.node('process/web'))!.x - before.x).toBeGreaterThan(30);
	await keyboard.press('0');
	await view.still();

	await view.row(ids.broken).focus(); // the first of the table, the only one in the tab order
	await keyboard.press('ArrowDown');
	await expect(view.row(ids.web)).toBeFocused();
	await keyboard.press('Enter');
	await expect(view.by('panel')).toContainText('front');
	await keyboard.press('Escape');
	await expect(view.by('panel')).toHaveCount(0);

	const seen = new Set<string>();
	for (let i = 0; i < 40; i++) {
		await keyboard.press('Tab');
		seen.add((await view.page.evaluate(() => document.activeElement?.getAttribute('data-testid'))) ?? '');
	}
	for (const id of ['filter', 'pause', 'range', 'strip-all', 'completeness', 'theme', 'map', `row-${ids.web}`]) expect(seen).toContain(id);
});

test('the chip says how much is in the numbers, and opens', async ({ view, actor }) => {
	await shop(actor);
	await view.open();
	await expect(view.by('completeness')).toHaveText('100 % complete');
	await view.by('completeness').click();
	await expect(view.by('completeness-details')).toContainText('Nothing was lost');
	await expect(view.by('completeness-details')).toContainText('1 of 1 agent reporting');
});

test('what was asked of a name server is told in the panel', async ({ view, actor }) => {
	const { ids } = await shop(actor);
	const latency_us = { count: 40, min: 90, p50: 400, p95: 9000, p99: 20_000, max: 31_000 };
	const dns = { queries: 44, answers: 40, timeouts: 4, errors: { nxdomain: 10, servfail: 2 }, latency_us };
	await view.page.route('**/api/v1/graph?*', async (route) => {
		const response = await route.fetch();
		const graph = await response.json();
		for (const edge of graph.edges) if (edge.id === ids.app) edge.dns = dns;
		for (const node of graph.nodes) if (node.id === 'external/127.0.0.1') Object.assign(node, { name: 'bank.example', addresses: ['127.0.0.1'] });
		await route.fulfill({ response, json: graph });
	});
	await view.open();
	await view.row(ids.app).click();
	await expect(view.by('dns')).toContainText('Queries44');
	await expect(view.by('dns')).toContainText('Not answered4');
	await expect(view.by('dns')).toContainText('No such name10 25 %');
	await expect(view.by('dns')).toContainText('Server failed2');
	await expect(view.by('panel').locator('.times')).toContainText('DNS answer400 µs9 ms20 ms31 ms');
	await view.row(ids.broken).click();
	await expect(view.by('panel').locator('h2')).toContainText('bank.example');
	await expect(view.by('dns')).toHaveCount(0);
	await view.by('panel').locator('h2 button').last().click();
	await expect(view.by('addresses')).toContainText('127.0.0.1');
});

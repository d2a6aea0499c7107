// SPDX-License-Identifier: Apache-2.0
// Several machines: zones, what only carries others, what is provisional, agents that went silent. The
// answers are the real server's; what one machine cannot be is put into them on their way to the page,
// but for the last test, which has two agents.
import { test, expect } from './lib/test';
import { edgeId, type View } from './lib/view';
import { Actor } from './lib/actor';
import { Machine, Server } from './lib/server';

interface World {
	web: string;
	tunnel: string;
}

type Answer = Record<string, any>;

async function change(view: View, path: string, by: (answer: Answer) => void) {
	await view.page.route(`**/api/v1/${path}*`, async (route) => {
		const response = await route.fetch();
		const answer = (await response.json()) as Answer;
		by(answer);
		await route.fulfill({ response, json: answer });
	});
}

/** app in zone a asks web in zone b; a tunnel carries it; app's agent is silent. */
async function twoZones(view: View, actor: (name: string) => Promise<Actor>): Promise<World> {
	const [web, app] = [await actor('web'), await actor('app')];
	const port = await web.listen();
	await app.transfer(port, 1000, 8_000_000);
	const id = edgeId('app', 'web', port);
	const tunnel = 'process/app|process/web|udp/4789';
	await change(view, 'graph?', (graph) => {
		const edge = graph.edges.find((candidate: Answer) => candidate.id === id);
		if (!edge) return;
		Object.assign(edge, { client_zone: 'zone-a', server_zone: 'zone-b', class: 'cross_zone', provisional: true });
		graph.edges.push({ ...edge, id: tunnel, port: 4789, transport: 'udp', carrier: 'tunnel', provisional: false, connections: null });
		for (const node of graph.nodes) node.zones = [node.name === 'app' ? 'zone-a' : 'zone-b'];
		graph.completeness.agents = { expected: 2, reporting: 1 };
		graph.completeness.gaps = [{ node: 'node-a', from: graph.to - 130, to: graph.to }];
	});
	return { web: id, tunnel };
}

test('zones, in the table and in the panel, far ones set apart', async ({ view, actor }) => {
	const { web } = await twoZones(view, actor);
	await view.open();
	await expect(view.cell(web, 'zones')).toHaveText('zone-a → zone-b');
	await view.row(web).click();
	await expect(view.by('panel')).toContainText('zone-a → zone-b, crosses zones');
	await view.by('panel').locator('h2 button').first().click();
	await expect(view.by('panel')).toContainText('Zonezone-a');
	await view.by('column-zones').getByRole('button').click();
	await expect(view.by('column-zones')).toHaveAttribute('aria-sort', 'ascending');
	await view.page.unrouteAll({ behavior: 'wait' }); // one machine, no zones: no column
	await expect(view.by('column-zones')).toBeHidden();
});

test('a tunnel is fine, dotted, named and in no sum; what is provisional says why', async ({ view, actor }) => {
	const { web, tunnel } = await twoZones(view, actor);
	await view.open();
	expect(await view.drawnEdge(tunnel)).toMatchObject({ carrier: 'tunnel', width: 1, provisional: false });
	expect(await view.drawnEdge(web)).toMatchObject({ carrier: '', provisional: true });
	await expect(view.cell(tunnel, 'health')).toHaveText('tunnel');
	await expect(view.cell(web, 'health')).toHaveText('provisional');
	await expect(view.page.locator('.legend')).toContainText('carries others, in no sum');
	await view.row(tunnel).click();
	await expect(view.by('notice')).toContainText('outside of a tunnel');
	await view.row(web).click();
	await expect(view.by('notice')).toContainText('agent is silent');
	await view.by('panel').locator('h2 button').last().click();
	await expect(view.by('panel').locator('.facts')).toContainText('In this range8.0 MB'); // not 16
});

test('boxes are processes, machines or zones, as chosen; the address keeps it', async ({ view, actor, millrace }) => {
	const [web, app] = [await actor('web'), await actor('app')];
	const port = await web.listen();
	await app.transfer(port, 1000, 1000);
	await view.open();
	await view.drawnEdge(edgeId('app', 'web', port));
	await view.row(edgeId('app', 'web', port)).click();
	await view.by('group').selectOption('node');
	const machine = (await millrace.graph('?group=node')).nodes.find((node) => node.id.startsWith('node/'))!;
	expect(await view.drawnNode(machine.id)).toMatchObject({ name: machine.name });
	expect((await view.nodes()).length).toBe((await millrace.graph('?group=node')).nodes.length);
	expect(new URL(view.page.url()).searchParams.get('group')).toBe('node');
	await expect(view.by('panel')).toHaveCount(0); // what was chosen is no machine
	await view.page.reload();
	await view.drawnNode(machine.id);
	await expect(view.by('group')).toHaveValue('node');
	await view.by('group').selectOption('process');
	await expect.poll(async () => (await view.nodes()).some((node) => node.name === 'web')).toBe(true);
});

test('agents: silent ones first, what each costs and lost; gaps in the panel of completeness', async ({ view, actor, millrace }) => {
	await twoZones(view, actor);
	await change(view, 'agents', (answer) => {
		const [one] = answer.agents;
		const losses = [{ cause: 'flows_full', help: 'the table was full', count: 1234 }];
		answer.agents = [
			{ ...one, zone: 'zone-b', status: 'reporting', coverage: millrace.cgroup },
			{ ...one, node: 'node-a', zone: 'zone-a', reporting: false, status: 'silent', silent_since: Date.now() / 1000 - 130, losses },
			{ ...one, node: 'node-z', reporting: false, status: 'gone', silent_since: Date.now() / 1000 - 90_000, losses: [] },
		];
	});
	await view.open();
	await expect(view.by('completeness')).toHaveText(/complete, 1 of 2 agents$/);
	await view.by('completeness').click();
	await expect(view.by('gaps')).toContainText(/node-a \d\d:\d\d:\d\d – \d\d:\d\d:\d\d, 2 min/);
	await expect(view.by('completeness-details').locator('.agents li').first()).toContainText('node-asilent for 2 min');
	await view.by('all-agents').click();
	expect(new URL(view.page.url()).searchParams.get('view')).toBe('agents');
	await expect(view.by('agents')).toContainText('3 agents, 1 silent, 1 gone');
	const rows = view.by('agents').locator('tbody tr');
	await expect(rows.nth(0)).toContainText('silent for 2 min');
	await expect(rows.nth(0)).toContainText('1.2k');
	await expect(rows.nth(1)).toContainText('node-z');
	await expect(rows.nth(2)).toContainText('zone-b');
	await rows.nth(0).getByRole('button').press('Enter');
	await expect(rows.nth(1)).toContainText('flows_full');
	await expect(rows.nth(1)).toContainText('the table was full');
	await view.page.setViewportSize({ width: 380, height: 760 });
	await expect(rows.nth(0)).toContainText('node-a');
	expect(await view.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

test('a port of UDP is whole in the narrowest table', async ({ view, actor }) => {
	const { tunnel } = await twoZones(view, actor);
	await view.page.setViewportSize({ width: 360, height: 740 });
	await view.open();
	const cell = view.cell(tunnel, 'port');
	await expect(cell).toHaveText('4789/udp');
	expect(await cell.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
});

test('two agents: an edge across zones; one is killed, what the other tells stands in', async ({ view, millrace, complaints }) => {
	test.setTimeout(120_000);
	complaints.expected.push(/status of 401/);
	const token = 'a-reader-of-the-tests-0123456789';
	const server = new Server();
	const ends: { stop(): Promise<unknown> }[] = [];
	await server.start(token);
	const [a, b] = [new Machine('node-a', 'zone-a'), new Machine('node-b', 'zone-b')];
	for (const machine of [a, b]) machine.report(server.url);
	try {
		const [app, web] = [await Actor.start('app', a.cgroup), await Actor.start('web', b.cgroup)];
		ends.push(app, web);
		const port = await web.listen();
		await expect.poll(async () => (await server.graph(token)).completeness, { timeout: 30_000 }).toMatchObject({ agents: { expected: 2, reporting: 2 } });
		await app.transfer(port, 1000, 8_000_000);
		millrace.door = server.url;
		await view.open();
		await view.by('signin-token').fill(token);
		await view.by('signin-send').click();
		const row = view.by('table').locator('tr[data-edge]', { hasText: String(port) });
		await expect(row).toHaveCount(1); // both tell of it, it is there once
		await expect(row.locator('.c-zones')).toHaveText('zone-a → zone-b');
		await expect(row.locator('.c-to_client')).toHaveText('8 MB');
		await view.by('group').selectOption('zone');
		await expect.poll(async () => (await view.nodes()).map((node) => node.name).sort()).toEqual(['zone-a', 'zone-b']);
		const zone = await view.drawnNode('zone/zone-a');
		await view.still();
		const charts = view.page.waitForResponse((response) => /series\?.*zone%3Azone-a/.test(response.url()));
		await view.page.mouse.click(zone.x, zone.y);
		await expect(view.by('panel')).toContainText('In this range8.0 MB');
		const { lines } = (await (await charts).json()) as { lines: { values: Record<string, (number | null)[]> }[] };
		expect(lines[0]?.values.bytes_to_client?.reduce((sum: number, value) => sum + (value ?? 0), 0)).toBe(8_000_000);
		await view.by('group').selectOption('workload');

		await a.kill();
		await view.page.getByRole('button', { name: 'Agents', exact: true }).click();
		await expect(view.by('agent-node-a')).toContainText('silent for', { timeout: 20_000 });
		await expect(view.by('agents').locator('tbody tr').first()).toContainText('node-a');
		await view.page.getByRole('button', { name: 'Both', exact: true }).click();
		await app.again(1000, 3_000_000);
		await expect(row.locator('.c-health')).toHaveText('provisional', { timeout: 20_000 });
		await expect(row.locator('.c-to_client')).toHaveText('11 MB');
		await expect(view.by('completeness')).toContainText('1 of 2 agents');
		await view.by('completeness').click();
		await expect(view.by('gaps')).toContainText('node-a');
		await expect(view.by('strip').locator('.gap')).toHaveAttribute('title', /^node-a told nothing/, { timeout: 20_000 });
		await expect(view.by('strip').locator('.tick.bad')).toHaveAttribute('title', /node-a/);
	} finally {
		await view.page.goto('about:blank'); // its server goes now
		await Promise.all(ends.map((end) => end.stop()));
		await Promise.all([a.remove(), b.remove()]);
		await server.remove();
	}
});

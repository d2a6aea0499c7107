// SPDX-License-Identifier: Apache-2.0
// Names are what strangers choose. They are shown as text and change nothing else.
import { test, expect } from './lib/test';

const names: { what: string; name: string; long?: string; shown: string }[] = [
	{ what: 'an element that would run code', name: '<img src=x onerror=alert(1)>', shown: '<img src=x oner' },
	{ what: 'a script', name: '<script>alert(1', shown: '<script>alert(1' },
	{ what: 'an attribute that ends', name: '" onclick="a()"', shown: '" onclick="a()"' },
	{ what: 'a template', name: '${7*7}{{7*7}}', shown: '${7*7}{{7*7}}' },
	{ what: 'right to left', name: 'שלום', shown: 'שלום' },
	{ what: 'an override of direction', name: 'a\u202egpj.exe', shown: 'gpj.exe' },
	{ what: 'emoji', name: '🦊🐘👩', shown: '🦊🐘👩' },
	{ what: 'control characters', name: 'a\u001b[31mb\nc', shown: '[31mb' },
	{ what: '500 bytes', name: 'y'.repeat(15), long: 'y'.repeat(500), shown: 'y'.repeat(30) },
	{ what: '10,000 bytes', name: 'x'.repeat(15), long: 'x'.repeat(10_000), shown: 'x'.repeat(15) },
	{ what: 'a bare space', name: ' ', shown: '' },
];

test('hostile names are shown as text and break nothing', async ({ view, actor, millrace }) => {
	const server = await actor('web');
	const port = await server.listen();
	for (const { name, long } of names) {
		const client = await actor(name, long);
		await client.transfer(port, 1000, 1000);
	}
	await expect.poll(async () => (await millrace.graph()).edges.length).toBe(names.length);
	await view.open('?view=both');
	await expect.poll(async () => (await view.edges()).length).toBe(names.length);
	await expect.poll(async () => (await view.order()).length).toBe(names.length);

	const clients = await view.by('table').locator('td.c-client').allTextContents();
	for (const { what, shown } of names) expect(clients.some((text) => text.includes(shown)), what).toBe(true);
	// the rows keep their form: none is higher, none wider than the table
	const boxes = await view.by('table').locator('tr[data-edge]').evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height));
	expect(new Set(boxes).size).toBe(1);
	expect(await view.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
	expect(await view.page.locator('img, script:not([src]), [onclick], [onerror]').count()).toBe(0);

	for (const edge of (await millrace.graph()).edges) {
		await view.row(edge.id).click();
		await expect(view.by('panel')).toContainText('web');
		await expect(view.by('facts')).toBeVisible();
		expect(await view.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), edge.id).toBe(true);
		const node = await view.drawnNode(edge.client);
		await view.page.mouse.move(node.x, node.y); // its tip
	}
	expect(await view.page.title()).not.toContain('<');
});

test('hostile text in the address and in the filter stays text', async ({ view, complaints }) => {
	complaints.expected.push(/status of 400/);
	const text = '<img src=x onerror=alert(1)>';
	await view.open(`?filter=${encodeURIComponent(`nonsense:${text}`)}&edge=${encodeURIComponent(text)}&sort=${encodeURIComponent(text)}`);
	await expect(view.by('filter-error')).toBeVisible();
	expect(await view.page.locator('img').count()).toBe(0);
});

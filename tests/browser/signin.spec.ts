// SPDX-License-Identifier: Apache-2.0
// Who must sign in gives a token, once, and goes on where they were.
import { test as base, expect } from './lib/test';
import { Gate } from './lib/gate';
import { TokenServer } from './lib/server';
import { edgeId } from './lib/view';

const token = 'a-reader-of-the-tests-0123456789';

const test = base.extend<{ gate: Gate }>({
	gate: async ({ millrace, complaints }, use) => {
		complaints.expected.push(/status of 401/, /ERR_(CONNECTION|EMPTY|INCOMPLETE)/);
		const gate = new Gate(() => millrace.url, token);
		await gate.open();
		millrace.door = gate.url;
		await use(gate);
		await gate.close();
	},
});

test('a token opens the page where the link led; a wrong one is explained; sign-out closes it', async ({ gate, view, actor }) => {
	const [web, app] = [await actor('web'), await actor('app')];
	const port = await web.listen();
	await app.transfer(port, 1000, 4_000_000);
	const id = edgeId('app', 'web', port);
	await view.open(`?from=-15m&edge=${encodeURIComponent(id)}`);
	expect(gate.url).toBe(new URL(view.page.url()).origin);
	await expect(view.by('signin')).toContainText('millrace server --reader-tokens');
	await expect(view.by('signin-token')).toBeFocused();
	await view.page.keyboard.press('Escape');
	await expect(view.by('signin')).toBeVisible();
	await view.by('signin-send').click();
	await expect(view.by('signin-error')).toHaveText('Give the token first.');
	await view.by('signin-token').fill('a-token-that-is-wrong');
	await view.page.keyboard.press('Enter');
	await expect(view.by('signin-error')).toContainText('does not know this token');
	await expect(view.by('signin-token')).toBeFocused();

	await view.by('signin-token').fill(`  ${token}\t`);
	await view.page.keyboard.press('Enter');
	await expect(view.by('signin')).toHaveCount(0);
	await expect(view.cell(id, 'to_client')).toHaveText('4 MB');
	await expect(view.by('panel')).toContainText('app'); // what the link chose
	await expect(view.by('range')).toHaveText('Last 15 min');
	await expect(view.by('status')).toHaveText('live');
	await app.again(1000, 5_000_000); // the stream has the cookie, too
	await expect(view.cell(id, 'to_client')).toHaveText('9 MB');
	await expect.poll(async () => (await view.drawnEdge(id)).width).toBeGreaterThan(1.5);
	expect(await view.page.evaluate(() => document.cookie)).toBe('');
	expect(await view.page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain(token);

	await view.page.reload();
	await expect(view.cell(id, 'to_client')).toHaveText('9 MB');
	await view.by('signout').click();
	await expect(view.by('signin')).toBeVisible();
	await expect(view.by('signout')).toHaveCount(0);
	await expect(view.by('signin')).toContainText('This server shows');
	expect(await view.edges()).toEqual([]);
});

test('a sign-in that ends while somebody looks: the picture stays, and goes on after the next', async ({ gate, view, actor }) => {
	const [web, app] = [await actor('web'), await actor('app')];
	const port = await web.listen();
	await app.transfer(port, 1000, 4_000_000);
	const id = edgeId('app', 'web', port);
	await view.open();
	await view.by('signin-token').fill(token);
	await view.by('signin-send').click();
	await view.drawnEdge(id);
	await view.row(id).click();
	await expect(view.by('panel')).toBeVisible();
	await view.page.evaluate(() => Object.assign(window, { notReloaded: true }));

	gate.endSessions();
	await expect(view.by('signin')).toContainText('Sign in again');
	await expect(view.by('status')).toHaveText('signed out');
	expect(await view.edge(id)).toBeTruthy();
	await expect(view.cell(id, 'to_client')).toHaveText('4 MB');
	const asked: string[] = [];
	view.page.on('request', (request) => asked.push(request.url()));
	await app.again(1000, 2_000_000);
	await view.page.waitForTimeout(3500); // as long as it would take to ask again
	expect(asked).toEqual([]); // it is known that the answer is no

	await view.by('signin-token').fill(token);
	await view.by('signin-send').click();
	await expect(view.cell(id, 'to_client')).toHaveText('6 MB');
	await expect(view.by('status')).toHaveText('live');
	expect(await view.page.evaluate(() => 'notReloaded' in window)).toBe(true);
	expect(new URL(view.page.url()).searchParams.get('edge')).toBe(id);
});

test('without a token nobody is asked to sign in', async ({ view }) => {
	await view.open();
	await expect(view.by('status')).toHaveText('live');
	await expect(view.by('signin')).toHaveCount(0);
	await expect(view.by('signout')).toHaveCount(0);
});

test('the real server: signs in and out, and a token that is taken back ends what it began', async ({ view, millrace, complaints }) => {
	complaints.expected.push(/status of 401/);
	const server = new TokenServer();
	try {
		await server.start(token, 'another-reader-0123456789');
		millrace.door = server.url;
		await view.open('?from=-15m');
		await view.by('signin-token').fill('an-agents-token-0123456789');
		await view.by('signin-send').click();
		await expect(view.by('signin-error')).toContainText('does not know this token');
		await view.by('signin-token').fill(token);
		await view.by('signin-send').click();
		await expect(view.by('status')).toHaveText('live');
		await expect(view.by('range')).toHaveText('Last 15 min');
		const [cookie] = await view.page.context().cookies();
		expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
		await view.page.reload();
		await expect(view.by('status')).toHaveText('live');
		await view.by('signout').click();
		await expect(view.by('signin')).toContainText('This server shows');

		await view.by('signin-token').fill(token);
		await view.by('signin-send').click();
		await expect(view.by('status')).toHaveText('live');
		server.accept('another-reader-0123456789');
		await expect(view.by('signin')).toContainText('Sign in again');
		await view.by('signin-token').fill('another-reader-0123456789');
		await view.by('signin-send').click();
		await expect(view.by('status')).toHaveText('live');
		expect(new URL(view.page.url()).searchParams.get('from')).toBe('-15m');
	} finally {
		await server.remove();
	}
});

// SPDX-License-Identifier: Apache-2.0
// Who must sign in gives a token, once, and goes on where they were. Against `millrace server` with its
// tokens and an agent that reports to it.
import { test as base, expect } from './lib/test';
import { Actor } from './lib/actor';
import { Machine, Server } from './lib/server';
import { edgeId, type View } from './lib/view';

const token = 'a-reader-of-the-tests-0123456789';
const another = 'another-reader-0123456789';

interface World {
	server: Server;
	app: Actor;
	/** app's connections to web, which have carried 4 MB to it. */
	id: string;
}

const test = base.extend<{ world: World }>({
	world: async ({ view, millrace, complaints }, use) => {
		complaints.expected.push(/status of 401/);
		const server = new Server();
		await server.start(token, another);
		const machine = new Machine('node-a');
		machine.report(server.url);
		const actors = [await Actor.start('web', machine.cgroup), await Actor.start('app', machine.cgroup)] as const;
		try {
			await expect.poll(async () => (await server.graph(token)).completeness.agents.reporting, { timeout: 30_000 }).toBe(1);
			const port = await actors[0].listen();
			await actors[1].transfer(port, 1000, 4_000_000);
			millrace.door = server.url;
			await use({ server, app: actors[1], id: edgeId('app', 'web', port) });
		} finally {
			await view.page.goto('about:blank'); // its server goes now
			await Promise.all(actors.map((actor) => actor.stop()));
			await machine.remove();
			await server.remove();
		}
	},
});

async function signIn(view: View, with_: string) {
	await view.by('signin-token').fill(with_);
	await view.by('signin-send').click();
}

test('a token opens the page where the link led; a wrong one is explained; sign-out closes it', async ({ view, world }) => {
	const { app, id } = world;
	await view.open(`?from=-15m&edge=${encodeURIComponent(id)}`);
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
	const [cookie] = await view.page.context().cookies();
	expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
	expect(await view.page.evaluate(() => document.cookie)).toBe('');
	expect(await view.page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain(token);

	await view.page.reload();
	await expect(view.cell(id, 'to_client')).toHaveText('9 MB');
	await view.by('signout').click();
	await expect(view.by('signin')).toContainText('This server shows');
	await expect(view.by('signout')).toHaveCount(0);
	expect(await view.edges()).toEqual([]);
});

test('a token is taken back while somebody looks: the picture stays, and goes on after the next sign-in', async ({ view, world }) => {
	const { server, app, id } = world;
	await view.open();
	await signIn(view, token);
	await view.drawnEdge(id);
	await view.row(id).click();
	await expect(view.by('panel')).toBeVisible();
	await view.page.evaluate(() => Object.assign(window, { notReloaded: true }));

	server.accept(another);
	await expect(view.by('signin')).toContainText('Sign in again');
	await expect(view.by('status')).toHaveText('signed out');
	expect(await view.edge(id)).toBeTruthy();
	await expect(view.cell(id, 'to_client')).toHaveText('4 MB');
	const asked: string[] = [];
	view.page.on('request', (request) => asked.push(request.url()));
	await app.again(1000, 2_000_000);
	await view.page.waitForTimeout(3500); // as long as it would take to ask again
	expect(asked).toEqual([]); // it is known that the answer is no

	await signIn(view, another);
	await expect(view.cell(id, 'to_client')).toHaveText('6 MB');
	await expect(view.by('status')).toHaveText('live');
	expect(await view.page.evaluate(() => 'notReloaded' in window)).toBe(true);
	expect(new URL(view.page.url()).searchParams.get('edge')).toBe(id);
});

base('where nobody needs a token nobody is asked for one', async ({ view }) => {
	await view.open();
	await expect(view.by('status')).toHaveText('live');
	await expect(view.by('signin')).toHaveCount(0);
	await expect(view.by('signout')).toHaveCount(0);
});

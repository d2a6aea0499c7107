// SPDX-License-Identifier: Apache-2.0
// What every test has: a millrace of its own, actors that end with it, and a page that must log no
// error, break no rule of its policy and ask nobody else for anything.
import { test as base, expect, type Page } from '@playwright/test';
import { Actor, Crowd } from './actor';
import { Millrace } from './millrace';
import { View } from './view';

interface Complaints {
	list: string[];
	/** What the test itself provokes. */
	expected: RegExp[];
}

interface Fixtures {
	millrace: Millrace;
	actor: (name: string, longName?: string) => Promise<Actor>;
	crowd: (workloads: number, connections: number) => Promise<Crowd>;
	complaints: Complaints;
	view: View;
}

async function watch(page: Page, complaints: Complaints, origin: () => string) {
	await page.exposeFunction('reportViolation', (text: string) => complaints.list.push(text));
	await page.addInitScript(() => {
		document.addEventListener('securitypolicyviolation', (event) => {
			const { reportViolation } = window as unknown as { reportViolation: (text: string) => void };
			reportViolation(`policy ${event.violatedDirective} broken by ${event.blockedURI} ${event.sample}`);
		});
	});
	page.on('pageerror', (error) => complaints.list.push(`uncaught: ${error.stack ?? error.message}`));
	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type())) complaints.list.push(`console ${message.type()}: ${message.text()}`);
	});
	page.on('request', (request) => {
		if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${origin()}/`))
			complaints.list.push(`asked somebody else: ${request.url()}`);
	});
	page.on('dialog', (dialog) => {
		complaints.list.push(`dialog: ${dialog.message()}`);
		void dialog.dismiss();
	});
}

export const test = base.extend<Fixtures>({
	millrace: async ({}, use) => {
		const millrace = new Millrace();
		try {
			await millrace.start();
			await use(millrace);
		} finally {
			await millrace.remove();
		}
	},
	actor: async ({ millrace }, use) => {
		const actors: Actor[] = [];
		await use(async (name, longName) => {
			const actor = await Actor.start(name, millrace.cgroup, longName);
			actors.push(actor);
			return actor;
		});
		await Promise.all(actors.map((actor) => actor.stop()));
	},
	crowd: async ({ millrace }, use) => {
		const crowds: Crowd[] = [];
		await use(async (workloads, connections) => {
			const crowd = await Crowd.start(workloads, connections, millrace.cgroup);
			crowds.push(crowd);
			return crowd;
		});
		await Promise.all(crowds.map((crowd) => crowd.stop()));
	},
	complaints: async ({}, use) => {
		const complaints: Complaints = { list: [], expected: [] };
		await use(complaints);
		const unexpected = complaints.list.filter((text) => !complaints.expected.some((pattern) => pattern.test(text)));
		expect(unexpected, 'what the page complained of').toEqual([]);
	},
	view: async ({ page, millrace, complaints }, use) => {
		await watch(page, complaints, () => millrace.pageUrl);
		await use(new View(page, millrace));
		await page.unrouteAll({ behavior: 'ignoreErrors' }); // the server goes now
	},
});

export { expect };

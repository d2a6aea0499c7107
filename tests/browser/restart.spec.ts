// SPDX-License-Identifier: Apache-2.0
// The page outlives its server.
import { test, expect } from './lib/test';
import { edgeId } from './lib/view';

for (const [how, signal] of [['stopped', 'SIGTERM'], ['killed', 'SIGKILL']] as const)
	test(`a server that is ${how} and comes back is found again, without a reload`, async ({ view, actor, millrace, complaints }) => {
		complaints.expected.push(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);
		const web = await actor('web');
		const app = await actor('app');
		const port = await web.listen();
		await app.transfer(port, 1000, 1000);
		await view.open();
		await view.drawnEdge(edgeId('app', 'web', port));
		await view.page.evaluate(() => Object.assign(window, { notReloaded: true }));

		await millrace.stop(signal);
		await expect(view.by('status')).toContainText('server gone');
		expect(await view.edge(edgeId('app', 'web', port))).toBeTruthy(); // the last picture stays
		await expect(view.row(edgeId('app', 'web', port))).toBeVisible();

		await millrace.start();
		const later = await actor('later');
		await later.transfer(port, 70_000, 5_000_000);
		await expect(view.by('status')).toHaveText('live');
		await expect(view.cell(edgeId('later', 'web', port), 'to_client')).toHaveText('5 MB');
		await view.drawnEdge(edgeId('later', 'web', port));
		await expect(view.cell(edgeId('app', 'web', port), 'open')).toHaveText('1'); // adopted
		expect(await view.page.evaluate(() => 'notReloaded' in window)).toBe(true);
	});

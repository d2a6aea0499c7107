// SPDX-License-Identifier: Apache-2.0
// Light, dark, wide, narrow: each is drawn, and nothing hangs over the edge.
import { test, expect } from './lib/test';
import { edgeId, type View } from './lib/view';
import type { Actor } from './lib/actor';

async function some(view: View, actor: (name: string) => Promise<Actor>): Promise<string> {
	const web = await actor('web');
	const app = await actor('app');
	const port = await web.listen();
	await app.transfer(port, 1000, 1_000_000);
	await view.open();
	await view.drawnEdge(edgeId('app', 'web', port));
	await view.still();
	return edgeId('app', 'web', port);
}

/** Red, green and blue of a part of the canvas, as it is painted; from its corner on. */
function painted(view: View, x: number, y: number, width: number, height: number): Promise<number[]> {
	return view.by('map').evaluate((element, box) => {
		const map = element as HTMLCanvasElement;
		const ratio = map.width / map.getBoundingClientRect().width;
		const copy = new OffscreenCanvas(box.width * ratio, box.height * ratio);
		const context = copy.getContext('2d', { willReadFrequently: true })!;
		context.drawImage(map, -box.x * ratio, -box.y * ratio);
		const { data } = context.getImageData(0, 0, copy.width, copy.height);
		return Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i]! << 16) | (data[4 * i + 1]! << 8) | data[4 * i + 2]!);
	}, { x, y, width, height });
}

/** How many different colours there are around a point of the screen: 1 where nothing is drawn. */
async function colours(view: View, at: { x: number; y: number }): Promise<number> {
	const box = (await view.by('map').boundingBox())!;
	return new Set(await painted(view, at.x - box.x - 30, at.y - box.y - 12, 60, 24)).size;
}

async function isDark(view: View): Promise<boolean> {
	const [corner] = await painted(view, 1, 1, 1, 1); // nothing stands there
	return [16, 8, 0].every((shift) => ((corner! >> shift) & 255) < 90);
}

for (const scheme of ['light', 'dark'] as const)
	test(`follows the system's ${scheme} scheme, and the switch turns it`, async ({ view, actor }) => {
		await view.page.emulateMedia({ colorScheme: scheme });
		const id = await some(view, actor);
		expect(await isDark(view)).toBe(scheme === 'dark');
		expect(await colours(view, await view.drawnNode('process/web'))).toBeGreaterThan(3);
		await expect(view.row(id)).toBeVisible();
		await view.by('theme').click();
		await expect.poll(() => isDark(view)).toBe(scheme !== 'dark');
		await view.page.reload();
		await view.drawnEdge(id);
		await expect.poll(() => isDark(view)).toBe(scheme !== 'dark'); // and it stays
	});

for (const [width, height] of [[380, 760], [820, 1180], [1920, 1080]] as const)
	test(`fits ${width} x ${height}`, async ({ view, actor }) => {
		await view.page.setViewportSize({ width, height });
		const id = await some(view, actor);
		const inside = async () => {
			const sizes = await view.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
			expect(sizes[0]).toBeLessThanOrEqual(sizes[1]!);
		};
		await inside();
		for (const node of await view.nodes()) {
			expect(node.x).toBeGreaterThan(0);
			expect(node.x).toBeLessThan(width);
		}
		await expect(view.by('filter')).toBeInViewport();
		await expect(view.by('map')).toBeInViewport();
		await view.row(id).click();
		await expect(view.by('panel')).toBeInViewport();
		await inside();
		await view.page.keyboard.press('Escape');
		await expect(view.by('panel')).toHaveCount(0);
	});

test('an empty machine says why it is empty', async ({ view }) => {
	await view.open();
	await expect(view.by('empty')).toContainText('Nothing seen yet');
});

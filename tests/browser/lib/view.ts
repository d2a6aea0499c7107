// SPDX-License-Identifier: Apache-2.0
// The page as a reader sees it, and what it says of its canvas through window.__millrace.
import { expect, type Locator, type Page } from '@playwright/test';
import type { Millrace } from './millrace';

export interface DrawnNode {
	id: string;
	name: string;
	health: string;
	x: number; // on the screen
	y: number;
}

export interface DrawnEdge {
	id: string;
	client: string;
	server: string;
	port: number;
	health: string;
	dashed: boolean;
	width: number;
	carrier: string;
	provisional: boolean;
	x: number; // of its middle, on the screen
	y: number;
}

interface Debug {
	nodes(): DrawnNode[];
	edges(): DrawnEdge[];
	frames(): number;
}

type DebugWindow = Window & { __millrace?: Debug };

export class View {
	constructor(
		readonly page: Page,
		private readonly millrace: Millrace,
	) {}

	async open(query = '') {
		await this.page.goto(`${this.millrace.pageUrl}/${query}`);
	}

	by(testId: string): Locator {
		return this.page.getByTestId(testId);
	}

	row(edge: string): Locator {
		return this.by(`row-${edge}`);
	}

	cell(edge: string, column: string): Locator {
		return this.row(edge).locator(`.c-${column}`);
	}

	/** Ids of the table's rows, from the top. */
	order(): Promise<string[]> {
		return this.by('table').locator('tr[data-edge]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-edge') ?? ''));
	}

	nodes(): Promise<DrawnNode[]> {
		return this.page.evaluate(() => (window as DebugWindow).__millrace?.nodes() ?? []);
	}

	edges(): Promise<DrawnEdge[]> {
		return this.page.evaluate(() => (window as DebugWindow).__millrace?.edges() ?? []);
	}

	frames(): Promise<number> {
		return this.page.evaluate(() => (window as DebugWindow).__millrace?.frames() ?? 0);
	}

	async edge(id: string): Promise<DrawnEdge | undefined> {
		return (await this.edges()).find((edge) => edge.id === id);
	}

	async node(id: string): Promise<DrawnNode | undefined> {
		return (await this.nodes()).find((node) => node.id === id);
	}

	/** Waits until the map has it; what it is then. */
	async drawnEdge(id: string): Promise<DrawnEdge> {
		await expect.poll(() => this.edge(id), { message: `the map shows ${id}` }).toBeTruthy();
		return (await this.edge(id))!;
	}

	async drawnNode(id: string): Promise<DrawnNode> {
		await expect.poll(() => this.node(id), { message: `the map shows ${id}` }).toBeTruthy();
		return (await this.node(id))!;
	}

	/** Waits until nothing on the map has moved for some frames: a fit is over. */
	async still() {
		let before = '';
		await expect
			.poll(async () => {
				const now = JSON.stringify((await this.nodes()).map(({ id, x, y }) => [id, x, y]));
				const same = now === before;
				before = now;
				return same;
			}, { intervals: [150] })
			.toBe(true);
	}
}

export function edgeId(client: string, server: string, port: number): string {
	return `process/${client}|process/${server}|tcp/${port}`;
}

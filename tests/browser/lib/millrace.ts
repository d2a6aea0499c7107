// SPDX-License-Identifier: Apache-2.0
// `millrace up` as a user has it, watching one cgroup, so that nothing else on the machine is seen.
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, start, type Started } from './process';

export interface Edge {
	id: string;
	client: string;
	server: string;
	port: number;
	health: string;
	bytes_to_server: number;
	bytes_to_client: number;
	connections: { attempted: number; opened: number; active: number; adopted: number; failed: Record<string, number> };
}

export interface Graph {
	nodes: { id: string; name: string; health: string; position: { x: number; y: number } }[];
	edges: Edge[];
	completeness: { share: number; agents: { expected: number; reporting: number } };
}

/** Where the programs are; tests/browser/run says. */
export const build = process.env.BUILD ?? '../../build';

function cgroupRoot(): string {
	const line = readFileSync('/proc/self/mountinfo', 'utf8')
		.split('\n')
		.find((candidate) => / - cgroup2 /.test(candidate));
	if (!line) throw new Error('cgroup v2 is not mounted: millrace cannot observe one cgroup only');
	return line.split(' ')[4]!;
}

export function makeCgroup(): string {
	return mkdtempSync(join(cgroupRoot(), 'millrace-browser-'));
}

/** After everybody in it has ended. */
export async function removeCgroup(cgroup: string) {
	for (let left = 100; left > 0; left--) {
		try {
			return rmdirSync(cgroup);
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 20)); // the last of them is just ending
		}
	}
}

export class Millrace {
	readonly cgroup = makeCgroup();
	url = '';
	/** Where the page is got, if not there. */
	door = '';
	private port = 0;
	private running: Started | null = null;

	/** Starts it and waits until it answers; a second time on the same port. */
	async start() {
		this.port ||= await freePort();
		this.url = `http://127.0.0.1:${this.port}`;
		this.running = start(join(build, 'millrace'), ['up', '--listen', `127.0.0.1:${this.port}`, '--cgroup', this.cgroup]);
		while (!(await this.answers())) {
			const { exitCode } = this.running.child;
			if (exitCode !== null) throw new Error(`millrace up ended with ${exitCode}: ${await this.running.stop()}`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	async stop(signal: NodeJS.Signals = 'SIGTERM') {
		await this.running?.stop(signal);
		this.running = null;
	}

	async remove() {
		await this.stop();
		await removeCgroup(this.cgroup);
	}

	/** What a browser opens. */
	get pageUrl(): string {
		return this.door || this.url;
	}

	private async answers(): Promise<boolean> {
		try {
			return (await fetch(`${this.url}/healthz`)).ok;
		} catch {
			return false;
		}
	}

	async graph(query = ''): Promise<Graph> {
		const answer = await fetch(`${this.url}/api/v1/graph${query}`);
		if (!answer.ok) throw new Error(`/api/v1/graph${query}: ${answer.status} ${await answer.text()}`);
		return (await answer.json()) as Graph;
	}
}

// SPDX-License-Identifier: Apache-2.0
// `millrace server` and agents that report to it, as many machines have them.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, makeCgroup, removeCgroup, type Graph } from './millrace';
import { freePort, start, type Started } from './process';

export class Server {
	url = '';
	private readonly dir = mkdtempSync('/tmp/millrace-server-');
	private readonly tokens = join(this.dir, 'readers');
	private running: Started | null = null;
	private listen = '';
	private isOpen = true;

	/** With tokens readers need one of them. */
	async start(...tokens: string[]) {
		chmodSync(this.dir, 0o755); // the server gives up root
		this.accept(...tokens);
		this.listen = `127.0.0.1:${await freePort()}`;
		this.url = `http://${this.listen}`;
		await this.run();
	}

	private async run() {
		const what = ['--listen', this.listen, '--data', join(this.dir, 'data')];
		this.running = start(join(build, 'millrace'), ['server', ...what, ...(this.isOpen ? [] : ['--reader-tokens', this.tokens])]);
		while (!(await this.answers())) {
			const { exitCode } = this.running.child;
			if (exitCode !== null) throw new Error(`millrace server ended with ${exitCode}: ${await this.running.stop()}`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	/** Is killed, and starts again with what it had kept. */
	async restart() {
		await this.running?.stop('SIGKILL');
		await this.run();
	}

	async graph(token: string): Promise<Graph> {
		const answer = await fetch(`${this.url}/api/v1/graph`, { headers: { Authorization: `Bearer ${token}` } });
		if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
		return (await answer.json()) as Graph;
	}

	/** These are valid from now on, and no others. */
	accept(...tokens: string[]) {
		this.isOpen = tokens.length === 0;
		writeFileSync(this.tokens, tokens.map((token) => `${token}\n`).join(''));
	}

	async remove() {
		await this.running?.stop();
		rmSync(this.dir, { recursive: true, force: true });
	}

	private async answers(): Promise<boolean> {
		try {
			return (await fetch(`${this.url}/healthz`)).ok;
		} catch {
			return false;
		}
	}
}

/** A machine, as far as one kernel can be several: a cgroup with an agent of its own. */
export class Machine {
	readonly cgroup = makeCgroup();
	private running: Started | null = null;

	constructor(
		readonly node: string,
		readonly zone = '',
	) {}

	report(server: string) {
		const where = ['--node', this.node, '--metadata', 'off', ...(this.zone ? ['--zone', this.zone, '--region', 'eu'] : [])];
		this.running = start(join(build, 'millrace'), ['agent', '--server', server, '--cgroup', this.cgroup, ...where]);
	}

	/** The agent alone; what runs there goes on. */
	kill() {
		return this.running?.stop('SIGKILL');
	}

	async remove() {
		await this.running?.stop();
		await removeCgroup(this.cgroup);
	}
}

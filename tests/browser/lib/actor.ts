// SPDX-License-Identifier: Apache-2.0
// Programs that make traffic; see actor.c and crowd.c.
import { join } from 'node:path';
import { build } from './millrace';
import { start, type Started } from './process';

const programs = join(build, 'tests/browser');

/** A program of any name that listens and transfers when told to. */
export class Actor {
	private constructor(
		private readonly process: Started,
		readonly name: string,
	) {}

	/** longName: what its command line calls it, where the kernel's 15 bytes are too few. */
	static async start(name: string, cgroup: string, longName = name): Promise<Actor> {
		const actor = new Actor(start(join(programs, 'browser-actor'), [name, cgroup], { argv0: longName }), name);
		await actor.command('close'); // it is in its place when it has answered
		return actor;
	}

	private async command(line: string): Promise<number> {
		this.process.say(`${line}\n`);
		const answer = await this.process.line();
		if (!answer.startsWith('ok ')) throw new Error(`${this.name}: ${line}: ${answer}`);
		return Number(answer.slice(3));
	}

	/** Serves on a port of 127.0.0.1 from now on; which one it is. */
	listen(port = 0) {
		return this.command(`listen ${port}`);
	}

	/** Over a new connection that stays open; payload in bytes, at least 16 to the server. */
	transfer(port: number, toServer: number, toClient: number) {
		return this.command(`transfer ${port} ${toServer} ${toClient}`);
	}

	/** Once more over the last connection. */
	again(toServer: number, toClient: number) {
		return this.command(`again ${toServer} ${toClient}`);
	}

	/** Connects where nobody listens. */
	async fail(port: number) {
		const answer = await this.command(`try ${port}`).catch((error: Error) => error.message);
		if (!/Connection refused/.test(String(answer))) throw new Error(`${this.name}: expected a refusal, got ${answer}`);
	}

	close() {
		return this.command('close');
	}

	stop() {
		return this.process.stop();
	}
}

/** Hundreds of workloads that talk all the time. */
export class Crowd {
	private constructor(private readonly process: Started) {}

	static async start(workloads: number, connections: number, cgroup: string, firstPort = 21000): Promise<Crowd> {
		const numbers = [workloads, connections, firstPort].map(String);
		const crowd = new Crowd(start(join(programs, 'browser-crowd'), [...numbers, cgroup]));
		await crowd.process.line();
		return crowd;
	}

	stop() {
		return this.process.stop();
	}
}

// SPDX-License-Identifier: Apache-2.0
// Processes that a test starts: they end with it, and what they said is kept for when it fails.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

export interface Started {
	child: ChildProcess;
	/** The next line that it says; rejects when it ends instead. */
	line(): Promise<string>;
	say(text: string): void;
	/** Ends it; what it said. */
	stop(signal?: NodeJS.Signals): Promise<string>;
}

export interface HowToStart {
	argv0?: string;
	cwd?: string;
	uid?: number;
	gid?: number;
}

export function start(file: string, args: string[], how: HowToStart = {}): Started {
	const child = spawn(file, args, { ...how, stdio: ['pipe', 'pipe', 'pipe'] });
	const lines: string[] = [];
	const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
	let said = '';
	let ended = false;
	const end = (why: string) => {
		ended = true;
		for (const { reject } of waiting.splice(0)) reject(new Error(`${file} ${args.join(' ')} ended ${why}: ${said}`));
	};
	const hear = (text: string) => {
		said += `${text}\n`;
		const first = waiting.shift();
		if (first) first.resolve(text);
		else lines.push(text);
	};
	createInterface({ input: child.stdout! }).on('line', hear);
	child.stderr!.on('data', (data: Buffer) => (said += data.toString()));
	child.stdin!.on('error', () => undefined);
	child.on('error', (error) => end(error.message));
	child.on('exit', (code, signal) => end(`with ${code ?? signal}`));
	return {
		child,
		say: (text) => child.stdin!.write(text),
		line: () => {
			const next = lines.shift();
			if (next !== undefined) return Promise.resolve(next);
			if (ended) return Promise.reject(new Error(`${file} has ended: ${said}`));
			return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
		},
		stop: async (signal = 'SIGTERM') => {
			if (child.exitCode === null && child.signalCode === null && child.pid) {
				const gone = once(child, 'exit');
				child.kill(signal);
				await gone;
			}
			return said;
		},
	};
}

/** A TCP port on 127.0.0.1 that nobody has now. */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

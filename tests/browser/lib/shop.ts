// SPDX-License-Identifier: Apache-2.0
// A shop of real programs: visitors -> nginx -> services -> redis and PostgreSQL, with a bank that
// nobody can reach and a search that is down.
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { freePort, start, type Started } from './process';

const enter = 'echo 0 > "$0/cgroup.procs" && exec "$@"'; // the cgroup first, then the program

/** Whether somebody listens there; asked of the kernel, since a connection would be seen. */
function isTaken(port: number): boolean {
	const place = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
	return readFileSync('/proc/net/tcp', 'utf8')
		.split('\n')
		.map((line) => line.trim().split(/\s+/))
		.some(([, local, , state]) => state === '0A' && (local === place || local === place.replace('0100007F', '00000000')));
}

/** The port that everybody knows, if nobody has it. */
async function usual(port: number): Promise<number> {
	return isTaken(port) ? freePort() : port;
}

export class Shop {
	private readonly running: Started[] = [];
	private readonly dir = mkdtempSync('/tmp/millrace-shop-');

	/** cgroupOf: where a program of this name runs. */
	constructor(private readonly cgroupOf: (name: string) => string) {}

	private run(name: string, file: string, args: string[], uid?: number) {
		const how = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--clear-groups`];
		this.running.push(start('sh', ['-c', enter, this.cgroupOf(name), ...how, file, ...args], { cwd: this.dir }));
	}

	private async serve(name: string, port: number, file: string, args: string[], uid?: number) {
		this.run(name, file, args, uid);
		for (let left = 200; left > 0 && !isTaken(port); left--) await new Promise((resolve) => setTimeout(resolve, 50));
	}

	private service(name: string, port: number, size: number, ...others: string[]) {
		const args = [join(process.cwd(), 'shots/shop.mjs'), name, String(port), String(size), ...others];
		return port ? this.serve(name, port, process.execPath, args) : this.run(name, process.execPath, args);
	}

	private async redis(): Promise<number> {
		const port = await usual(6379);
		await this.serve('redis', port, 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--daemonize', 'no']);
		return port;
	}

	private async postgres(): Promise<number> {
		const [version] = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort().reverse() : [];
		if (!version) throw new Error('cannot run PostgreSQL: it is not installed; apt-get install postgresql');
		const bin = `/usr/lib/postgresql/${version}/bin`;
		const uid = Number(execFileSync('id', ['-u', 'postgres']).toString());
		const port = await usual(5432);
		const data = join(this.dir, 'data');
		chownSync(this.dir, uid, -1);
		execFileSync('setpriv', [`--reuid=${uid}`, '--clear-groups', `${bin}/initdb`, '-D', data, '-A', 'trust', '-U', 'postgres', '-N']);
		await this.serve('postgres', port, `${bin}/postgres`, ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', this.dir], uid);
		return port;
	}

	private async nginx(to: number): Promise<number> {
		const port = await usual(8080);
		const conf = join(this.dir, 'nginx.conf');
		writeFileSync(
			conf,
			`daemon off; worker_processes 1; pid ${this.dir}/nginx.pid; error_log ${this.dir}/error.log;
			events {} http { access_log off; upstream shop { server 127.0.0.1:${to}; keepalive 4; }
			server { listen 127.0.0.1:${port}; location / { proxy_pass http://shop;
			proxy_http_version 1.1; proxy_set_header Connection ""; } } }`,
		);
		await this.serve('nginx', port, 'nginx', ['-c', conf, '-e', `${this.dir}/error.log`]);
		return port;
	}

	async start() {
		const [redis, postgres, bank, search] = [await this.redis(), await this.postgres(), await usual(8443), await usual(9200)];
		const [frontend, catalog, cart, checkout, payment, shipping, currency] = await Promise.all([usual(5000), usual(5001), usual(5002), usual(5003), usual(5004), usual(5005), usual(5006)]);
		await this.service('currency', currency!, 400);
		await this.service('catalog', catalog!, 24_000, `postgres=${postgres}`, `http=${search}/0.2`);
		await this.service('cart', cart!, 900, `redis=${redis}`);
		await this.service('payment', payment!, 300, `http=${bank}`);
		await this.service('shipping', shipping!, 500, `postgres=${postgres}/0.5`);
		await this.service('checkout', checkout!, 1200, `http=${payment}`, `http=${shipping}`, `http=${currency}`);
		await this.service('frontend', frontend!, 60_000, `http=${catalog}`, `http=${cart}`, `http=${currency}/0.5`, `redis=${redis}/0.3`, `http=${checkout}/0.15`);
		const nginx = await this.nginx(frontend!);
		this.service('visitors', 0, 0, `http=${nginx}`);
		return { bank, search, frontend: frontend!, catalog: catalog!, nginx };
	}

	async stop() {
		await Promise.all(this.running.reverse().map((program) => program.stop('SIGINT')));
		rmSync(this.dir, { recursive: true, force: true });
	}
}

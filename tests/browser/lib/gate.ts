// SPDX-License-Identifier: Apache-2.0
// A server in front of millrace that wants a token: what /api/v1/session does, over real HTTP, and a
// session that a test can end at will.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const cookieName = 'millrace_session';

export class Gate {
	url = '';
	private readonly sessions = new Set<string>();
	private readonly server = createServer((req, res) => void this.serve(req, res));

	constructor(
		private readonly inner: () => string,
		private readonly token: string,
	) {}

	async open() {
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	/** Ends every session, and what is open for them. */
	endSessions() {
		this.sessions.clear();
		this.server.closeAllConnections();
	}

	async close() {
		this.server.closeAllConnections();
		this.server.close();
		await once(this.server, 'close');
	}

	private isIn(req: IncomingMessage): boolean {
		const cookies = (req.headers.cookie ?? '').split(/;\s*/);
		return cookies.some((cookie) => cookie.startsWith(`${cookieName}=`) && this.sessions.has(cookie.slice(cookieName.length + 1)));
	}

	private async serve(req: IncomingMessage, res: ServerResponse) {
		const path = new URL(req.url ?? '/', 'http://gate').pathname;
		if (path === '/api/v1/session') return this.session(req, res);
		if (path.startsWith('/api/') && !this.isIn(req)) return say(res, 401, { error: 'sign in first: POST a token to /api/v1/session' });
		this.forward(req, res);
	}

	private async session(req: IncomingMessage, res: ServerResponse) {
		if (req.method === 'GET') return say(res, 200, { required: true, signed_in: this.isIn(req) });
		if (req.method === 'DELETE') {
			this.sessions.clear();
			res.setHeader('Set-Cookie', `${cookieName}=; Path=/; Max-Age=0`);
			return say(res, 204);
		}
		let body = '';
		for await (const chunk of req) body += String(chunk);
		if ((JSON.parse(body) as { token: string }).token !== this.token) return say(res, 401, { error: 'no such token' });
		const session = randomBytes(16).toString('hex');
		this.sessions.add(session);
		res.setHeader('Set-Cookie', `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/`);
		return say(res, 204);
	}


	private forward(req: IncomingMessage, res: ServerResponse) {
		const inner = new URL(this.inner());
		const out = request(new URL(req.url ?? '/', inner), { method: req.method, headers: { ...req.headers, host: inner.host } }, (answer) => {
			res.writeHead(answer.statusCode ?? 502, answer.headers);
			answer.pipe(res);
		});
		out.on('error', () => res.destroy());
		res.on('close', () => out.destroy());
		req.pipe(out);
	}
}

function say(res: ServerResponse, status: number, body?: object) {
	res.writeHead(status, { 'Content-Type': 'application/json' });
	res.end(body ? JSON.stringify(body) : undefined);
}

// SPDX-License-Identifier: Apache-2.0
// A service of a little shop, real enough for pictures:
//
//     node shop.mjs NAME PORT ANSWER_BYTES [KIND=PORT[/SHARE]...]
//
// Answers HTTP on its port after it has asked the others: http, redis (GET and SET) or postgres (a
// query). SHARE of 0.1: only every tenth time. PORT 0: it is a visitor, who asks 25 times a second.
import { createServer, Agent, get } from 'node:http';
import { connect } from 'node:net';

const [name, port, size, ...others] = process.argv.slice(2);
process.title = name;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const answer = Buffer.alloc(Number(size), '.');

function ask(port) {
	return new Promise((resolve) => {
		const request = get({ host: '127.0.0.1', port, agent, timeout: 2000 }, (reply) => reply.on('end', resolve).resume());
		request.on('error', resolve); // a shop goes on without
	});
}

/** One connection, one question at a time; each answer comes in one piece. */
function line(port, hello) {
	const socket = connect(port, '127.0.0.1');
	let last = Promise.resolve();
	const take = () => new Promise((resolve) => socket.once('data', resolve));
	socket.on('error', () => undefined);
	if (hello) last = (socket.write(hello), take());
	return (question) => (last = last.then(() => (socket.write(question), take())));
}

function message(type, body) {
	const size = Buffer.alloc(4);
	size.writeInt32BE(body.length + 4);
	return Buffer.concat([Buffer.from(type), size, body]);
}

const makers = {
	http: (port) => () => ask(port),
	redis: (port) => {
		const send = line(port);
		return async () => {
			await send(`SET cart:${Math.floor(Math.random() * 50)} ${'x'.repeat(300)}\r\n`);
			await send(`GET cart:${Math.floor(Math.random() * 50)}\r\n`);
		};
	},
	postgres: (port) => {
		const version = Buffer.from([0, 3, 0, 0]);
		const send = line(port, message('', Buffer.concat([version, Buffer.from('user\0postgres\0database\0postgres\0\0')])));
		return () => send(message('Q', Buffer.from("select repeat('product ', 400)\0")));
	},
};

const calls = others.map((other) => {
	const [, kind, at, share] = /^(\w+)=(\d+)(?:\/([\d.]+))?$/.exec(other);
	return { call: makers[kind](Number(at)), share: Number(share ?? 1) };
});

async function work() {
	for (const { call, share } of calls) if (Math.random() < share) await call();
}

if (Number(port) === 0) {
	setInterval(() => void work(), 40);
} else {
	createServer({ keepAliveTimeout: 60_000 }, async (_, reply) => {
		await work();
		reply.end(answer);
	}).listen(Number(port), '127.0.0.1');
}

// SPDX-License-Identifier: Apache-2.0
// Proves: an edge's figures become the right words, and the most urgent finding gives the advice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { dnsErrors, failedCount, neverCompletes, verdict } from './judge';
import { findings } from './why';
import { counts, edge, node } from './example_for_test';
import type { Failures, GraphEdge } from '../net/types';

const failed = (part: Partial<Failures>) => part as Failures;
const names = { client: 'web', server: 'db' };

function make(part: Parameters<typeof counts>[0], more: Partial<GraphEdge> = {}): GraphEdge {
	return edge('web', 'db', 5432, { connections: counts(part), ...more });
}

test('refused and never opened: dashed, and named', () => {
	const bad = make({ attempted: 3200, failed: failed({ refused: 3200 }) }, { health: 'failing' });
	assert.ok(neverCompletes(bad));
	assert.equal(failedCount(bad), 3200);
	assert.equal(verdict(bad), '3.2k refused');
	assert.match(findings(bad, names, node('db'))[0]?.advice ?? '', /^start the server on db port 5432/);
});

test('who listens now but refused before was restarted', () => {
	const server = { ...node('db'), listeners: [{ transport: 'tcp', address: '', port: 5432, drops: 0, queue: 0, queue_max: 1 }] };
	const bad = make({ attempted: 9, opened: 8, failed: failed({ refused: 1 }) }, { health: 'degraded' });
	assert.equal(neverCompletes(bad), false);
	assert.match(findings(bad, names, server)[0]?.advice ?? '', /restarted/);
});

test('no answer at all is more urgent than a refusal', () => {
	const bad = make({ attempted: 9, failed: failed({ refused: 7, timed_out: 2 }) }, { health: 'failing' });
	assert.match(findings(bad, names, node('db'))[0]?.text ?? '', /2 attempts timed out/);
});

test('nobody answers since the queue of the listener is full: no firewall is to blame', () => {
	const full = { ...node('db'), listeners: [{ transport: 'tcp', address: '', port: 5432, drops: 8, queue: 1, queue_max: 0 }] };
	const bad = make({ attempted: 9, failed: failed({ timed_out: 2 }) }, { health: 'failing' });
	assert.match(findings(bad, names, full)[0]?.advice ?? '', /^make db accept faster/);
});

test('a healthy edge has no findings', () => {
	const good = make({ attempted: 5, opened: 5, active: 1 });
	assert.equal(verdict(good), 'ok');
	assert.deepEqual(findings(good, names, node('db')), []);
});

test('attempts that wait are dashed while none got through', () => {
	assert.ok(neverCompletes(make({ attempted: 1, pending: 1 }, { health: 'failing' })));
	assert.equal(neverCompletes(make({ attempted: 2, opened: 1, active: 1, pending: 1 })), false);
	assert.equal(verdict(make({ attempted: 1, pending: 1 }, { health: 'failing' })), '1 pending');
});

test('UDP has no connections to count, and what a full queue drops is told', () => {
	const udp = edge('web', 'db', 53, { transport: 'udp', connections: null, health: 'degraded', datagrams_to_server: 90, datagrams_dropped_to_server: 10 });
	assert.equal(neverCompletes(udp), false);
	assert.equal(verdict(udp), '10 dropped');
	assert.match(findings(udp, names, node('db'))[0]?.advice ?? '', /^make db read faster/);
});

test('who waits for the reader is told, from a fifth of the time on', () => {
	const slow = { busy: 1000, receive_window: 400, send_buffer: 100 };
	const found = findings(make({ opened: 1 }, { limited_us_to_client: slow }), names, node('db'));
	assert.equal(found.length, 1);
	assert.match(found[0]?.text ?? '', /^db waits for web to read, 40 % of/);
});

test('DNS errors have words, and the most frequent comes first', () => {
	const latency_us = { count: 0, min: 0, p50: 0, p95: 0, p99: 0, max: 0 };
	const dns = { queries: 9, answers: 8, timeouts: 1, errors: { servfail: 1, nxdomain: 4, strange: 1 }, latency_us };
	assert.deepEqual(dnsErrors(dns).map(({ words, count }) => `${words} ${count}`), ['No such name 4', 'Server failed 1', 'strange 1']);
});

test('what a host drops itself comes before every guess, while nothing opens', () => {
	const bad = make({ attempted: 9, pending: 1, failed: failed({ timed_out: 2 }) }, { health: 'failing', drops: { NETFILTER_DROP: 6 } });
	const full = { ...node('db'), listeners: [{ transport: 'tcp', address: '', port: 5432, drops: 8, queue: 1, queue_max: 0 }] };
	const [first] = findings(bad, names, full);
	assert.equal(first?.text, "6 packets dropped on web's own host by its firewall (NETFILTER_DROP)");
	assert.match(first?.advice ?? '', /^look for the rule: .* on the host of web: its firewall drops packets for port 5432 itself/);
	const seen = { ...bad, drops: { constructor: 1 }, server_view: { ...bad, drops: { constructor: 1 } } };
	assert.match(findings(seen, names, full)[0]?.text ?? '', /on db's own host by its network stack/);
});

test('names that nobody answers are told', () => {
	const latency_us = { count: 0, min: 0, p50: 0, p95: 0, p99: 0, max: 0 };
	const dns = { queries: 9, answers: 8, timeouts: 1, errors: { servfail: 2 }, latency_us };
	const found = findings(make({ attempted: 1, opened: 1 }, { dns }), names, node('db'));
	assert.deepEqual(found.map(({ text }) => text), ['1 query for names never answered', '2 queries that db could not resolve (SERVFAIL)']);
});

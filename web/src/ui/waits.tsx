// SPDX-License-Identifier: Apache-2.0
// Why senders wait: of the time in which a sender had data to send, how long it waited for the
// receiver to read, for its own send buffer, and how long for the network alone.
import { Name } from './parts';
import { micros, percent } from '../model/format';
import type { GraphEdge, Limited } from '../net/types';

function Bar({ limited, sender, receiver }: { limited: Limited; sender: string; receiver: string }) {
	const busy = Math.max(limited.busy, limited.receive_window + limited.send_buffer);
	const parts = [
		{ key: 'network', share: (busy - limited.receive_window - limited.send_buffer) / busy, words: 'network' },
		{ key: 'window', share: limited.receive_window / busy, words: 'receiver to read' },
		{ key: 'buffer', share: limited.send_buffer / busy, words: 'own send buffer' },
	];
	return (
		<div class="wait">
			<p>
				<Name text={sender} /> had data for <Name text={receiver} /> during <b>{micros(limited.busy)}</b> and waited for
			</p>
			<div class="bar" aria-hidden="true">
				{parts.map((part) => (
					<span key={part.key} class={part.key} style={{ flexGrow: part.share }} />
				))}
			</div>
			<ul>
				{parts.map((part) => (
					<li key={part.key} class={part.key}>
						{part.words} <b>{percent(part.share)}</b>
					</li>
				))}
			</ul>
		</div>
	);
}

export function Waits({ edge, client, server }: { edge: GraphEdge; client: string; server: string }) {
	const up = edge.limited_us_to_server;
	const down = edge.limited_us_to_client;
	if (up.busy <= 0 && down.busy <= 0) return null;
	return (
		<section class="waits" data-testid="waits">
			<h3>Why senders wait</h3>
			{up.busy > 0 && <Bar limited={up} sender={client} receiver={server} />}
			{down.busy > 0 && <Bar limited={down} sender={server} receiver={client} />}
		</section>
	);
}

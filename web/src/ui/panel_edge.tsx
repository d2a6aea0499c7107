// SPDX-License-Identifier: Apache-2.0
// One edge: does it work, why not, how fast, why do senders wait, who is connected right now.
import { Charts } from './charts';
import { ConnectionList } from './connections';
import { Fact, HealthMark, KindIcon, Name } from './parts';
import { Times } from './times';
import { Waits } from './waits';
import { bytes, count, percent, rate } from '../model/format';
import { datagrams, dnsErrors, failedCount, healthWords, verdict } from '../model/judge';
import { clean } from '../model/names';
import { rateWord, since } from '../model/tense';
import { findings } from '../model/why';
import { carrierText, isFar, placeText, provisionalText, tagsOf, zonesText } from '../model/zones';
import type { Rates } from '../model/rates';
import type { Selection, UrlState } from '../model/urlstate';
import type { Dns, Graph, GraphEdge, GraphNode } from '../net/types';

interface Props {
	graph: Graph;
	edge: GraphEdge;
	rates: Rates;
	url: UrlState;
	onSelect: (selection: Selection) => void;
}

interface Ends {
	client: GraphNode | undefined;
	server: GraphNode | undefined;
}

function EndButton({ node, onSelect }: { node: GraphNode | undefined; onSelect: Props['onSelect'] }) {
	if (!node) return null;
	return (
		<button type="button" class="end-button" onClick={() => onSelect({ kind: 'node', id: node.id })}>
			<KindIcon kind={node.kind} />
			<Name text={node.name} />
		</button>
	);
}

function Title({ edge, ends, onSelect }: { edge: GraphEdge; ends: Ends; onSelect: Props['onSelect'] }) {
	return (
		<header>
			<h2 class="ends">
				<EndButton node={ends.client} onSelect={onSelect} />
				<span class="to" aria-label="to">
					→
				</span>
				<EndButton node={ends.server} onSelect={onSelect} />
			</h2>
			<p class="sub">
				<span>
					{edge.transport} port {edge.port || 'unknown'}
				</span>
				{placeText(edge) && <bdi class={isFar(edge) ? 'far' : undefined}>{placeText(edge)}</bdi>}
				<HealthMark
					health={edge.health}
					words={edge.health === 'ok' ? healthWords.ok : `${healthWords[edge.health]}: ${verdict(edge)}`}
				/>
			</p>
		</header>
	);
}

/** What an edge is that is not like the others, and why it matters to who reads the figures. */
function Notices({ edge }: { edge: GraphEdge }) {
	const texts = [carrierText(edge.carrier), edge.provisional ? provisionalText : ''].filter(Boolean);
	return (
		<>
			{texts.map((text) => (
				<p key={text} class="notice" data-testid="notice">
					{text}
				</p>
			))}
		</>
	);
}

function Findings({ edge, ends }: { edge: GraphEdge; ends: Ends }) {
	const names = { client: clean(ends.client?.name ?? '', 40), server: clean(ends.server?.name ?? '', 40) };
	const found = findings(edge, names, ends.server);
	const first = found[0];
	if (!first) return null;
	return (
		<section class={`findings ${edge.health}`} data-testid="findings">
			<ul>
				{found.map((finding) => (
					<li key={finding.text}>
						<bdi>{finding.text}</bdi>
					</li>
				))}
			</ul>
			<p>
				<b>What to do next:</b> <bdi>{first.advice}</bdi>.
			</p>
		</section>
	);
}

function Facts({ graph, edge, rates, url: { time } }: Props) {
	const when = rateWord(rates, time);
	const now = rates.of(edge.id);
	const c = edge.connections;
	const packets = datagrams(edge);
	const again = edge.retransmits_to_server + edge.retransmits_to_client;
	const segments = edge.segments_to_server + edge.segments_to_client;
	const adopted = edge.adopted_bytes_to_server + edge.adopted_bytes_to_client;
	return (
		<dl class="facts" data-testid="facts">
			<Fact label={`To server ${when}`}>{rate(now.to_server)}</Fact>
			<Fact label={`To client ${when}`}>{rate(now.to_client)}</Fact>
			<Fact label="To server">{bytes(edge.bytes_to_server)}</Fact>
			<Fact label="To client">{bytes(edge.bytes_to_client)}</Fact>
			{c ? (
				<>
					<Fact label={time.kind === 'live' ? 'Open now' : 'Open at the end'} hint={c.adopted > 0 ? `${count(c.adopted)} of them were open before millrace came` : undefined}>
						{count(c.active)}
					</Fact>
					<Fact label="Opened">
						{count(c.opened)} <small>of {count(c.attempted)}</small>
					</Fact>
					<Fact label="Failed">{count(failedCount(edge))}</Fact>
					<Fact label="Sent again" hint="Segments that had to be sent again">
						{count(again)} {segments > 0 && again > 0 && <small>{percent(again / segments)}</small>}
					</Fact>
				</>
			) : (
				<>
					<Fact label="Datagrams">{count(packets.sent)}</Fact>
					<Fact label="Dropped" hint="Thrown away by a full receive queue">
						{count(packets.dropped)}
					</Fact>
				</>
			)}
			{adopted > 0 && (
				<Fact label="Before millrace" hint="What connections had carried already when they were found open">
					{bytes(adopted)}
				</Fact>
			)}
			<Fact label="Last moved">{edge.last_seen > 0 ? since(graph, edge.last_seen, time) : 'not in this range'}</Fact>
			{edge.first_seen > 0 && <Fact label="First seen">{since(graph, edge.first_seen, time)}</Fact>}
		</dl>
	);
}

/** What was asked of a name server here. */
function Queries({ dns }: { dns: Dns }) {
	return (
		<section data-testid="dns">
			<h3>DNS</h3>
			<dl class="facts">
				<Fact label="Queries">{count(dns.queries)}</Fact>
				<Fact label="Answers">{count(dns.answers)}</Fact>
				<Fact label="Not answered" hint="No answer within 5 s, or asked again">
					{count(dns.timeouts)}
				</Fact>
				{dnsErrors(dns).map(({ code, words, count: times }) => (
					<Fact key={code} label={words} hint={`Answers with the code ${code.toUpperCase()}`}>
						{count(times)} <small>{percent(times / Math.max(dns.answers, times))}</small>
					</Fact>
				))}
			</dl>
		</section>
	);
}

const siblingsMax = 50;

/** More ports, or zones, between the same two: on the map they may be one line. */
function Siblings({ graph, edge, onSelect }: { graph: Graph; edge: GraphEdge; onSelect: Props['onSelect'] }) {
	const others = graph.edges.filter((other) => other !== edge && other.client === edge.client && other.server === edge.server);
	if (others.length === 0) return null;
	return (
		<section class="peers">
			<h3>
				Others between the two <small>{others.length}</small>
			</h3>
			<ul>
				{others.slice(0, siblingsMax).map((other) => (
					<li key={other.id}>
						<button type="button" onClick={() => onSelect({ kind: 'edge', id: other.id })}>
							<span class="dim">{other.transport}</span>
							<span class="who">
								{other.port} <bdi class="dim">{[zonesText(other), ...tagsOf(other)].filter(Boolean).join(', ')}</bdi>
							</span>
							<span class="dim">{bytes(other.bytes_to_server + other.bytes_to_client)}</span>
							<HealthMark health={other.health} words={verdict(other)} />
						</button>
					</li>
				))}
			</ul>
		</section>
	);
}

export function EdgePanel(props: Props) {
	const { graph, edge, url, onSelect } = props;
	const find = (id: string) => graph.nodes.find((node) => node.id === id);
	const ends = { client: find(edge.client), server: find(edge.server) };
	return (
		<>
			<Title edge={edge} ends={ends} onSelect={onSelect} />
			<Notices edge={edge} />
			<Findings edge={edge} ends={ends} />
			<Facts {...props} />
			{edge.dns && <Queries dns={edge.dns} />}
			<Times rtt={edge.rtt_us} connect={edge.connect_us} dns={edge.dns?.latency_us} isTcp={edge.connections !== null} />
			<Waits edge={edge} client={ends.client?.name ?? ''} server={ends.server?.name ?? ''} />
			<Charts query={{ edge: edge.id, by: 'edge', rtt: 1, group: url.group }} time={url.time} take={(line) => line.edge === edge.id} connections={edge.connections !== null} />
			{edge.connections && <ConnectionList edge={edge} ends={ends} url={url} />}
			<Siblings graph={graph} edge={edge} onSelect={onSelect} />
		</>
	);
}

// SPDX-License-Identifier: Apache-2.0
// One node: who it is, where it listens, who asks it and whom it asks.
import { Charts } from './charts';
import { Fact, HealthMark, KindIcon, Name } from './parts';
import { bytes, count, plural, portOf, rate } from '../model/format';
import { connections, healthWords, verdict } from '../model/judge';
import { clean, quoted } from '../model/names';
import { rateWord, since } from '../model/tense';
import { isFar, tagsOf, zonesText } from '../model/zones';
import type { Rates } from '../model/rates';
import type { Selection, UrlState } from '../model/urlstate';
import type { EventCounts, Graph, GraphEdge, GraphNode, Listener } from '../net/types';

interface Props {
	graph: Graph;
	node: GraphNode;
	rates: Rates;
	url: UrlState;
	onSelect: (selection: Selection) => void;
}

const listMax = 100;
const namesMax = 20;

function Peers({ title, edges, far, props }: { title: string; edges: GraphEdge[]; far: 'client' | 'server'; props: Props }) {
	if (edges.length === 0) return null;
	const name = (id: string) => props.graph.nodes.find((node) => node.id === id);
	const sorted = [...edges].sort((a, b) => props.rates.total(b.id) - props.rates.total(a.id) || (a.id < b.id ? -1 : 1));
	return (
		<section class="peers">
			<h3>
				{title} <small>{edges.length}</small>
			</h3>
			<ul>
				{sorted.slice(0, listMax).map((edge) => (
					<li key={edge.id}>
						<button type="button" onClick={() => props.onSelect({ kind: 'edge', id: edge.id })}>
							<KindIcon kind={name(edge[far])?.kind ?? ''} />
							<span class="who">
								<Name text={name(edge[far])?.name ?? ''} />
								{far === 'server' && <span class="port">:{portOf(edge)}</span>}
								<bdi class="dim">{[isFar(edge) ? zonesText(edge) : '', ...tagsOf(edge)].filter(Boolean).join(', ')}</bdi>
							</span>
							<span class="dim">{rate(props.rates.total(edge.id))}</span>
							<HealthMark health={edge.health} words={verdict(edge)} />
						</button>
					</li>
				))}
			</ul>
			{edges.length > listMax && <p class="dim">{listMax} of {edges.length} are shown; the table has all.</p>}
		</section>
	);
}

function Ports({ listeners }: { listeners: Listener[] }) {
	if (listeners.length === 0) return null;
	return (
		<section class="ports">
			<h3>Listens on</h3>
			<ul>
				{listeners.slice(0, listMax).map((l) => (
					<li key={`${l.address} ${l.port}`}>
						<code>
							{l.address.includes(':') ? `[${l.address}]` : l.address || '*'}:{l.port}
						</code>
						<span class="dim">
							{l.queue} of {l.queue_max} waiting
							{l.drops > 0 && `, ${plural(l.drops, 'connection')} turned away`}
						</span>
					</li>
				))}
			</ul>
		</section>
	);
}

/** What an external's name stands for. */
function Addresses({ node }: { node: GraphNode }) {
	const others = (node.addresses ?? []).filter((address) => address !== node.name);
	if (others.length === 0) return null;
	return (
		<section class="ports" data-testid="addresses">
			<h3>
				Addresses <small>{others.length}</small>
			</h3>
			<ul>
				{others.map((address) => (
					<li key={address}>
						<code>{address}</code>
					</li>
				))}
			</ul>
		</section>
	);
}

function Facts({ node, edges, props }: { node: GraphNode; edges: GraphEdge[]; props: Props }) {
	const counted = edges.filter((edge) => !edge.carrier); // the others carry these
	const into = counted.filter((edge) => edge.server === node.id);
	const out = counted.filter((edge) => edge.client === node.id);
	const now = (list: GraphEdge[]) => list.reduce((sum, edge) => sum + props.rates.total(edge.id), 0);
	const when = rateWord(props.rates, props.url.time);
	const total = counted.reduce((sum, edge) => sum + edge.bytes_to_server + edge.bytes_to_client, 0);
	return (
		<dl class="facts">
			<Fact label={`As server ${when}`}>{rate(now(into))}</Fact>
			<Fact label={`As client ${when}`}>{rate(now(out))}</Fact>
			<Fact label="In this range">{bytes(total)}</Fact>
			<Fact label={props.url.time.kind === 'live' ? 'Open now' : 'Open at the end'}>{count(counted.reduce((sum, edge) => sum + connections(edge).active, 0))}</Fact>
			{node.nodes.length > 0 && (
				<Fact label={node.nodes.length > 1 ? `Machines (${node.nodes.length})` : 'Machine'}>
					<Name text={node.nodes.slice(0, namesMax).join(', ')} />
				</Fact>
			)}
			{node.zones.length > 0 && (
				<Fact label={node.zones.length > 1 ? 'Zones' : 'Zone'}>
					<Name text={node.zones.slice(0, namesMax).join(', ')} />
				</Fact>
			)}
			{node.first_seen > 0 && <Fact label="First seen">{since(props.graph, node.first_seen, props.url.time)}</Fact>}
		</dl>
	);
}

/** "restarted 3 times, killed 2 times": what of it is worth a word. */
function happened(counts: EventCounts | undefined, what: string): string[] {
	if (!counts) return [];
	const parts: [string, number][] = [
		['restarted', counts.restarted],
		['failed', counts.failed],
		['killed', counts.killed],
	];
	return parts.filter(([, n]) => n > 0).map(([word, n]) => `${what}${word} ${plural(n, 'time')}`);
}

function Events({ node, graph, url }: Props) {
	if (!node.last_event) return null;
	const sums = [...happened(node.processes, ''), ...happened(node.containers, 'container ')];
	return (
		<section data-testid="events">
			<h3>Started and ended</h3>
			<p>
				{sums.length > 0 && `${sums.join(', ')}; `}
				<bdi>{clean(node.last_event.text, 120)}</bdi> <span class="dim">{since(graph, node.last_event.time, url.time)}</span>
			</p>
		</section>
	);
}

const terms: Partial<Record<UrlState['group'], string>> = { workload: 'either', process: 'process', node: 'node', zone: 'zone' };

/** A filter for lines of this node; it may let others through, ids tell them apart. */
function narrow(node: GraphNode, { group }: UrlState): string {
	const term = node.kind === 'external' ? 'either' : terms[group];
	return term && node.name.length < 200 ? `${term}:${quoted(node.name)}` : '';
}

export function NodePanel(props: Props) {
	const { graph, node, url } = props;
	const edges = graph.edges.filter((edge) => edge.client === node.id || edge.server === node.id);
	const carriers = new Set(edges.filter((edge) => edge.carrier).map((edge) => edge.id));
	const worst = [...edges].sort((a, b) => order[b.health] - order[a.health])[0];
	return (
		<>
			<header>
				<h2>
					<KindIcon kind={node.kind} />
					<Name text={node.name} />
				</h2>
				<p class="sub">
					<span>{node.kind}</span>
					<HealthMark
						health={node.health}
						words={node.health === 'ok' || !worst ? healthWords[node.health] : `${healthWords[node.health]}: ${verdict(worst)}`}
					/>
				</p>
			</header>
			<Facts node={node} edges={edges} props={props} />
			<Events {...props} />
			<Ports listeners={node.listeners} />
			<Addresses node={node} />
			<Peers title="Asked by" edges={edges.filter((edge) => edge.server === node.id)} far="client" props={props} />
			<Peers title="Asks" edges={edges.filter((edge) => edge.client === node.id)} far="server" props={props} />
			<Charts
				query={{ filter: narrow(node, url), by: 'edge', limit: 300, group: url.group }}
				time={url.time}
				take={(line) => (line.client === node.id || line.server === node.id) && !carriers.has(line.edge)}
				connections
			/>
		</>
	);
}

const order = { ok: 0, degraded: 1, failing: 2 };

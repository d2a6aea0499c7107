// SPDX-License-Identifier: Apache-2.0
// What the server answers; docs/openapi.yaml says what each field means. Only what the page reads.

export type Health = 'ok' | 'degraded' | 'failing';

export interface Histogram {
	count: number;
	min: number;
	p50: number;
	p95: number;
	p99: number;
	max: number;
}

export interface Limited {
	busy: number;
	receive_window: number;
	send_buffer: number;
}

export interface Failures {
	refused: number;
	timed_out: number;
	unreachable: number;
	reset: number;
	aborted: number;
	other: number;
}

export interface ConnectionCounts {
	attempted: number;
	opened: number;
	adopted: number;
	closed: number;
	active: number;
	pending: number;
	reset_by_client: number;
	reset_by_server: number;
	broken: number;
	synack_retransmits: number;
	failed: Failures;
}

/** Names that were asked for. */
export interface Dns {
	queries: number;
	answers: number;
	timeouts: number;
	/** Answers by code, those that are not 0. */
	errors: Record<string, number>;
	latency_us: Histogram;
}

export interface Measures {
	bytes_to_server: number;
	bytes_to_client: number;
	adopted_bytes_to_server: number;
	adopted_bytes_to_client: number;
	segments_to_server: number;
	segments_to_client: number;
	retransmits_to_server: number;
	retransmits_to_client: number;
	/** UDP only; what a full receive queue threw away is "dropped". */
	datagrams_to_server?: number;
	datagrams_to_client?: number;
	datagrams_dropped_to_server?: number;
	datagrams_dropped_to_client?: number;
	/** null: not TCP, there are none. */
	connections: ConnectionCounts | null;
	rtt_us: Histogram;
	connect_us: Histogram;
	limited_us_to_server: Limited;
	limited_us_to_client: Limited;
	/** Packets that a host of either end dropped itself, by the kernel's reason. */
	drops?: Record<string, number>;
	/** null: no name was asked for. */
	dns?: Dns | null;
}

export interface Listener {
	transport: string;
	address: string;
	port: number;
	drops: number;
	queue: number;
	queue_max: number;
}

export interface Position {
	x: number;
	y: number;
}

/** What became of processes, or of containers, in the range. */
export interface EventCounts {
	started: number;
	restarted: number;
	exited: number;
	failed: number;
	killed: number;
	out_of_memory: number;
}

export interface GraphNode {
	id: string;
	kind: string;
	name: string;
	namespace: string;
	zones: string[];
	nodes: string[];
	/** Of an external: those that were used. */
	addresses?: string[];
	listeners: Listener[];
	processes?: EventCounts;
	containers?: EventCounts;
	/** The newest restart, or end that nobody wanted. */
	last_event?: { time: number; text: string } | null;
	health: Health;
	first_seen: number;
	/** In cells of the map; kept by the server, the same for everybody. */
	position?: Position | null;
}

export interface GraphEdge extends Measures {
	id: string;
	client: string;
	server: string;
	transport: string;
	port: number;
	via: string;
	class: string;
	client_zone?: string;
	server_zone?: string;
	client_region?: string;
	server_region?: string;
	/** "sidecar" or "tunnel": it carries what other edges count; "": it counts. */
	carrier?: string;
	/** Told by the server's end alone, until the client's agent is heard again. */
	provisional?: boolean;
	first_seen: number;
	last_seen: number;
	health: Health;
	server_view: Measures | null;
}

export interface Completeness {
	share: number;
	agents: { expected: number; reporting: number };
	lost: Record<string, number>;
	unresolved_bytes: number;
	window_s: number;
	/** Of a range that is answered from roll-ups: how long their windows are. */
	resolution_s?: number;
	covered: { from: number; to: number } | null;
	/** Times of which an agent told nothing. */
	gaps?: CoverageGap[];
}

export interface CoverageGap {
	node: string;
	from: number;
	to: number;
}

export interface Graph {
	from: number;
	to: number;
	group: string;
	nodes: GraphNode[];
	edges: GraphEdge[];
	completeness: Completeness;
}

export interface SeriesLine {
	edge: string;
	client: string;
	server: string;
	port: number;
	values: Record<string, (number | null)[]>;
	rtt_us?: Histogram[];
}

export interface Series {
	from: number;
	to: number;
	step: number;
	steps: number;
	lines: SeriesLine[];
	total: number;
	completeness: Completeness;
}

export interface Endpoint {
	id: string;
	address: string;
	port: number;
	process: string;
	pid: number;
}

export interface Connection {
	client: Endpoint;
	server: Endpoint;
	seen_by: 'client' | 'server';
	state: string;
	pid: number;
	rtt_us: number;
	cwnd: number;
	retransmits: number;
	unacked_segments: number;
	bytes_sent: number;
	bytes_received: number;
	delivery_rate: number;
	age_ms: number | null;
}

export interface Connections {
	connections: Connection[];
	total: number;
}

export interface Loss {
	cause: string;
	help: string;
	count: number;
}

export interface Agent {
	node: string;
	boot_id?: string;
	started?: number;
	hooks?: string;
	window_wanted_s?: number;
	version: string;
	kernel: string;
	reporting: boolean;
	/** Since the end of its newest window. */
	lag_s: number;
	last_seen: number;
	window_s: number;
	cost: { cpu_percent: number; cpu_budget_percent: number };
	sockets: number;
	losses: Loss[];
	/** "reporting", "silent" or "gone". */
	status?: string;
	silent_since?: number | null;
	zone?: string;
	region?: string;
	/** The cgroup that it looks at; "" or "/": all of the machine. */
	coverage?: string;
}

export interface Session {
	required: boolean;
	signed_in: boolean;
}

/** What became of processes, containers and agents, a row for all of a kind within ten seconds. */
export interface Happening {
	time: number;
	scope: string;
	kind: string;
	count: number;
	text: string;
}

export interface Events {
	events: Happening[];
	total: number;
}

export interface Agents {
	agents: Agent[];
	server: { losses: Loss[]; history_from: number };
	completeness: Completeness;
}

// SPDX-License-Identifier: Apache-2.0
// The panel beside the map: all about the edge or node that was chosen.
import { useEffect, useRef } from 'preact/hooks';
import { Icon, paths } from './parts';
import { EdgePanel } from './panel_edge';
import { NodePanel } from './panel_node';
import type { LiveState } from '../net/live';
import type { Selection, UrlState } from '../model/urlstate';
import type { Graph } from '../net/types';

interface Props {
	live: LiveState;
	graph: Graph;
	selection: Selection;
	url: UrlState;
	onSelect: (selection: Selection | null) => void;
}

function content({ live, graph, selection, url, onSelect }: Props) {
	const of = { graph, rates: live.rates, url, onSelect };
	if (selection.kind === 'edge') {
		const edge = graph.edges.find((candidate) => candidate.id === selection.id);
		if (edge) return <EdgePanel key={edge.id} edge={edge} {...of} />;
	} else {
		const node = graph.nodes.find((candidate) => candidate.id === selection.id);
		if (node) return <NodePanel key={node.id} node={node} {...of} />;
	}
	return (
		<p class="dim missing">
			What was chosen is not in the time that is shown, or the filter hides it. It shows here again as soon as it is.
		</p>
	);
}

export function Panel(props: Props) {
	const root = useRef<HTMLElement>(null);
	useEffect(() => root.current?.scrollTo({ top: 0 }), [props.selection.id]);
	return (
		<aside class="panel" data-testid="panel" aria-label="Details" ref={root}>
			<button type="button" class="quiet close" aria-label="Close (Esc)" title="Close (Esc)" onClick={() => props.onSelect(null)}>
				<Icon path={paths.close} />
			</button>
			{content(props)}
		</aside>
	);
}

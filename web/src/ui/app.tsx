// SPDX-License-Identifier: Apache-2.0
// The page: what is asked (in the URL), what is known (live), and the rooms that show it.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Live, type LiveState } from '../net/live';
import { gesture } from '../model/gesture';
import { formatUrl, parseUrl, type UrlState } from '../model/urlstate';
import { MapPane } from './map';
import { Panel } from './panel';
import { Table } from './table';
import { TopBar } from './topbar';

function useUrl(): [UrlState, (change: Partial<UrlState>) => void] {
	const [state, setState] = useState(() => parseUrl(location.search));
	const latest = useRef(state);
	useEffect(() => {
		const onPop = () => setState((latest.current = parseUrl(location.search)));
		window.addEventListener('popstate', onPop);
		return () => window.removeEventListener('popstate', onPop);
	}, []);
	const change = (part: Partial<UrlState>) => {
		latest.current = { ...latest.current, ...part };
		history.replaceState(null, '', location.pathname + formatUrl(latest.current));
		setState(latest.current);
	};
	return [state, change];
}

function useLive(filter: string, range: string): LiveState | null {
	const [state, setState] = useState<LiveState | null>(null);
	const live = useRef<Live | null>(null);
	useEffect(() => {
		const created = (live.current = new Live((next) => gesture.hold(() => setState(next)), () => gesture.isOn()));
		return () => created.stop();
	}, []);
	useEffect(() => live.current?.ask({ filter, range }), [filter, range]);
	return state;
}

/** `/` goes to the filter, Esc closes the panel. */
function useKeys(url: UrlState, change: (part: Partial<UrlState>) => void) {
	useEffect(() => {
		const onKey = (event: KeyboardEvent) => {
			const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
			if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
				event.preventDefault();
				document.querySelector<HTMLInputElement>('[data-testid=filter]')?.focus();
			} else if (event.key === 'Escape' && !event.defaultPrevented && !typing && url.selection) {
				change({ selection: null });
			}
		};
		window.addEventListener('keydown', onKey);
		return () => window.removeEventListener('keydown', onKey);
	}, [url.selection]);
}

export function App() {
	const [url, change] = useUrl();
	const live = useLive(url.filter, url.range);
	useKeys(url, change);
	const onSelect = useMemo(() => (selection: UrlState['selection']) => change({ selection }), []);
	return (
		<div class={`app view-${url.view} ${url.selection ? 'with-panel' : ''}`}>
			<TopBar url={url} live={live} change={change} />
			<main>
				<MapPane live={live} filter={url.filter} selection={url.selection} onSelect={onSelect} />
				<Table live={live} sort={url.sort} selection={url.selection} change={change} />
			</main>
			{url.selection && live?.graph && (
				<Panel live={live} graph={live.graph} selection={url.selection} range={url.range} onSelect={onSelect} />
			)}
		</div>
	);
}

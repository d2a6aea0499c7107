// SPDX-License-Identifier: Apache-2.0
// The page: what is asked (in the URL), what is known (live), and the rooms that show it.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { serverNow } from '../net/clock';
import { Live, type LiveState, type Question } from '../net/live';
import { gesture } from '../model/gesture';
import { formatUrl, parseUrl, type UrlState } from '../model/urlstate';
import { AgentsPane } from './agents';
import { MapPane } from './map';
import { Panel } from './panel';
import { Table } from './table';
import { TimeBar } from './timebar';
import { TopBar } from './topbar';
import { SignIn } from './signin';
import { useSession } from './use_session';
import { useZone } from './zone';

function useUrl(): [UrlState, (change: Partial<UrlState>) => void] {
	const [state, setState] = useState(() => parseUrl(location.search, serverNow()));
	const latest = useRef(state);
	useEffect(() => {
		const onPop = () => setState((latest.current = parseUrl(location.search, serverNow())));
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

function useLive({ filter, group, time }: Question): [LiveState | null, () => void] {
	const [state, setState] = useState<LiveState | null>(null);
	const live = useRef<Live | null>(null);
	useEffect(() => {
		const created = (live.current = new Live((next) => gesture.hold(() => setState(next)), () => gesture.isOn()));
		return () => created.stop();
	}, []);
	useEffect(() => live.current?.ask({ filter, group, time }), [filter, group, JSON.stringify(time)]);
	return [state, () => live.current?.again()];
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
	const [live, askAgain] = useLive(url);
	const session = useSession();
	const [utc, setUtc] = useZone();
	useKeys(url, change);
	const withPanel = url.selection !== null && url.view !== 'agents';
	const onSelect = useMemo(() => (selection: UrlState['selection']) => change({ selection }), []);
	return (
		<div class={`app view-${url.view} ${withPanel ? 'with-panel' : ''}`}>
			<TopBar url={url} live={live} change={change} session={session} />
			<TimeBar time={url.time} filter={url.filter} live={live} onChoose={(time) => change({ time })} utc={utc} onUtc={setUtc} />
			<main>
				<MapPane live={live} url={url} change={change} onSelect={onSelect} />
				<Table live={live} time={live?.time ?? url.time} sort={url.sort} selection={url.selection} change={change} />
				{url.view === 'agents' && <AgentsPane isPast={url.time.kind === 'past'} />}
			</main>
			{withPanel && live?.graph && url.selection && (
				<Panel live={live} graph={live.graph} selection={url.selection} url={{ ...url, time: live.time }} onSelect={onSelect} />
			)}
			{live?.link === 'signed-out' && (
				<SignIn
					graph={live.graph}
					onIn={() => {
						session.enter();
						askAgain();
					}}
				/>
			)}
		</div>
	);
}

// SPDX-License-Identifier: Apache-2.0
// The bar at the top: filter, what is shown, and how far it can be trusted.
import { useEffect, useState } from 'preact/hooks';
import { Completeness } from './completeness';
import { FilterField } from './filter';
import { Icon, paths } from './parts';
import { applyTheme, isDark, storedTheme, storeTheme } from './theme';
import type { LiveState } from '../net/live';
import { groups, views, type UrlState } from '../model/urlstate';

const viewNames = { both: 'Both', map: 'Map', table: 'Table', agents: 'Agents' };
const groupNames = { workload: 'Workloads', process: 'Processes', container: 'Containers', node: 'Machines', zone: 'Zones', region: 'Regions' };

function ThemeSwitch() {
	const [theme, setTheme] = useState(storedTheme());
	useEffect(() => {
		const system = matchMedia('(prefers-color-scheme: dark)');
		const onChange = () => applyTheme(storedTheme());
		system.addEventListener('change', onChange);
		return () => system.removeEventListener('change', onChange);
	}, []);
	const next = isDark(theme) ? 'light' : 'dark';
	const onClick = () => {
		storeTheme(next);
		setTheme(next);
	};
	return (
		<button type="button" class="quiet" data-testid="theme" aria-label={`Switch to ${next}`} title={`Switch to ${next}`} onClick={onClick}>
			<Icon path={isDark(theme) ? paths.sun : paths.moon} />
		</button>
	);
}

interface Props {
	url: UrlState;
	live: LiveState | null;
	change: (part: Partial<UrlState>) => void;
	session: { isIn: boolean; leave: () => void };
}

export function TopBar({ url, live, change, session }: Props) {
	return (
		<header class="top">
			<a class="brand" href="/" aria-label="millrace, back to all">
				<svg viewBox="0 0 16 16" aria-hidden="true">
					<path d="M1.5 5.5c2.6 0 3.4 2.6 6.5 2.6s3.9-2.6 6.5-2.6M1.5 9.5c2.6 0 3.4 2.6 6.5 2.6s3.9-2.6 6.5-2.6" />
				</svg>
				<span>millrace</span>
			</a>
			<FilterField value={url.filter} refused={/^(from|to)\b/.test(live?.refused ?? '') ? '' : live?.refused ?? ''} onChange={(filter) => change({ filter })} />
			<label class="group">
				<span class="sr">What a box on the map is</span>
				<select
					data-testid="group"
					title="What a box on the map is"
					value={url.group}
					onChange={(event) => change({ group: groups.find((group) => group === event.currentTarget.value) ?? 'workload', selection: null })}
				>
					{groups.map((group) => (
						<option key={group} value={group} selected={group === url.group}>
							{groupNames[group]}
						</option>
					))}
				</select>
			</label>
			<div class="segments" role="group" aria-label="What to show">
				{views.map((view) => (
					<button key={view} type="button" aria-pressed={url.view === view} onClick={() => change({ view })}>
						{viewNames[view]}
					</button>
				))}
			</div>
			<span class="space" />
			<Completeness graph={live?.graph ?? null} onAgents={() => change({ view: 'agents' })} />
			<ThemeSwitch />
			{session.isIn && (
				<button type="button" class="quiet" data-testid="signout" aria-label="Sign out" title="Sign out" onClick={session.leave}>
					<Icon path={paths.leave} />
				</button>
			)}
		</header>
	);
}

// SPDX-License-Identifier: Apache-2.0
// The agents as they are at this moment, as long as somebody looks.
import { useEffect, useState } from 'preact/hooks';
import { getAgents } from '../net/api';
import type { Agents } from '../net/types';

const again_ms = 3000;
const weight = 8; // a question that took 1 s is followed by 8 s of rest

export function useAgents(open: boolean): Agents | null {
	const [agents, setAgents] = useState<Agents | null>(null);
	useEffect(() => {
		if (!open) return;
		const stop = new AbortController();
		let timer = 0;
		const load = async () => {
			const started = performance.now();
			if (!document.hidden) await getAgents(stop.signal).then(setAgents, () => undefined);
			if (stop.signal.aborted) return;
			timer = window.setTimeout(load, Math.max(again_ms, weight * (performance.now() - started)));
		};
		void load();
		return () => {
			stop.abort();
			clearTimeout(timer);
		};
	}, [open]);
	return agents;
}

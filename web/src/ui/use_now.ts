// SPDX-License-Identifier: Apache-2.0
// The server's time, again every second.
import { useEffect, useState } from 'preact/hooks';
import { serverNow } from '../net/clock';

export function useNow(): number {
	const [now, setNow] = useState(() => serverNow());
	useEffect(() => {
		const timer = setInterval(() => setNow(serverNow()), 1000);
		return () => clearInterval(timer);
	}, []);
	return now;
}

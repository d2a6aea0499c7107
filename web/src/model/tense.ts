// SPDX-License-Identifier: Apache-2.0
// Words that say when: of the present as it is now, of the past by the clock.
import { moment } from './clock';
import { ago } from './format';
import type { Rates } from './rates';
import type { Time } from './time';

/** What a rate is of: this moment, the moment at which the picture was held, or all of the range. */
export function rateWord(rates: Rates | undefined, time: Time): 'now' | 'then' | 'mean' {
	if (time.kind === 'live') return 'now';
	return rates?.isMean ? 'mean' : 'then';
}

/** "3 s ago" of what is followed; 12:03:05 of what stands still. */
export function since({ to }: { to: number }, at: number, time: Time): string {
	return time.kind === 'live' ? ago(to - at) : moment(at, to);
}

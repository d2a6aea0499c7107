// SPDX-License-Identifier: Apache-2.0
// Says what time is shown and changes it: follow, pause, choose, go back.
import { useRef, useState } from 'preact/hooks';
import { Icon, paths } from './parts';
import { Status } from './status';
import { Strip } from './strip';
import { TimeRange } from './timerange';
import { useNow } from './use_now';
import { useStrip } from './use_strip';
import { clean } from '../model/names';
import { stripFor } from '../model/strip';
import { following, isSame, rangeOf, spanOf, standing, stepped, usual, type Range, type Time } from '../model/time';
import type { LiveState } from '../net/live';

interface Props {
	time: Time;
	filter: string;
	live: LiveState | null;
	onChoose: (time: Time) => void;
	utc: boolean;
	onUtc: (on: boolean) => void;
}

/** What a pause stopped at, and how long the range was that it will follow again. */
function usePause({ time, live, onChoose }: Props) {
	const [paused, setPaused] = useState<Time | null>(null);
	const followed = useRef(time.kind === 'live' ? time.span_s : usual.span_s);
	if (time.kind === 'live') followed.current = time.span_s;
	return {
		isPaused: paused !== null && isSame(paused, time),
		pause() {
			const graph = live?.graph;
			if (!graph || time.kind === 'past') return;
			const stopped = standing(graph.from, graph.to);
			setPaused(stopped);
			onChoose(stopped);
		},
		resume: () => onChoose(following(followed.current)),
	};
}

export function TimeBar(props: Props) {
	const { time, filter, live, onChoose, utc, onUtc } = props;
	const now = useNow();
	const { isPaused, pause, resume } = usePause(props);
	const before = useRef<Range | null>(null);
	const strip = (before.current = stripFor(time, now, before.current));
	const isLive = time.kind === 'live';
	const data = useStrip(strip, filter, isLive);
	const range = rangeOf(time, now);
	const wrongTime = live?.refused && /^(from|to)\b/.test(live.refused) ? live.refused : '';
	return (
		<section class={`time ${isLive ? '' : 'past'}`} aria-label="Time" aria-busy={live?.waiting ?? false}>
			{isLive ? (
				<button type="button" class="play" data-testid="pause" aria-label="Pause" title="Pause: hold this picture" disabled={!live?.graph} onClick={pause}>
					<Icon path={paths.pause} />
					<span>Pause</span>
				</button>
			) : (
				<button type="button" class="play" data-testid="resume" aria-label="Back to live" title="Back to live" onClick={resume}>
					<Icon path={paths.play} />
					<span>Live</span>
				</button>
			)}
			<div class="steps">
				<button type="button" data-testid="earlier" aria-label="Earlier" title="Earlier, by the range's length" onClick={() => onChoose(stepped(time, -1, now))}>
					<Icon path={paths.left} />
				</button>
				<TimeRange time={time} now={now} onChoose={onChoose} utc={utc} onUtc={onUtc} />
				<button type="button" data-testid="later" aria-label="Later" title="Later, by the range's length" disabled={isLive} onClick={() => onChoose(stepped(time, 1, now))}>
					<Icon path={paths.right} />
				</button>
			</div>
			<Strip strip={strip} range={range} now={now} data={data} onChoose={onChoose} />
			<Status live={live} time={time} isPaused={isPaused} now={now} />
			{wrongTime && (
				<p class="time-error" role="alert">
					<bdi>{clean(wrongTime, 300)}</bdi>
				</p>
			)}
			{live?.waiting && <div class="progress" data-testid="waiting" role="progressbar" aria-label={`Asking for ${Math.round(spanOf(time))} s`} />}
		</section>
	);
}

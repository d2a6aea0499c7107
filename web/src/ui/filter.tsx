// SPDX-License-Identifier: Apache-2.0
// The filter. The server owns the grammar: what is typed goes there, and what it says about a wrong
// term is shown as it is.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, paths } from './parts';

const pause_ms = 250;

interface Props {
	value: string;
	refused: string;
	onChange: (value: string) => void;
}

export function FilterField({ value, refused, onChange }: Props) {
	const [text, setText] = useState(value);
	const timer = useRef(0);
	useEffect(() => setText(value), [value]);
	useEffect(() => () => clearTimeout(timer.current), []);

	const send = (next: string, after_ms: number) => {
		setText(next);
		clearTimeout(timer.current);
		timer.current = window.setTimeout(() => onChange(next.trim()), after_ms);
	};
	const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLInputElement }) => {
		if (event.key === 'Enter') send(text, 0);
		if (event.key !== 'Escape') return;
		event.preventDefault();
		if (text) send('', 0);
		else event.currentTarget.blur();
	};
	return (
		<div class={`filter ${refused ? 'wrong' : ''}`} role="search">
			<Icon path={paths.search} />
			<input
				type="text"
				data-testid="filter"
				aria-label="Filter"
				aria-invalid={refused !== ''}
				aria-describedby="filter-error"
				placeholder="Filter: client:web !port:443 address:10.0.0.0/8"
				spellcheck={false}
				autocomplete="off"
				autocapitalize="off"
				maxLength={4000}
				value={text}
				onInput={(event) => send(event.currentTarget.value, pause_ms)}
				onKeyDown={onKeyDown}
			/>
			{text ? (
				<button type="button" class="quiet" aria-label="Clear the filter" onClick={() => send('', 0)}>
					<Icon path={paths.close} />
				</button>
			) : (
				<kbd aria-hidden="true">/</kbd>
			)}
			<div id="filter-error" class="filter-error" data-testid="filter-error" role="alert">
				{refused && <bdi>{refused}</bdi>}
			</div>
		</div>
	);
}

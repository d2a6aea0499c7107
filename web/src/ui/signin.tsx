// SPDX-License-Identifier: Apache-2.0
// Who must sign in gives a token once; the server answers with a cookie that this page cannot read.
// What was looked at stays in the URL, and the last picture stays behind the form.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refused, signIn } from '../net/api';
import { moment } from '../model/clock';
import { plural } from '../model/format';
import { serverNow } from '../net/clock';
import type { Graph } from '../net/types';

/** What went wrong, and what to do about it. */
export function whyNotIn(error: unknown): string {
	if (!(error instanceof Refused)) return 'The server does not answer. Try again in a moment.';
	if (error.status === 401) return 'The server does not know this token. Was all of it copied, and is it still in use?';
	if (error.status === 429) return `Too many attempts. Try again in ${plural(error.after_s || 60, 'second')}.`;
	return error.message;
}

interface Props {
	/** The last picture, if there is one. */
	graph: Graph | null;
	onIn: () => void;
}

function useForm(onIn: () => void) {
	const [token, setToken] = useState('');
	const [error, setError] = useState('');
	const [isSending, setSending] = useState(false);
	const send = async () => {
		if (isSending) return;
		if (!token.trim()) return setError('Give the token first.');
		setSending(true);
		setError('');
		try {
			await signIn(token.trim());
			onIn();
		} catch (reason) {
			setError(whyNotIn(reason));
			setSending(false);
		}
	};
	return { token, setToken, error, isSending, send };
}

export function SignIn({ graph, onIn }: Props) {
	const { token, setToken, error, isSending, send } = useForm(onIn);
	const dialog = useRef<HTMLDialogElement>(null);
	const field = useRef<HTMLInputElement>(null);
	useEffect(() => {
		const before = document.activeElement;
		dialog.current?.showModal();
		field.current?.focus();
		return () => {
			if (before instanceof HTMLElement) before.focus();
		};
	}, []);
	useEffect(() => {
		if (error) field.current?.select();
	}, [error]);
	const onSubmit = (event: Event) => {
		event.preventDefault();
		void send();
	};
	return (
		<dialog class="signin" ref={dialog} aria-labelledby="signin-title" data-testid="signin" onCancel={(event) => event.preventDefault()}>
			<form onSubmit={onSubmit}>
				<h2 id="signin-title">{graph ? 'Sign in again' : 'Sign in'}</h2>
				<p>
					{graph
						? `Your sign-in has ended. The picture behind is of ${moment(graph.to, serverNow())}; it goes on from here.`
						: 'This server shows what it knows to those who have a reader’s token.'}
				</p>
				<label for="signin-token">Token</label>
				<input
					id="signin-token"
					ref={field}
					type="password"
					name="token"
					data-testid="signin-token"
					autocomplete="current-password"
					spellcheck={false}
					aria-invalid={error !== ''}
					aria-describedby="signin-error signin-hint"
					value={token}
					onInput={(event) => setToken(event.currentTarget.value)}
				/>
				<p id="signin-error" class="error" role="alert" data-testid="signin-error">
					<bdi>{error}</bdi>
				</p>
				<button type="submit" class="primary" data-testid="signin-send" aria-disabled={isSending}>
					{isSending ? 'Signing in' : 'Sign in'}
				</button>
				<p id="signin-hint" class="dim">
					Whoever runs the server has one for you: a line of the file given to <code>millrace server --reader-tokens</code>. It
					is sent once; then this browser holds a cookie, until you sign out or it expires.
				</p>
			</form>
		</dialog>
	);
}

// SPDX-License-Identifier: Apache-2.0
// Whether this browser is signed in, so that it can sign out. A server that never asked for a token
// is not asked for it.
import { useEffect, useState } from 'preact/hooks';
import { getSession, signedOut, signOut } from '../net/api';

const key = 'millrace-signed-in';

function note(on: boolean) {
	try {
		if (on) localStorage.setItem(key, 'yes');
		else localStorage.removeItem(key);
	} catch {
		// a browser may keep nothing; then there is no button after a reload
	}
}

function isNoted(): boolean {
	try {
		return localStorage.getItem(key) !== null;
	} catch {
		return false;
	}
}

interface Session {
	isIn: boolean;
	/** Somebody has just signed in. */
	enter: () => void;
	leave: () => void;
}

export function useSession(): Session {
	const [isIn, setIn] = useState(false);
	useEffect(() => {
		const onOut = () => setIn(false);
		window.addEventListener(signedOut, onOut);
		if (isNoted())
			getSession().then(
				(session) => setIn(session.required && session.signed_in),
				() => undefined,
			);
		return () => window.removeEventListener(signedOut, onOut);
	}, []);
	return {
		isIn,
		enter: () => {
			note(true);
			setIn(true);
		},
		leave: () => {
			signOut().then(
				() => {
					note(false);
					location.reload(); // what was seen is nobody's to see now
				},
				() => undefined, // then it is still in, and the button is still there
			);
		},
	};
}

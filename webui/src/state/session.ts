// Who is at the keyboard: claims the appliance, logs in and out, notices the end of a session.
import { signal } from '@preact/signals';
import { type ApiError, call, onSignedOut, type Session, setCsrfToken } from '../api/calls';
import { connect, disconnect } from './store';

export type Door = 'opening' | 'unreachable' | 'unclaimed' | 'closed' | 'open';
export const door = signal<Door>('opening');
export const user = signal('');
/** When the session ends at the latest. */
export const sessionEnd = signal('');
/** The session ended by itself, not by logging out. */
export const expired = signal(false);

/** The code of a claim link, taken out of the address bar (and the history) at once. */
export const claimCode = signal('');

function takeClaimCode(): void {
	const match = /^#claim=(.+)$/.exec(location.hash);
	if (!match?.[1]) return;
	try {
		claimCode.value = decodeURIComponent(match[1]);
	} catch {
		claimCode.value = match[1];
	}
	history.replaceState(null, '', location.pathname + location.search);
}
takeClaimCode();
window.addEventListener('hashchange', takeClaimCode);

function enter(session: Session): void {
	setCsrfToken(session.csrf_token);
	user.value = session.username;
	sessionEnd.value = session.expires;
	expired.value = false;
	door.value = 'open';
	connect();
}

function leave(): void {
	setCsrfToken('');
	disconnect();
	user.value = '';
	door.value = 'closed';
}

onSignedOut(() => {
	if (door.value !== 'open') return;
	expired.value = true;
	leave();
});

/** Finds out where we stand; called once, and again by "try again". */
export async function open(): Promise<void> {
	door.value = 'opening';
	try {
		const { claimed } = await call('getApi');
		if (!claimed) {
			door.value = 'unclaimed';
			return;
		}
		enter(await call('getSession', { anonymous: true }));
	} catch (e) {
		const { status } = e as ApiError;
		door.value = status === 401 || status === 404 ? 'closed' : 'unreachable';
	}
}

export async function logIn(username: string, password: string): Promise<void> {
	enter(await call('createSession', { body: { username, password }, anonymous: true }));
}

export async function claim(code: string, username: string, password: string): Promise<void> {
	await call('claim', { body: { code, username, password }, anonymous: true });
	claimCode.value = '';
	try {
		await logIn(username, password);
	} catch (e) {
		door.value = 'closed';
		throw e;
	}
	await dropClaimToken();
}

/** Claiming also makes a token for scripts. Nobody has seen this one, so it should not live on. */
async function dropClaimToken(): Promise<void> {
	const { items } = await call('listTokens');
	for (const token of items)
		if (token.name === 'claim') await call('deleteToken', { path: { id: token.id } });
}

export async function logOut(): Promise<void> {
	await call('deleteSession');
	leave();
}

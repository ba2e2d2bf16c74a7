// One thing a person asked for: busy while it runs, its error until the next try.
import { useState } from 'preact/hooks';
import { errorText } from '../i18n/problem';
import { toast } from './toast';

export interface Task {
	busy: boolean;
	error: unknown;
	run: (work: () => Promise<void>) => void;
	clear: () => void;
}

export function useTask(): Task {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<unknown>(undefined);
	return {
		busy,
		error,
		clear: () => setError(undefined),
		run: (work) => {
			if (busy) return;
			setBusy(true);
			setError(undefined);
			work()
				.catch((e: unknown) => setError(e))
				.finally(() => setBusy(false));
		},
	};
}

/** For what has no form to show its error in. */
export async function attempt(work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (e) {
		toast('error', errorText(e));
	}
}

// Memory in use over time, sampled from GET /api/v1/system while the dashboard is open.
import { signal } from '@preact/signals';
import { effect } from '@preact/signals';
import { system } from '../state/store';

export interface Sample {
	/** Seconds since 1970. */
	at: number;
	/** MiB. */
	used: number;
	total: number;
}

/** An hour at one sample in five seconds. */
const LENGTH = 720;
export const samples = signal<Sample[]>([]);
let boot = '';

effect(() => {
	const now = system.value;
	if (!now) return;
	const before = boot === now.boot_id ? samples.peek() : [];
	boot = now.boot_id;
	const { total_mib: total, free_mib: free } = now.memory;
	samples.value = [...before, { at: Date.now() / 1000, used: total - free, total }].slice(-LENGTH);
});

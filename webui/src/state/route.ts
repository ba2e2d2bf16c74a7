// Routing by path with pushState; the appliance serves index.html for every page's path.
import { computed, signal } from '@preact/signals';

export const path = signal(location.pathname);

/** Path segments, decoded: /domains/web -> ['domains', 'web']. */
export const segments = computed(() =>
	path.value
		.split('/')
		.filter((s) => s !== '')
		.map((s) => {
			try {
				return decodeURIComponent(s);
			} catch {
				return s;
			}
		}),
);

/** A page with unsaved changes asks before it is left. Returns false to stay. */
let guard: (() => boolean) | undefined;

export function setLeaveGuard(ask: (() => boolean) | undefined): void {
	guard = ask;
}

export function navigate(to: string, replace = false): void {
	if (to === location.pathname + location.search) return;
	if (guard && !guard()) return;
	guard = undefined;
	if (replace) history.replaceState(null, '', to);
	else history.pushState(null, '', to);
	path.value = location.pathname;
	scrollTo(0, 0);
}

window.addEventListener('popstate', () => {
	guard = undefined;
	path.value = location.pathname;
});

window.addEventListener('beforeunload', (e) => {
	if (guard) e.preventDefault();
});

// The texts in use, and numbers, sizes and times as a person reads them.
import { en, type Texts } from './en';

export const t: Texts = en;
const LOCALE = 'en';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 1536 -> "1.5 KiB" */
export function bytes(n: number): string {
	let unit = 0;
	let value = n;
	while (value >= 1024 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	const digits = unit === 0 || value >= 100 ? 0 : 1;
	return `${Number(value.toFixed(digits)).toLocaleString(LOCALE)} ${UNITS[unit]}`;
}

export const mib = (n: number) => bytes(n * 1024 * 1024);

export const percent = (part: number, whole: number) =>
	whole > 0 ? `${Math.floor((100 * part) / whole)} %` : '0 %';

/** Seconds as their largest unit: 7300 -> "2 hours" */
export function duration(seconds: number): string {
	const s = Math.max(0, Math.round(seconds));
	if (s < 60) return t.time.seconds(s);
	if (s < 3600) return t.time.minutes(Math.floor(s / 60));
	if (s < 86400) return t.time.hours(Math.floor(s / 3600));
	return t.time.days(Math.floor(s / 86400));
}

/** A moment as seen from `now`, both in ms: "3 minutes ago" */
export function relative(iso: string, now: number): string {
	const seconds = (now - Date.parse(iso)) / 1000;
	if (Math.abs(seconds) < 10) return t.time.now;
	return seconds > 0 ? t.time.ago(duration(seconds)) : t.time.ahead(duration(-seconds));
}

export const absolute = (iso: string) =>
	new Date(iso).toLocaleString(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });

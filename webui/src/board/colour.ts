// Every owner has one colour, wherever it is seen: in memory, on the board, in a table.
import { domains } from '../state/store';

const HUES = [18, 205, 145, 280, 48, 330, 175, 240];
/** Dom0's, and what no owner has. */
export const STONE = 'light-dark(#5d564e, #b9afa4)';
export const GREY = 'light-dark(#8a8178, #8f867c)';

/** By its place among all domains, so that it stays while others start and stop. */
export function ownerColour(owner: string | null): string {
	if (owner === 'dom0') return STONE;
	const i = owner === null ? -1 : (domains.items.value ?? []).findIndex((d) => d.name === owner);
	if (i < 0) return GREY;
	const hue = HUES[i % HUES.length] ?? 0;
	return `light-dark(hsl(${hue} 52% 52%), hsl(${hue} 48% 60%))`;
}

// What a person is told of a device.
import type { Device } from '../api/calls';
import { t } from '../i18n';
import { alerts, devices } from '../state/store';

/** What is wrong with it now. */
export const alertsOf = (d: Device) =>
	(alerts.items.value ?? []).filter((a) => a.resource === `devices/${d.id}`);

/** What is plugged in, as it was seen last. */
export function contentsText(d: Device): string {
	if (alertsOf(d).some((a) => a.code === 'device.pulled')) return t.board.contentsPulled;
	if (!d.contents_known) return t.board.contentsUnknown;
	if (d.content_count === 0) return t.board.contentsNone;
	const more = d.content_count - d.contents.length;
	return d.contents.map((c) => c.name).join(', ') + (more > 0 ? ` +${more}` : '');
}

/** Slots and ports can be empty; other devices are what they are. */
export const hasContents = (d: Device) => d.gate === 'slot' || d.gate === 'port';

/** It can belong to a domain. */
export const assignable = (d: Device) =>
	d.needed === null && d.gate !== 'none' && d.gate !== 'hypervisor';

/** Nothing switches it and nobody has it: there are dozens of such on a chip. */
export const isRest = (d: Device) =>
	d.kind === 'platform' &&
	d.gate === 'none' &&
	d.needed === null &&
	d.owner === null &&
	alertsOf(d).length === 0;

/** Something can be pulled out of it while a domain runs with it; of an unknown one nobody knows. */
export function pullable(id: string): boolean {
	const d = devices.find(id);
	return d === undefined || hasContents(d);
}

// What a person is told of a device.
import type { Device } from '../api/calls';
import { t } from '../i18n';

/** What is plugged in, as it was seen last. */
export function contentsText(d: Device): string {
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

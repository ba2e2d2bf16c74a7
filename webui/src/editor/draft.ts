// A domain's definition as a form has it: every field a text, as a person types it.
import type { Domain, DomainDefinition } from '../api/calls';

/** The form's fields as a person types them. */
export interface Draft {
	name: string;
	description: string;
	vcpus: string;
	memory: string;
	kernel: string;
	initrd: string;
	cmdline: string;
	disks: Array<{ name: string; source: string; readonly: boolean }>;
	nics: Array<{ source: string; mac: string }>;
	restart: 'never' | 'on-crash' | 'always';
	onPull: 'report' | 'restart';
	autostart: boolean;
	weight: string;
	cap: string;
}

/** A source is the id of a volume or network, or this and the id of a device. */
export const DEVICE = 'device:';
const deviceOf = (source: string) =>
	source.startsWith(DEVICE) ? source.slice(DEVICE.length) : undefined;

export const fresh: Draft = {
	name: '',
	description: '',
	vcpus: '1',
	memory: '256',
	kernel: '',
	initrd: '',
	cmdline: 'console=hvc0',
	disks: [],
	nics: [],
	restart: 'never',
	onPull: 'report',
	autostart: false,
	weight: '256',
	cap: '0',
};

export function draftOf(d: Domain): Draft {
	return {
		name: d.name,
		description: d.description,
		vcpus: String(d.vcpus),
		memory: String(d.memory_mib),
		kernel: d.boot.kernel,
		initrd: d.boot.initrd ?? '',
		cmdline: d.boot.cmdline ?? '',
		disks: d.disks.map((k) => ({
			name: k.name,
			source: k.source.volume ?? `${DEVICE}${k.source.device}`,
			readonly: k.readonly ?? false,
		})),
		nics: d.nics.map((n) => ({
			source: n.network ?? `${DEVICE}${n.device}`,
			mac: n.mac ?? 'auto',
		})),
		restart: d.restart.policy ?? 'never',
		onPull: d.on_pull ?? 'report',
		autostart: d.autostart.enabled ?? false,
		weight: String(d.cpu.weight ?? 256),
		cap: String(d.cpu.cap ?? 0),
	};
}

/** What is no number goes as it is: the appliance then says what it wants there. */
function number(text: string): number {
	return (/^\d+$/.test(text.trim()) ? Number(text) : text) as number;
}

/** What it owns: what it has, and what its disks and interfaces are on. */
export function devicesOf(draft: Draft, base?: Domain): string[] {
	const used = [...draft.disks, ...draft.nics].flatMap((k) => deviceOf(k.source) ?? []);
	return [...new Set([...(base?.devices ?? []), ...used])];
}

/** The definition a draft stands for; what the form does not show is kept from `base`. */
export function definitionOf(draft: Draft, base?: Domain): DomainDefinition {
	return {
		...(base ? { watchdog_s: base.watchdog_s } : {}),
		devices: devicesOf(draft, base),
		name: draft.name,
		description: draft.description,
		vcpus: number(draft.vcpus),
		memory_mib: number(draft.memory),
		boot: { kernel: draft.kernel, initrd: draft.initrd || null, cmdline: draft.cmdline },
		disks: draft.disks.map(({ name, source, readonly }) => {
			const device = deviceOf(source);
			return { name, source: device ? { device } : { volume: source }, readonly };
		}),
		nics: draft.nics.map(({ source, mac }) => ({
			...(deviceOf(source) ? { device: deviceOf(source) } : { network: source }),
			mac: mac.trim().toLowerCase() || 'auto',
		})),
		cpu: { ...base?.cpu, weight: number(draft.weight), cap: number(draft.cap) },
		autostart: { ...base?.autostart, enabled: draft.autostart },
		restart: { ...base?.restart, policy: draft.restart },
		on_pull: draft.onPull,
	};
}

export function nextDiskName(draft: Draft): string {
	const taken = new Set(draft.disks.map((d) => d.name));
	for (const letter of 'abcdefghijklmnopqrstuvwxyz')
		if (!taken.has(`xvd${letter}`)) return `xvd${letter}`;
	return 'xvda';
}

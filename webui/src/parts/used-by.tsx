import { t } from '../i18n';
import type { Collection } from '../state/store';
import { Button, Link } from './button';
import { Dialog } from './dialog';

/** The domains that use something, each a link. */
export function UsedBy({ names }: { names: string[] }) {
	if (names.length === 0) return <span class="muted">{t.images.nobody}</span>;
	return (
		<span>
			{names.map((name, i) => (
				<span key={name}>
					{i > 0 && ', '}
					<Link to={`/domains/${name}`}>{name}</Link>
				</span>
			))}
		</span>
	);
}

export interface InUse {
	title: string;
	text: string;
	users: string[];
}

/** Reads again who uses a thing, after the appliance refused to delete it. */
export async function usersOf<T extends { used_by: string[] }>(
	collection: Collection<T>,
	id: string,
): Promise<string[]> {
	await collection.refresh(id);
	return collection.find(id)?.used_by ?? [];
}

/** Why it cannot be deleted, and the way to those who use it. */
export function InUseDialog({ inUse, onClose }: { inUse: InUse; onClose: () => void }) {
	return (
		<Dialog title={inUse.title} onClose={onClose}>
			<p>{inUse.text}</p>
			<UsedBy names={inUse.users} />
			<div class="actions">
				<Button variant="primary" onClick={onClose}>
					{t.common.close}
				</Button>
			</div>
		</Dialog>
	);
}

// Somebody else was faster: both versions side by side, and a person decides.
import type { Domain, DomainDefinition } from '../api/calls';
import { t } from '../i18n';
import { Banner } from '../parts/banner';
import { Button } from '../parts/button';
import { definitionOf, type Draft, draftOf } from './draft';

/** A definition as lines to compare, one for each field that differs between the two. */
function differences(mine: DomainDefinition, theirs: DomainDefinition) {
	const flat = (value: unknown, at = ''): Array<[string, string]> =>
		value !== null && typeof value === 'object' && !Array.isArray(value)
			? Object.entries(value).flatMap(([k, v]) => flat(v, at ? `${at}.${k}` : k))
			: [[at, typeof value === 'string' ? value : JSON.stringify(value)]];
	const a = new Map(flat(mine));
	const b = new Map(flat(theirs));
	const fields = [...new Set([...a.keys(), ...b.keys()])];
	return fields
		.map((field) => ({ field, mine: a.get(field) ?? '', theirs: b.get(field) ?? '' }))
		.filter((row) => row.mine !== row.theirs);
}

interface ConflictProps {
	draft: Draft;
	theirs: Domain;
	onMine: () => void;
	onTheirs: () => void;
	busy: boolean;
}

export function Conflict({ draft, theirs, onMine, onTheirs, busy }: ConflictProps) {
	const rows = differences(definitionOf(draft, theirs), definitionOf(draftOf(theirs), theirs));
	return (
		<Banner kind="wait" focusable>
			<strong>{t.editor.conflictTitle}</strong>{' '}
			{rows.length ? t.editor.conflictText : t.editor.conflictNone}
			{rows.length > 0 && (
				<table class="table diff">
					<thead>
						<tr>
							<th scope="col">{t.editor.conflictField}</th>
							<th scope="col">{t.editor.conflictTheirs}</th>
							<th scope="col">{t.editor.conflictMine}</th>
						</tr>
					</thead>
					<tbody>
						{rows.map((r) => (
							<tr key={r.field}>
								<td>{r.field}</td>
								<td data-label={t.editor.conflictTheirs}>{r.theirs}</td>
								<td data-label={t.editor.conflictMine}>{r.mine}</td>
							</tr>
						))}
					</tbody>
				</table>
			)}
			<div class="actions">
				<Button onClick={onTheirs}>{t.editor.takeTheirs}</Button>
				<Button variant="primary" onClick={onMine} busy={busy}>
					{t.editor.keepMine}
				</Button>
			</div>
		</Banner>
	);
}

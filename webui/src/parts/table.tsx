import type { ComponentChildren } from 'preact';

export interface Column<T> {
	/** Heading; on a narrow screen it stands beside each value. */
	label: string;
	cell: (row: T) => ComponentChildren;
	/** lead: names the row. end: its buttons. */
	place?: 'lead' | 'end';
	/** Left out where there is little room. */
	minor?: boolean;
	num?: boolean;
}

interface TableProps<T> {
	caption: string;
	columns: Array<Column<T>>;
	rows: T[];
	keyOf: (row: T) => string;
}

/** Roles are spelled out, because browsers drop them when a narrow screen turns rows into cards. */
export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>) {
	const classOf = (c: Column<T>) =>
		[c.place, c.minor && 'hide-narrow', c.num && 'num'].filter(Boolean).join(' ') || undefined;
	return (
		<table class="table" role="table">
			<caption class="visually-hidden">{caption}</caption>
			<thead role="rowgroup">
				<tr role="row">
					{columns.map((c) => (
						<th key={c.label} role="columnheader" scope="col" class={classOf(c)}>
							{c.place === 'end' ? <span class="visually-hidden">{c.label}</span> : c.label}
						</th>
					))}
				</tr>
			</thead>
			<tbody role="rowgroup">
				{rows.map((row) => (
					<tr key={keyOf(row)} role="row">
						{columns.map((c) => (
							<td
								key={c.label}
								role="cell"
								class={classOf(c)}
								data-label={c.place ? undefined : c.label}
							>
								{c.cell(row)}
							</td>
						))}
					</tr>
				))}
			</tbody>
		</table>
	);
}

import { useEffect } from 'preact/hooks';
import { mib, t } from '../i18n';
import { DomainActions } from '../parts/actions';
import { LoadError } from '../parts/banner';
import { Link, LinkButton } from '../parts/button';
import { Empty, Loading, Page } from '../parts/page';
import { StateBadge, Time } from '../parts/status';
import { Table } from '../parts/table';
import { domains, images } from '../state/store';

function NoDomains() {
	useEffect(() => images.want(), []);
	const kernels = images.items.value?.some((i) => i.kind === 'kernel');
	return (
		<Empty icon="house" title={t.domains.emptyTitle} text={t.domains.emptyText}>
			{kernels === false ? (
				<>
					<p>{t.domains.emptyNoKernel}</p>
					<LinkButton to="/images" variant="primary" icon="upload">
						{t.start.kernelButton}
					</LinkButton>
				</>
			) : (
				<LinkButton to="/new-domain" variant="primary" icon="plus">
					{t.domains.new}
				</LinkButton>
			)}
		</Empty>
	);
}

export function Domains() {
	useEffect(() => domains.want(), []);
	const items = domains.items.value;
	const error = domains.error.value;
	return (
		<Page
			title={t.domains.title}
			actions={
				items?.length ? (
					<LinkButton to="/new-domain" variant="primary" icon="plus">
						{t.domains.new}
					</LinkButton>
				) : undefined
			}
		>
			{error && <LoadError error={error} retry={() => void domains.reload()} />}
			{!items && !error && <Loading />}
			{items?.length === 0 && <NoDomains />}
			{items && items.length > 0 && (
				<div class="card table-wrap">
					<Table
						caption={t.domains.title}
						rows={items}
						keyOf={(d) => d.name}
						columns={[
							{
								label: t.domains.name,
								place: 'lead',
								cell: (d) => (
									<div>
										<Link class="name" to={`/domains/${d.name}`}>
											{d.name}
										</Link>
										{d.description && <div class="muted small">{d.description}</div>}
									</div>
								),
							},
							{ label: t.domains.state, cell: (d) => <StateBadge state={d.status.state} /> },
							{ label: t.domains.vcpus, num: true, cell: (d) => d.vcpus },
							{ label: t.domains.memory, num: true, cell: (d) => mib(d.memory_mib) },
							{
								label: t.domains.since,
								minor: true,
								cell: (d) => (
									<span class="muted">
										<Time iso={d.status.since} />
									</span>
								),
							},
							{
								label: t.common.actions,
								place: 'end',
								cell: (d) => (
									<div class="actions">
										<DomainActions domain={d} small />
										<LinkButton
											small
											variant="quiet"
											icon="terminal"
											label={t.console.label(d.name)}
											to={`/domains/${d.name}/console`}
										/>
									</div>
								),
							},
						]}
					/>
				</div>
			)}
		</Page>
	);
}

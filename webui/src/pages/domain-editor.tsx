// A new domain, and a change of one. A change carries the revision it was made from.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call, type Domain } from '../api/calls';
import { Conflict } from '../editor/conflict';
import { definitionOf, draftOf, fresh } from '../editor/draft';
import { Editor } from '../editor/form';
import { t } from '../i18n';
import { Banner, LoadError } from '../parts/banner';
import { Empty, Loading, Page } from '../parts/page';
import { navigate, setLeaveGuard } from '../state/route';
import { devices, domains, images, networks, volumes } from '../state/store';
import { useTask } from '../state/task';
import { toast } from '../state/toast';

/** Asks before a page with changes is left. */
function useLeaveGuard(dirty: boolean): void {
	useEffect(() => {
		setLeaveGuard(dirty ? () => window.confirm(t.editor.leave) : undefined);
		return () => setLeaveGuard(undefined);
	}, [dirty]);
}

function useLists(): void {
	useEffect(() => {
		for (const c of [domains, images, volumes, networks, devices]) c.want();
	}, []);
}

export function DomainNew() {
	useLists();
	const [initial, setInitial] = useState(fresh);
	const [draft, setDraft] = useState(fresh);
	const task = useTask();
	useLeaveGuard(draft !== initial);
	// The first kernel and initrd are what most people mean.
	const list = images.items.value;
	const filledIn = useRef(false);
	useEffect(() => {
		if (!list || filledIn.current) return;
		filledIn.current = true;
		const first = (kind: string) => list.find((i) => i.kind === kind)?.id ?? '';
		const filled = { ...fresh, kernel: first('kernel'), initrd: first('initrd') };
		setInitial(filled);
		// a quick person has typed before the list of images came
		setDraft((now) =>
			now === fresh ? filled : { ...now, kernel: filled.kernel, initrd: filled.initrd },
		);
	}, [list]);
	return (
		<Page title={t.editor.newTitle} back={{ to: '/domains', text: t.domain.back }}>
			<Editor
				draft={draft}
				onDraft={setDraft}
				error={task.error}
				busy={task.busy}
				cancelTo="/domains"
				onSubmit={() =>
					task.run(async () => {
						const domain = await call('createDomain', { body: definitionOf(draft) });
						domains.put(domain);
						setLeaveGuard(undefined);
						toast('success', t.editor.createdToast(domain.name));
						navigate(`/domains/${domain.name}`);
					})
				}
			/>
		</Page>
	);
}

function EditLoaded({ start }: { start: Domain }) {
	const [base, setBase] = useState(start);
	const [initial, setInitial] = useState(() => draftOf(start));
	const [draft, setDraft] = useState(initial);
	const [theirs, setTheirs] = useState<Domain>();
	const task = useTask();
	const here = `/domains/${start.name}`;
	useLeaveGuard(draft !== initial);

	function save(from: Domain) {
		task.run(async () => {
			const path = { name: from.name };
			try {
				const body = definitionOf(draft, from);
				const saved = await call('replaceDomain', { path, body, revision: from.revision });
				domains.put(saved);
				setLeaveGuard(undefined);
				toast('success', t.editor.savedToast(saved.name));
				navigate(here);
			} catch (e) {
				if (!(e instanceof ApiError) || e.status !== 412) throw e;
				const now = await call('getDomain', { path });
				domains.put(now);
				setTheirs(now);
				scrollTo(0, 0);
			}
		});
	}

	return (
		<>
			{theirs && (
				<Conflict
					draft={draft}
					theirs={theirs}
					busy={task.busy}
					onMine={() => save(theirs)}
					onTheirs={() => {
						const taken = draftOf(theirs);
						setBase(theirs);
						setInitial(taken);
						setDraft(taken);
						setTheirs(undefined);
						task.clear();
					}}
				/>
			)}
			{!['stopped', 'crashed'].includes(base.status.state) && (
				<Banner kind="info">{t.domain.nextStart}</Banner>
			)}
			<Editor
				draft={draft}
				onDraft={setDraft}
				error={task.error}
				busy={task.busy}
				base={base}
				cancelTo={here}
				onSubmit={() => save(base)}
			/>
		</>
	);
}

export function DomainEdit({ name }: { name: string }) {
	useLists();
	const [domain, setDomain] = useState<Domain>();
	const task = useTask();
	const read = () => task.run(async () => setDomain(await call('getDomain', { path: { name } })));
	useEffect(read, [name]);
	const missing = task.error instanceof ApiError && task.error.status === 404;
	return (
		<Page title={t.editor.editTitle(name)} back={{ to: `/domains/${name}`, text: name }}>
			{domain ? (
				<EditLoaded start={domain} />
			) : missing ? (
				<Empty icon="house" title={t.common.unknownPage} text={t.common.unknownPageText} />
			) : task.error !== undefined ? (
				<LoadError error={task.error} retry={read} />
			) : (
				<Loading />
			)}
		</Page>
	);
}

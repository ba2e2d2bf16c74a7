// Which page stands at which path, once the door is open.
import { useEffect } from 'preact/hooks';
import { t } from './i18n';
import { Account } from './pages/account';
import { Board } from './pages/board';
import { Claim } from './pages/claim';
import { DevicePage } from './pages/device';
import { DomainPage } from './pages/domain';
import { DomainEdit, DomainNew } from './pages/domain-editor';
import { Domains } from './pages/domains';
import { Images } from './pages/images';
import { LogIn } from './pages/login';
import { Operations } from './pages/operations';
import { Overview } from './pages/overview';
import { Volumes } from './pages/volumes';
import { Toasts } from './parts/banner';
import { Button, LinkButton } from './parts/button';
import { Confirmation } from './parts/dialog';
import { DoorPage } from './parts/door';
import { Empty, Page } from './parts/page';
import { Shell } from './parts/shell';
import { segments } from './state/route';
import { door, open } from './state/session';

function NotFound() {
	return (
		<Page title={t.common.unknownPage}>
			<Empty icon="house" title={t.common.unknownPage} text={t.common.unknownPageText}>
				<LinkButton to="/">{t.common.toOverview}</LinkButton>
			</Empty>
		</Page>
	);
}

function Route() {
	const [place, name, part, rest] = segments.value;
	if (rest !== undefined) return <NotFound />;
	if (place === 'domains' && name !== undefined) {
		if (part === 'edit') return <DomainEdit key={name} name={name} />;
		if (part === undefined || part === 'console')
			return <DomainPage key={name} name={name} console={part === 'console'} />;
		return <NotFound />;
	}
	if (part !== undefined) return <NotFound />;
	if (place === 'board' && name !== undefined) return <DevicePage key={name} id={name} />;
	switch (`${place ?? ''}/${name ?? ''}`) {
		case '/':
			return <Overview />;
		case 'domains/':
			return <Domains />;
		case 'new-domain/':
			return <DomainNew />;
		case 'board/':
			return <Board />;
		case 'images/':
			return <Images />;
		case 'volumes/':
			return <Volumes />;
		case 'operations/':
			return <Operations />;
		case 'account/':
			return <Account />;
		default:
			return <NotFound />;
	}
}

function Unreachable() {
	useEffect(() => {
		const timer = setInterval(() => void open(), 5000);
		return () => clearInterval(timer);
	}, []);
	return (
		<DoorPage title={t.door.unreachable}>
			<p class="muted">{t.door.unreachableText}</p>
			<Button variant="primary" onClick={() => void open()}>
				{t.common.retry}
			</Button>
		</DoorPage>
	);
}

function Inside() {
	switch (door.value) {
		case 'opening':
			return (
				<DoorPage>
					<p class="muted" role="status">
						{t.door.opening}
					</p>
				</DoorPage>
			);
		case 'unreachable':
			return <Unreachable />;
		case 'unclaimed':
			return <Claim />;
		case 'closed':
			return <LogIn />;
		case 'open':
			return (
				<Shell>
					<Route />
				</Shell>
			);
	}
}

export function App() {
	return (
		<>
			<Inside />
			<Toasts />
			<Confirmation />
		</>
	);
}

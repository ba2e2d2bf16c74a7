import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { path, segments } from '../state/route';
import { alerts, isRunning, link, operations, system } from '../state/store';
import { type Theme, theme } from '../state/theme';
import { Banner } from './banner';
import { Button, Link, LinkButton } from './button';
import { Icon, type IconName, Mark } from './icon';

const places: Array<[to: string, icon: IconName, text: string]> = [
	['/', 'house', t.nav.overview],
	['/domains', 'domains', t.nav.domains],
	['/board', 'board', t.nav.board],
	['/images', 'image', t.nav.images],
	['/volumes', 'volume', t.nav.volumes],
	['/operations', 'activity', t.nav.operations],
];
const nextTheme: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const themeIcon: Record<Theme, IconName> = { system: 'contrast', light: 'sun', dark: 'moon' };

export function ThemeButton() {
	const now = theme.value;
	return (
		<Button
			variant="quiet"
			icon={themeIcon[now]}
			label={t.theme[now]}
			onClick={() => (theme.value = nextTheme[now])}
		/>
	);
}

function Nav() {
	const place = segments.value[0] ?? '';
	const here = place === 'new-domain' ? '/domains' : `/${place}`;
	const wrong = (alerts.items.value ?? []).length;
	const busy = (operations.items.value ?? []).filter(isRunning).length;
	return (
		<div class="nav">
			{places.map(([to, icon, text]) => (
				<Link key={to} to={to} current={to === here}>
					<Icon name={icon} />
					{text}
					{to === '/board' && wrong > 0 && (
						<span class="count bad" aria-label={t.nav.alerts(wrong)} role="img">
							{wrong}
						</span>
					)}
					{to === '/operations' && busy > 0 && (
						<span class="count" aria-label={t.nav.running(busy)} role="img">
							{busy}
						</span>
					)}
				</Link>
			))}
		</div>
	);
}

export function Shell({ children }: { children: ComponentChildren }) {
	const main = useRef<HTMLElement>(null);
	const first = useRef(true);
	const at = path.value;
	// After a move to another page, keyboard and screen reader begin at its content, unless the page
	// has put the focus somewhere itself.
	useEffect(() => {
		if (first.current) first.current = false;
		else if (!main.current?.contains(document.activeElement))
			main.current?.focus({ preventScroll: true });
	}, [at]);
	return (
		<div class="shell">
			<a class="skip" href="#main" onClick={(e) => (e.preventDefault(), main.current?.focus())}>
				{t.skip}
			</a>
			<nav class="rail" aria-label={t.nav.label}>
				<Link to="/" class="brand">
					<Mark />
					{t.product}
				</Link>
				<Nav />
			</nav>
			<header class="head">
				<div class="top">
					<Link to="/" class="brand">
						<Mark />
						{t.product}
					</Link>
					<span class="where muted small">{system.value?.hostname}</span>
					<div class="push">
						<span class="link-state" data-live={link.value === 'live'} role="status">
							<span>{t.link[link.value]}</span>
						</span>
						<ThemeButton />
						<LinkButton variant="quiet" icon="user" label={t.nav.account} to="/account" />
					</div>
				</div>
				{link.value === 'lost' && (
					<Banner kind="wait" class="lost">
						<strong>{t.link.lostTitle}</strong> {t.link.lostText}
					</Banner>
				)}
			</header>
			<main class="main" id="main" tabIndex={-1} ref={main}>
				{children}
			</main>
		</div>
	);
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { pathOf } from '../api/calls';
import { type Console, openConsole } from '../api/console';
import { t } from '../i18n';
import { errorText } from '../i18n/problem';
import { Banner } from '../parts/banner';
import { Button } from '../parts/button';
import { Icon } from '../parts/icon';
import { domains } from '../state/store';
import type { Screen } from './terminal';

type Line = 'connecting' | 'connected' | 'lost';

function LeaveKeys() {
	return (
		<>
			{t.console.leaveKeys.map((key, i) => (
				<span key={key}>
					{i > 0 && '+'}
					<kbd>{key}</kbd>
				</span>
			))}
		</>
	);
}

export function ConsoleView({ name }: { name: string }) {
	const place = useRef<HTMLDivElement>(null);
	const way = useRef<HTMLDivElement>(null);
	const screen = useRef<Screen | undefined>(undefined);
	const [line, setLine] = useState<Line>('connecting');
	const [error, setError] = useState<unknown>();
	const [full, setFull] = useState(false);
	const [reader, setReader] = useState(false);
	const state = domains.find(name)?.status.state;

	useEffect(() => {
		let console: Console | undefined;
		let gone = false;
		const leave = () => way.current?.querySelector<HTMLElement>('button, a')?.focus();
		void import('./terminal')
			.then(({ createScreen }) => {
				if (gone || !place.current) return;
				const shown = createScreen(place.current, {
					onInput: (text) => console?.send(text),
					onLeave: leave,
				});
				screen.current = shown;
				console = openConsole(name, {
					onOpen: () => {
						shown.restart();
						setLine('connected');
					},
					onBytes: shown.write,
					// The list of domains says the state, too; here it only comes sooner.
					onState: () => void domains.refresh(name),
					onLost: () => setLine('lost'),
				});
				shown.focus();
			})
			.catch((e: unknown) => setError(e));
		return () => {
			gone = true;
			console?.close();
			screen.current?.dispose();
			screen.current = undefined;
		};
	}, [name]);

	useEffect(() => screen.current?.setScreenReader(reader), [reader]);

	const off = state === 'stopped' || state === 'crashed';
	const look = { connecting: 'busy', connected: 'good', lost: 'wait' }[line];
	return (
		<section
			class={full ? 'card console full' : 'card console'}
			aria-label={t.console.label(name)}
			data-line={line}
		>
			{error !== undefined && <Banner kind="bad">{errorText(error)}</Banner>}
			<div class="console-bar" ref={way}>
				<span class={`badge ${look}`} role="status">
					{t.console[line]}
				</span>
				<div class="actions">
					<Button small variant="quiet" pressed={reader} onClick={() => setReader(!reader)}>
						{t.console.reader}
					</Button>
					<a
						class="button small quiet"
						href={pathOf('getConsoleLog', { name })}
						download={`${name}.log`}
					>
						<Icon name="download" />
						{t.console.download}
					</a>
					<Button
						small
						variant="quiet"
						icon="expand"
						pressed={full}
						onClick={() => {
							setFull(!full);
							screen.current?.focus();
						}}
					>
						{full ? t.console.unfull : t.console.full}
					</Button>
				</div>
			</div>
			<div class="screen">
				<div class="term" ref={place} />
			</div>
			<p class="console-foot muted small">
				{off && <>{t.console.off} </>}
				{t.console.help} <LeaveKeys />.
			</p>
		</section>
	);
}

import { useEffect, useRef } from 'preact/hooks';
import { mib, t } from '../i18n';
import { Card } from '../parts/page';
import { theme } from '../state/theme';
import { samples } from './history';
import type { Plot } from './plot';

export function MemoryChart() {
	const place = useRef<HTMLDivElement>(null);
	const plot = useRef<Plot | undefined>(undefined);
	const list = samples.value;
	const look = theme.value;
	useEffect(() => {
		let gone = false;
		void import('./plot').then(({ createPlot }) => {
			if (gone || !place.current) return;
			plot.current = createPlot(place.current, t.overview.history);
			plot.current.show(samples.peek());
		});
		return () => {
			gone = true;
			plot.current?.dispose();
			plot.current = undefined;
		};
	}, []);
	useEffect(() => plot.current?.show(list), [list, look]);
	const last = list.at(-1);
	const now = last && t.overview.historyNow(mib(last.used), mib(last.total));
	return (
		<Card
			title={`${t.overview.history} (${t.overview.historyAxis})`}
			aside={<span class="muted small">{t.overview.historyText}</span>}
			class="column"
		>
			<div class="chart" ref={place} role="img" aria-label={now} />
		</Card>
	);
}

// Line icons on a 24-unit grid, drawn for Domus. They are decoration: the text beside them, or the
// label of their button, says the same.
const shapes = {
	house: 'M3 11.5 12 4l9 7.5M5.5 9.8V20h13V9.8M10 20v-5h4v5',
	domains: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
	image: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z',
	volume:
		'M5 6c0-1.7 3.1-3 7-3s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3zM5 6v12c0 1.7 3.1 3 7 3s7-1.3 7-3V6M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3',
	board: 'M7 7h10v10H7zM9.5 3v4M14.5 3v4M9.5 17v4M14.5 17v4M3 9.5h4M3 14.5h4M17 9.5h4M17 14.5h4',
	activity: 'M3 12h4l3-8 4 16 3-8h4',
	user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.5c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5',
	sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M4.9 4.9l1.8 1.8M17.3 17.3l1.8 1.8M4.9 19.1l1.8-1.8M17.3 6.7l1.8-1.8',
	moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
	contrast: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 8h7.5M12 12h9M12 16h8',
	play: 'M7 4.5v15l12-7.5z',
	power: 'M12 3v8M6.5 6.5a8 8 0 1 0 11 0',
	pause: 'M8 5v14M16 5v14',
	reboot: 'M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5',
	bolt: 'M13 2 5 13.5h6L10.5 22 19 10h-6z',
	trash: 'M4 6.5h16M9 6V3.5h6V6M6 6.5l1 14h10l1-14M10 10.5v6M14 10.5v6',
	edit: 'M4 20l1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5 17.5 10',
	plus: 'M12 5v14M5 12h14',
	close: 'M6 6l12 12M18 6 6 18',
	back: 'M14.5 5.5 8 12l6.5 6.5',
	download: 'M12 4v11M7 10.5l5 5 5-5M4 20h16',
	upload: 'M12 16V5M7 9.5l5-5 5 5M4 20h16',
	expand: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
	check: 'M5 12.5l4.5 4.5L19 7.5',
	alert: 'M12 4 2.5 20h19zM12 10v5M12 17.5v.1',
	info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.5v.1',
	copy: 'M8 8h12v12H8zM16 8V4H4v12h4',
	terminal: 'M3 5h18v14H3zM7 9.5l3 2.5-3 2.5M12.5 15H17',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
	return (
		<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
			<path d={shapes[name]} />
		</svg>
	);
}

/** The mark: a house whose lit windows are the domains that are at home. */
export function Mark() {
	return (
		<svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
			<path fill="var(--accent)" d="M16 2.5 1.8 13.4l2.4 3.2L6 15.2V29h20V15.2l1.8 1.4 2.4-3.2z" />
			<path fill="var(--surface)" opacity=".4" d="M10 15h5v5h-5zM17 22h5v7h-5z" />
			<path fill="light-dark(#ffd9a0, #3a1d10)" d="M17 15h5v5h-5zM10 22h5v4h-5z" />
		</svg>
	);
}

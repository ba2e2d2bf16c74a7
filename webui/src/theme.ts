// Runs before the first paint, so that a chosen theme does not flash. A classic script of its own
// because the policy allows no inline script; state/theme.ts changes what it reads.
try {
	const theme = localStorage.getItem('domus.theme');
	if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
	// A browser that forbids local storage follows the system's theme.
}

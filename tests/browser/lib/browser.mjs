// Debian's Chromium, and pages that fail their test when they break the Content-Security-Policy, leave the
// appliance's origin or throw.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from './agent.mjs';

const require = createRequire(join(ROOT, 'webui/package.json'));
const { chromium } = require('playwright-core');
const axeSource = require('axe-core').source;

export async function launch(agent) {
	return chromium.launch({
		executablePath: '/usr/bin/chromium',
		headless: true,
		args: [
			...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
			...['--disable-background-networking', '--disable-component-update'],
			`--ignore-certificate-errors-spki-list=${agent.spki}`,
		],
	});
}

/** Opens a page that watches itself; `check()` fails on whatever it saw. */
export async function openPage(browser, agent, options = {}) {
	const context = await browser.newContext({
		viewport: { width: 1280, height: 800 },
		ignoreHTTPSErrors: false,
		...options,
	});
	const page = await context.newPage();
	page.setDefaultTimeout(30_000);
	const faults = [];
	await context.exposeBinding('reportCsp', (_, text) => faults.push(`CSP: ${text}`));
	await context.addInitScript(() => {
		document.addEventListener('securitypolicyviolation', (e) =>
			window.reportCsp(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`),
		);
	});
	page.on('console', (message) => {
		if (/Content.Security.Policy|Trusted ?Type/i.test(message.text()))
			faults.push(`console: ${message.text()}`);
	});
	page.on('pageerror', (error) => faults.push(`page: ${error.stack ?? error}`));
	context.on('request', (request) => {
		const url = new URL(request.url());
		if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.origin !== agent.url)
			faults.push(`request to another origin: ${url}`);
	});
	page.on('websocket', (socket) => {
		const url = new URL(socket.url());
		if (url.host !== new URL(agent.url).host) faults.push(`socket to another origin: ${url}`);
	});
	return Object.assign(page, {
		faults,
		check: () => assert.deepEqual(faults, []),
	});
}

/** Logs in through the form. */
export async function logIn(page, agent, path = '/') {
	await page.goto(agent.url + path);
	await page.getByLabel('User name').fill(agent.username);
	await page.getByLabel('Password').fill(agent.password);
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('navigation', { name: 'Main', exact: true }).waitFor();
}

/** Every rule of axe that is not experimental; the names of what it found. */
export async function axeViolations(page) {
	await page.evaluate(axeSource);
	const { violations } = await page.evaluate(() =>
		axe.run(document, { resultTypes: ['violations'] }),
	);
	return violations.map(
		(v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} ${n.failureSummary}`).join('; ')}`,
	);
}

/** What the terminal shows, line by line. */
export async function terminalText(page) {
	return page.locator('.xterm-rows').innerText();
}

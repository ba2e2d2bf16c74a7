#!/usr/bin/env node
// Takes the pictures in docs/images/ from the real daemon: node tests/browser/screenshots.mjs [OUT]
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Agent, arm64Image, ROOT } from './lib/agent.mjs';
import { launch, logIn, openPage } from './lib/browser.mjs';

const out = resolve(process.argv[2] ?? join(ROOT, 'docs/images'));
mkdirSync(out, { recursive: true });
const agent = new Agent();

async function furnish() {
	const kernel = await agent.upload('vmlinuz-6.12-arm64', 'kernel', arm64Image(1024 * 1024));
	const initrd = await agent.upload('initrd-6.12-arm64', 'initrd', Buffer.alloc(700_000, 'i'));
	const image = await agent.upload('debian-13.raw', 'disk', Buffer.alloc(3_000_000, 'd'));
	const body = { name: 'web-root', image };
	const made = await agent.must('POST', '/api/v1/volumes', { body });
	await agent.must('GET', `${made.headers.location}?wait=30`);
	const boot = { kernel, initrd, cmdline: 'console=hvc0 quiet' };
	for (const [name, memory_mib, description] of [
		['android', 1024, 'Infotainment'],
		['build', 512, 'Nightly builds'],
		['gateway', 256, 'CAN to Ethernet'],
		['web', 384, 'Status pages'],
	])
		await agent.define(name, kernel, { memory_mib, description, boot });
	for (const name of ['android', 'gateway', 'web']) await agent.act(name, 'start');
	await agent.act('gateway', 'pause');
}

async function shoot(browser, name, path, options, prepare) {
	const page = await openPage(browser, agent, {
		viewport: { width: 1280, height: 800 },
		...options,
	});
	await logIn(page, agent, path);
	await prepare(page);
	await page.locator('.link-state[data-live=true]').waitFor();
	await page.screenshot({ path: join(out, `${name}.png`) });
	page.check();
	await page.context().close();
}

try {
	await agent.start();
	await agent.claim();
	await furnish();
	const browser = await launch(agent);
	try {
		await shoot(browser, 'overview', '/', { colorScheme: 'light' }, async (page) => {
			await page.locator('.chart canvas').waitFor();
			await page.waitForTimeout(16_000); // three samples of the history
		});
		await shoot(
			browser,
			'console',
			'/domains/web/console',
			{ colorScheme: 'dark' },
			async (page) => {
				await page.locator('.xterm-rows', { hasText: 'GUEST-READY' }).waitFor();
				await page.keyboard.type('help\r');
				await page.locator('.xterm-rows', { hasText: 'poweroff' }).waitFor();
			},
		);
		const phone = { colorScheme: 'light', viewport: { width: 360, height: 700 } };
		await shoot(browser, 'phone', '/domains', phone, (page) =>
			page.getByRole('link', { name: 'web', exact: true }).waitFor(),
		);
	} finally {
		await browser.close();
	}
} finally {
	await agent.close();
}

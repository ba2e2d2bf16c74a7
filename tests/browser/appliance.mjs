#!/usr/bin/env node
// A newcomer's ten minutes in the browser, on the appliance that `make run DETACH=1 FRESH=1` has just booted: claims it, uploads
// the small guest of `make guest`, defines a domain, starts it, types into its console, stops it. Takes the README's pictures.
//   node tests/browser/appliance.mjs RUN [PICTURES]
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connect } from 'node:tls';
import { ROOT, until } from './lib/agent.mjs';
import { launch, openPage, terminalText } from './lib/browser.mjs';

const run = resolve(process.argv[2] ?? 'build/run');
const pictures = resolve(process.argv[3] ?? join(run, 'pictures'));
mkdirSync(pictures, { recursive: true });
const link = readFileSync(join(run, 'claim-url'), 'utf8').trim();
const url = new URL(link).origin;

/** The key of the leaf, from a handshake that verified it against ca.pem. */
function leafSpki() {
	return new Promise((done, fail) => {
		const socket = connect(
			{
				port: new URL(url).port,
				host: '127.0.0.1',
				ca: readFileSync(join(run, 'ca.pem')),
			},
			() => {
				const key = socket.getPeerX509Certificate().publicKey;
				socket.destroy();
				const der = key.export({ type: 'spki', format: 'der' });
				done(createHash('sha256').update(der).digest('base64'));
			},
		).on('error', fail);
	});
}

const agent = { url, spki: await leafSpki() };
const browser = await launch(agent);
const page = await openPage(browser, agent, { colorScheme: 'light' });
page.setDefaultTimeout(180_000);
const shoot = (name) => page.screenshot({ path: join(pictures, `${name}.png`) });
const say = (text) => console.log(`${new Date().toISOString()} ${text}`);
const seen = (text, what) =>
	until(async () => (await terminalText(page)).includes(text), what, 300_000);

await page.goto(link);
await page.getByLabel('User name').fill('anna');
await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
await page.getByLabel('Password again').fill('correct horse battery');
await shoot('claim');
await page.getByRole('button', { name: 'Claim' }).click();
await page.getByRole('heading', { name: 'Move the first domain in' }).waitFor();
await shoot('first-steps');
say('claimed');

await page.getByRole('link', { name: 'Upload images' }).click();
await page
	.locator('.drop input[type=file]')
	.setInputFiles(['kernel', 'initrd.gz'].map((name) => join(ROOT, 'build/guest', name)));
const dialog = page.getByRole('dialog');
await dialog.getByLabel('Kind').first().selectOption('kernel');
await dialog.getByLabel('Kind').last().selectOption('initrd');
await dialog.getByRole('button', { name: 'Upload 2 files' }).click();
for (const name of ['kernel', 'initrd.gz'])
	await page.locator('tr', { hasText: name }).first().waitFor();
await until(
	async () => (await page.locator('.upload').count()) === 0,
	'no upload to be left',
	180_000,
);
await shoot('images');
say('uploaded');

await page.getByRole('link', { name: 'Define a domain' }).click();
await page.getByLabel('Name', { exact: true }).fill('web');
await page.getByLabel('Memory in MiB').fill('256');
await page.getByRole('button', { name: 'Define domain' }).click();
await page.getByRole('heading', { name: 'web' }).waitFor();
await page.getByRole('button', { name: 'Start' }).click();
await page.locator('.page-head .badge', { hasText: 'Running' }).waitFor();
say('started');
await page.getByRole('link', { name: 'Console', exact: true }).click();
await seen('guest: ready', 'the guest to boot');
await page.keyboard.type('uname -r; cat /sys/hypervisor/type\r');
await seen('\nxen', 'the answer of the guest');
await page.emulateMedia({ colorScheme: 'dark' });
await page.waitForTimeout(1000); // the colours of the buttons fade over
await shoot('console');
say('the guest answered');
await page.emulateMedia({ colorScheme: 'light' });
await page.getByRole('link', { name: 'Overview' }).click();
await page.locator('.chart canvas').waitFor();
await page.waitForTimeout(16_000); // three samples of the history
await shoot('overview');
await page.getByRole('link', { name: 'Domains' }).click();
await page.getByRole('link', { name: 'web', exact: true }).click();
await page.getByRole('button', { name: 'Shut down' }).click();
await page.getByRole('dialog').getByRole('button', { name: 'Shut down' }).click();
await page.locator('.page-head .badge', { hasText: 'Stopped' }).waitFor();
say('stopped');
page.check();
assert.deepEqual(page.faults, []);
await browser.close();

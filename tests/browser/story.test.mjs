// The whole story of a newcomer: claim, upload over a line that breaks, define, start, type, reboot, stop.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Agent, arm64Image, until } from './lib/agent.mjs';
import { launch, openPage, terminalText } from './lib/browser.mjs';

const agent = new Agent();
let browser;
let page;

before(async () => {
	await agent.start();
	browser = await launch(agent);
	page = await openPage(browser, agent);
});

after(async () => {
	await browser?.close();
	await agent.close();
});

const kernel = arm64Image(13 * 1024 * 1024 + 123);
const initrd = Buffer.from('070701 not much of an initrd, but one');
const badge = (text) => page.locator('.page-head .badge', { hasText: text });

test('a claim link fills in the code and leaves the address bar at once', async () => {
	const code = agent.claimCode;
	await page.goto(`${agent.url}/#claim=${code}`);
	await page.getByLabel('Claim code').waitFor();
	assert.equal(await page.getByLabel('Claim code').inputValue(), code);
	assert.equal(await page.evaluate(() => location.href), `${agent.url}/`);
	page.check();
});

test('claiming makes the administrator, logs in, and leaves no token behind', async () => {
	await page.getByLabel('User name').fill('anna');
	await page.getByLabel('Password', { exact: true }).fill('correct horse');
	await page.getByLabel('Password again').fill('correct horse');
	await page.getByRole('button', { name: 'Claim' }).click();
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	await page.getByRole('heading', { name: 'Move the first domain in' }).waitFor();
	await page.getByRole('link', { name: 'Account' }).click();
	await page.getByText('No tokens yet.').waitFor();
	const cookies = await page.context().cookies();
	const session = cookies.find((c) => c.name === '__Host-domus_session');
	assert.ok(session?.httpOnly && session.secure && session.sameSite === 'Strict');
	page.check();
});

test('an upload goes on where a cut connection stopped it', async () => {
	await page.getByRole('link', { name: 'Overview' }).click();
	await page.getByRole('link', { name: 'Upload images' }).click();
	await page.locator('.drop input[type=file]').setInputFiles([
		{
			name: 'vmlinuz-6.12',
			mimeType: 'application/octet-stream',
			buffer: kernel,
		},
		{
			name: 'initrd.img',
			mimeType: 'application/octet-stream',
			buffer: initrd,
		},
	]);
	const dialog = page.getByRole('dialog');
	assert.equal(await dialog.getByLabel('Kind').first().inputValue(), 'kernel');
	assert.equal(await dialog.getByLabel('Kind').last().inputValue(), 'initrd');
	agent.wire.cutAfter(9 * 1024 * 1024);
	await dialog.getByRole('button', { name: 'Upload 2 files' }).click();
	const row = page.locator('.upload', { hasText: 'vmlinuz-6.12' });
	await row.getByText('Connection lost, trying again').waitFor();
	const before = agent.wire.sent;
	agent.wire.mend();
	await page.locator('tr', { hasText: 'vmlinuz-6.12' }).waitFor();
	await page.locator('tr', { hasText: 'initrd.img' }).waitFor();
	await until(async () => (await page.locator('.upload').count()) === 0, 'no upload to be left');
	const again = agent.wire.sent - before;
	assert.ok(again < kernel.length - 4 * 1024 * 1024, `${again} bytes were sent after the cut`);
	const digest = createHash('sha256').update(kernel).digest('hex');
	assert.equal(
		await page.locator('tr', { hasText: 'vmlinuz-6.12' }).locator('.digest').innerText(),
		digest,
	);
	page.check();
});

test('a domain is defined with the kernel and initrd that are there', async () => {
	await page.getByRole('link', { name: 'Define a domain' }).click();
	await page.getByLabel('Name', { exact: true }).fill('web');
	await page.getByLabel('Memory in MiB').fill('128');
	assert.match(await page.getByLabel('Kernel', { exact: true }).innerText(), /vmlinuz-6\.12/);
	await page.getByRole('button', { name: 'Define domain' }).click();
	await page.getByRole('heading', { name: 'web' }).waitFor();
	await badge('Stopped').waitFor();
	page.check();
});

test('it starts, and its console shows it boot', async () => {
	await page.getByRole('button', { name: 'Start' }).click();
	await badge('Running').waitFor();
	await page.getByRole('link', { name: 'Console', exact: true }).click();
	await until(async () => (await terminalText(page)).includes('GUEST-READY'), 'the guest to boot');
	page.check();
});

test('what is typed on the console is answered', async () => {
	await page.keyboard.type('echo from-the-browser\r');
	await until(
		async () => /^from-the-browser$/m.test(await terminalText(page)),
		'the answer of the guest',
	);
	page.check();
});

test('the console survives a reboot of the domain', async () => {
	await page.getByRole('button', { name: 'Reboot' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Reboot' }).click();
	await until(
		async () => /Restarting system[^]*GUEST-READY/.test(await terminalText(page)),
		'the guest to boot again on the same console',
	);
	await badge('Running').waitFor();
	await page.locator('.xterm-helper-textarea').focus();
	await page.keyboard.type('echo after-the-reboot\r');
	await until(
		async () => /^after-the-reboot$/m.test(await terminalText(page)),
		'the answer after the reboot',
	);
	page.check();
});

test('the console log can be downloaded', async () => {
	const downloading = page.waitForEvent('download');
	await page.getByRole('link', { name: 'Console log' }).click();
	const download = await downloading;
	assert.equal(download.suggestedFilename(), 'web.log');
	const chunks = [];
	for await (const piece of await download.createReadStream()) chunks.push(piece);
	assert.match(Buffer.concat(chunks).toString(), /from-the-browser[^]*after-the-reboot/);
	page.check();
});

test('it shuts down, and the list of operations tells the story', async () => {
	await page.getByRole('button', { name: 'Shut down' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Shut down' }).click();
	await badge('Stopped').waitFor();
	await page.getByRole('link', { name: 'Operations' }).click();
	for (const what of ['Start', 'Reboot', 'Shut down'])
		await page.locator('tr', { hasText: what }).filter({ hasText: 'Done' }).waitFor();
	page.check();
});

test('a reload keeps the session and the place', async () => {
	await page.goto(`${agent.url}/domains/web`);
	await badge('Stopped').waitFor();
	await page.getByRole('link', { name: 'Account' }).click();
	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
	await page.goto(`${agent.url}/domains/web`);
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
	page.check();
});

// The appliance without a mouse.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, arm64Image, until } from './lib/agent.mjs';
import { launch, openPage, terminalText } from './lib/browser.mjs';

const agent = new Agent();
let browser;
let page;

before(async () => {
	await agent.start();
	await agent.claim();
	await agent.upload('vmlinuz', 'kernel', arm64Image());
	browser = await launch(agent);
	page = await openPage(browser, agent);
});

after(async () => {
	await browser?.close();
	await agent.close();
});

/** Name and look of what has the focus. */
function focused() {
	return page.evaluate(() => {
		const e = document.activeElement;
		const labels = [...(e?.labels ?? [])].map((l) => l.textContent.trim()).join(' ');
		return {
			name: e?.getAttribute('aria-label') || labels || e?.textContent?.trim() || '',
			visible: !!e?.matches(':focus-visible') && getComputedStyle(e).outlineStyle !== 'none',
			inDialog: !!e?.closest('dialog'),
		};
	});
}

/** Presses Tab until the thing of this name has the focus, as a person would; it must look focused. */
async function tabTo(name, key = 'Tab') {
	const seen = [];
	for (let i = 0; i < 80; i++) {
		await page.keyboard.press(key);
		const now = await focused();
		seen.push(now.name);
		if (now.name !== name) continue;
		assert.ok(now.visible, `the focus on "${name}" cannot be seen`);
		return;
	}
	assert.fail(`no way to "${name}" by ${key}; seen: ${seen.join(' | ')}`);
}

const badge = (text) => page.locator('.page-head .badge', { hasText: text }).waitFor();

test('logging in: the first field has the focus, Enter submits', async () => {
	await page.goto(agent.url);
	await until(async () => (await focused()).name === 'User name', 'the focus on the first field');
	await page.keyboard.type('anna');
	await page.keyboard.press('Tab');
	await page.keyboard.type('correct horse');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	page.check();
});

test('the first stop on a page skips to its content', async () => {
	await page.reload();
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	await tabTo('Skip to content');
	await page.keyboard.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
	page.check();
});

test('defining a domain', async () => {
	await page.reload();
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	await tabTo('Domains');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: 'Domains' }).waitFor();
	await page.getByRole('link', { name: 'New domain' }).waitFor();
	await tabTo('New domain');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: 'New domain' }).waitFor();
	await until(async () => (await focused()).name === 'Name', 'the focus on the name');
	await page.keyboard.type('keys');
	await tabTo('Memory in MiB');
	await page.keyboard.press('Control+a');
	await page.keyboard.type('64');
	await tabTo('Define domain');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: 'keys' }).waitFor();
	page.check();
});

test('a wrong field gets the focus', async () => {
	await page.goto(`${agent.url}/new-domain`);
	await until(async () => (await focused()).name === 'Name', 'the focus on the name');
	await page.keyboard.type('../x');
	await tabTo('Define domain');
	await page.keyboard.press('Enter');
	await until(async () => (await focused()).name === 'Name', 'the focus on the wrong name');
	assert.equal(await page.getByLabel('Name', { exact: true }).getAttribute('aria-invalid'), 'true');
	page.check();
});

test('starting, typing into the console and getting out of it', async () => {
	await page.goto(`${agent.url}/domains/keys`);
	await page.getByRole('button', { name: 'Start' }).waitFor();
	await tabTo('Start');
	await page.keyboard.press('Enter');
	await badge('Running');
	await tabTo('Console');
	await page.keyboard.press('Enter');
	await until(async () => (await focused()).name === 'Terminal input', 'the focus in the terminal');
	await until(async () => (await terminalText(page)).includes('GUEST-READY'), 'the guest to boot');
	await page.keyboard.type('echo by-keyboard');
	await page.keyboard.press('Tab');
	assert.equal((await focused()).name, 'Terminal input', 'Tab belongs to the guest');
	await page.keyboard.press('Enter');
	await until(async () => /^by-keyboard/m.test(await terminalText(page)), 'the answer');
	await page.keyboard.press('Control+Shift+Enter');
	assert.equal((await focused()).name, 'Screen reader');
	page.check();
});

test('a dialog keeps the focus, Escape closes it and gives the focus back', async () => {
	await tabTo('Kill', 'Shift+Tab');
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').waitFor();
	for (let i = 0; i < 6; i++) {
		await page.keyboard.press('Tab');
		const now = await focused();
		assert.ok(
			now.inDialog ||
				now.name === '' ||
				!(await page.evaluate(() => document.hasFocus())) ||
				(await page.evaluate(() => document.activeElement === document.body)),
			`the focus left the dialog for ${now.name}`,
		);
	}
	await page.keyboard.press('Escape');
	await page.getByRole('dialog').waitFor({ state: 'detached' });
	assert.equal((await focused()).name, 'Kill');
	assert.equal(await agent.state('keys'), 'running');
	page.check();
});

test('stopping it', async () => {
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').waitFor();
	await tabTo('Kill');
	assert.ok((await focused()).inDialog);
	await page.keyboard.press('Enter');
	await badge('Stopped');
	page.check();
});

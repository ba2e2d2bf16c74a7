// A drive is pulled from a domain that runs, and plugged in again: what the dashboard says and what then happens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, arm64Image, until } from './lib/agent.mjs';
import { axeViolations, launch, logIn, openPage } from './lib/browser.mjs';

const DRIVE = 'usb-00.03.0-1.1';
const LABEL = 'When a pulled device is back';
const agent = new Agent();
let browser;
let page;

before(async () => {
	await agent.start();
	await agent.claim();
	const kernel = await agent.upload('vmlinuz', 'kernel', arm64Image());
	await agent.define('one', kernel);
	await agent.define('chip', kernel, {
		devices: ['platform-53100000.gpu', 'platform-56180000.display'],
	});
	browser = await launch(agent);
	page = await openPage(browser, agent);
	await logIn(page, agent);
});

after(async () => {
	await browser?.close();
	await agent.close();
});

const domain = async (name) => (await agent.must('GET', `/api/v1/domains/${name}`)).json;
const alert = () => page.getByRole('alert').filter({ hasText: 'USB port 1.1' });

async function pull() {
	agent.fault(`${DRIVE} pulled`);
	await alert().waitFor();
}

async function plugIn() {
	agent.fault();
	await alert().waitFor({ state: 'detached' });
}

test('a domain that nothing can be pulled from is not asked what to do then', async () => {
	for (const path of ['/new-domain', '/domains/one/edit', '/domains/chip/edit']) {
		await page.goto(agent.url + path);
		await page.getByLabel('After a crash').waitFor();
		await until(
			async () => (await page.getByLabel(LABEL).count()) === 0,
			`no such question on ${path}`,
		);
	}
	await page.goto(`${agent.url}/domains/chip`);
	await page.getByRole('link', { name: 'gpu 53100000' }).waitFor();
	assert.equal(await page.getByText(LABEL).count(), 0);
	page.check();
});

test('what is to happen is chosen by keyboard when a drive is taken, kept, and shown', async () => {
	await page.goto(`${agent.url}/domains/one/edit`);
	await page.getByRole('button', { name: 'Add a disk' }).click();
	await page.getByLabel('Volume').selectOption({ label: 'In USB port 1.1: Simulated USB drive' });
	assert.equal(await page.getByLabel(LABEL).inputValue(), 'report');
	await page.getByLabel('After a crash').focus();
	await page.keyboard.press('Tab');
	const focused = page.locator('select:focus');
	assert.equal(await focused.evaluate((e) => e.labels[0].textContent.trim()), LABEL);
	const described = await focused.getAttribute('aria-describedby');
	assert.match(await page.locator(`#${described}`).innerText(), /started anew/);
	await page.keyboard.press('s'); // "Starts anew"
	assert.equal(await focused.inputValue(), 'restart');
	assert.deepEqual(await axeViolations(page), []);
	await page.getByRole('button', { name: 'Save changes' }).click();
	await page.getByText('one was saved.').waitFor();
	await page.getByText(LABEL).waitFor();
	await page.getByText('Starts anew, to use it').waitFor();
	assert.equal((await domain('one')).on_pull, 'restart');
	await page.getByRole('link', { name: 'Edit' }).click();
	await until(
		async () => (await page.getByLabel(LABEL).inputValue()) === 'restart',
		'the choice to be kept',
	);
	page.check();
});

test('an alert says that the domain starts anew, on every page that shows it, and so it does', async () => {
	await agent.act('one', 'start');
	await page.goto(`${agent.url}/board`);
	await page.getByRole('heading', { name: 'Board', exact: true }).waitFor();
	const before = (await domain('one')).status.domid;
	await pull();
	const says = 'When it is plugged in again, one starts anew to use it.';
	for (const path of ['/board', '/', `/board/${DRIVE}`, '/domains/one']) {
		await page.goto(agent.url + path);
		await alert().filter({ hasText: says }).waitFor();
		assert.deepEqual(await axeViolations(page), [], path);
	}
	await plugIn();
	await until(async () => {
		const { status } = await domain('one');
		return status.state === 'running' && status.domid !== before;
	}, 'the domain to have started anew');
	await page.locator('.page-head .badge', { hasText: 'Running' }).waitFor();
	page.check();
});

test('an alert says that the domain runs on as it is, and so it does', async () => {
	await page.goto(`${agent.url}/domains/one/edit`);
	await page.getByLabel(LABEL).selectOption('report');
	await page.getByRole('button', { name: 'Save changes' }).click();
	await page.getByText('one was saved.').waitFor();
	const before = (await domain('one')).status.domid;
	await pull();
	await alert().filter({ hasText: 'this alert goes, and one runs on without it' }).waitFor();
	await plugIn();
	const { status } = await domain('one');
	assert.deepEqual([status.state, status.domid], ['running', before]);
	page.check();
});

// The board: the picture and the table say the same, owners change by plan and apply, and what is wrong is shown.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Agent, arm64Image, until } from './lib/agent.mjs';
import { axeViolations, launch, logIn, openPage } from './lib/browser.mjs';

const SLOT = 'pcie-00.01.0';
const GPU = 'platform-53100000.gpu';
const REST = 'platform-5d080000.gpio'; // nothing switches it and nobody has it
const agent = new Agent();
let browser;
let kernel;
let page;

before(async () => {
	await agent.start();
	await agent.claim();
	kernel = await agent.upload('vmlinuz', 'kernel', arm64Image());
	await agent.define('one', kernel);
	await agent.define('two', kernel, { devices: ['pcie-00.02.0'] });
	browser = await launch(agent);
});

afterEach(async () => {
	page?.check();
	await page?.context().close();
	page = undefined;
	agent.fault();
});

after(async () => {
	await browser?.close();
	await agent.close();
});

async function open(path, options) {
	page = await openPage(browser, agent, options);
	await logIn(page, agent, path);
	await page.locator('.link-state[data-live=true]').waitFor();
}

const device = async (id) => (await agent.must('GET', `/api/v1/devices/${id}`)).json;
const row = (name) => page.getByRole('row').filter({ hasText: name });
/** The part of the picture that has this title. */
const tile = (name) =>
	page.locator('svg.board g.tile', { has: page.locator('text', { hasText: name }) });
const lit = async (name) => (await tile(name).getAttribute('class')).split(' ')[1];

/** Owners by definitions: nobody's but two's again. */
async function reset() {
	for (const [name, devices] of [
		['one', []],
		['two', ['pcie-00.02.0']],
	])
		await agent.must('PATCH', `/api/v1/domains/${name}`, {
			body: { devices },
			headers: { 'If-Match': '*' },
		});
}

test('the picture and the table say the same of every device', async () => {
	await open('/board');
	await tile('PCIe slot 1').waitFor();
	const all = (await agent.must('GET', '/api/v1/devices?limit=200')).json.items;
	const items = all.filter((d) => d.id !== REST);
	assert.equal(items.length, all.length - 1);
	assert.equal(await page.locator('svg.board g.tile').count(), items.length);
	assert.equal(await page.getByRole('row').count(), items.length + 1);
	const shown = await page
		.locator('svg.board g.tile')
		.evaluateAll((tiles) => tiles.map((g) => g.getAttribute('class').split(' ')[1]).sort());
	assert.deepEqual(shown, items.map((d) => d.power.actual).sort());
	assert.equal(await page.locator('svg.board').first().getAttribute('aria-hidden'), 'true');
});

test('what nothing switches and nobody has is folded away below the table', async () => {
	await open('/board');
	await tile('PCIe slot 1').waitFor();
	assert.equal(await tile('gpio').count(), 0);
	assert.equal(await row('gpio 5d080000').count(), 0);
	const fold = page.getByText('One more device on the chip');
	await fold.focus();
	await page.keyboard.press('Enter');
	await row('gpio 5d080000').getByText('The hypervisor has no rail for it.').waitFor();
	assert.deepEqual(await axeViolations(page), []);
});

test('starting and stopping a domain lights its devices without a reload', async () => {
	await open('/board');
	await tile('PCIe slot 2').waitFor();
	assert.equal(await lit('PCIe slot 2'), 'off');
	await agent.act('two', 'start');
	await until(async () => (await lit('PCIe slot 2')) === 'on', 'the slot to be lit');
	await row('PCIe slot 2').getByText('The domain two has it.').waitFor();
	await agent.act('two', 'kill');
	await until(async () => (await lit('PCIe slot 2')) === 'off', 'the slot to be dark');
});

test('a device changes its owner by keyboard alone: plan, then apply', async () => {
	await open('/board');
	const assign = page.getByRole('button', { name: 'Assign gpu 53100000' });
	await assign.focus();
	await page.keyboard.press('Enter');
	await page.getByRole('dialog').waitFor();
	await page.keyboard.press('Tab');
	await until(
		() => page.evaluate(() => document.activeElement.tagName === 'SELECT'),
		'the focus on the owner',
	).catch(() => page.getByLabel('New owner').focus());
	await page.keyboard.press('o'); // "one"
	await page.getByText('They share IOMMU stream').waitFor();
	assert.equal((await device(GPU)).owner, null);
	for (let i = 0; i < 4; i++) {
		const name = await page.evaluate(() => document.activeElement.textContent);
		if (name === 'Apply') break;
		await page.keyboard.press('Tab');
	}
	await page.keyboard.press('Enter');
	await page.getByText('The devices have their new owner.').waitFor();
	assert.equal((await device(GPU)).owner, 'one');
	assert.equal((await device('platform-56180000.display')).owner, 'one');
	await row('display 56180000').getByRole('link', { name: 'one' }).waitFor();
	// the browser gives the focus back to where the dialog was opened
	assert.equal(
		await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
		'Assign gpu 53100000',
	);
	await reset();
});

test('a plan that was overtaken is shown anew and not applied', async () => {
	await open(`/board/${SLOT}`);
	await page.getByRole('button', { name: 'Assign' }).click();
	await page.getByLabel('New owner').selectOption('one');
	await page.getByText('What moves').waitFor();
	await agent.must('PATCH', '/api/v1/domains/one', {
		body: { description: 'changed meanwhile' },
		headers: { 'If-Match': '*' },
	});
	await page.getByRole('button', { name: 'Apply' }).click();
	await page.getByText('Something has changed meanwhile.').waitFor();
	assert.equal((await device(SLOT)).owner, null);
	await page.getByRole('button', { name: 'Apply' }).click();
	await page.getByText('The devices have their new owner.').waitFor();
	assert.equal((await device(SLOT)).owner, 'one');
	await reset();
});

test('what a running domain has cannot be taken: the plan says who must stop', async () => {
	await agent.act('two', 'start');
	await open('/board/pcie-00.02.0');
	await page.getByRole('button', { name: 'Assign' }).click();
	await page.getByLabel('New owner').selectOption('one');
	await page.getByText('two runs with it. Stop it first').waitFor();
	const apply = page.getByRole('button', { name: 'Apply' });
	assert.equal(await apply.getAttribute('aria-disabled'), 'true');
	await apply.click({ force: true });
	assert.equal((await device('pcie-00.02.0')).owner, 'two');
	await agent.act('two', 'kill');
});

test('a device is kept on with a reason, and its history says by whom', async () => {
	await open(`/board/${SLOT}`);
	await page.getByRole('button', { name: 'Keep on' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByRole('button', { name: 'Always on' }).click();
	await dialog.getByText('Say why it has to stay on').waitFor();
	await dialog.getByLabel('Reason').fill('wakes us up');
	await dialog.getByRole('button', { name: 'Always on' }).click();
	await page.locator('.page-head .badge', { hasText: 'On' }).waitFor();
	await page.getByText('Policy keeps it on: wakes us up').waitFor();
	await page.getByRole('row').filter({ hasText: 'Policy' }).filter({ hasText: 'anna' }).waitFor();
	await page.getByRole('button', { name: 'No longer keep on' }).click();
	await page.locator('.page-head .badge', { hasText: 'Off' }).waitFor();
});

test('a rail that does not do what it is told is an alert on every page that matters', async () => {
	agent.fault(`${SLOT} stuck-on`);
	await open('/board');
	await until(async () => (await lit('PCIe slot 1')) === 'fault', 'the fault');
	await page.getByRole('alert').filter({ hasText: 'PCIe slot 1' }).waitFor();
	await page.getByRole('img', { name: '1 alert open' }).waitFor();
	assert.deepEqual(await axeViolations(page), []);
	await page
		.getByRole('navigation', { name: 'Main' })
		.getByRole('link', { name: 'Overview' })
		.click();
	await page.getByRole('alert').filter({ hasText: 'PCIe slot 1' }).waitFor();
	agent.fault();
	await page.getByRole('alert').waitFor({ state: 'detached' });
});

test('a domain can boot from the drive in a port', async () => {
	await open('/domains/one/edit');
	await page.getByRole('button', { name: 'Add a disk' }).click();
	await page.getByLabel('Volume').selectOption({ label: 'In USB port 1.1: Simulated USB drive' });
	await page.getByRole('button', { name: 'Save changes' }).click();
	for (const name of ['Disks', 'Devices'])
		await page.getByRole('region', { name }).getByRole('link', { name: 'USB port 1.1' }).waitFor();
	const { json } = await agent.must('GET', '/api/v1/domains/one');
	assert.deepEqual(json.devices, ['usb-00.03.0-1.1']);
	assert.deepEqual(json.disks[0].source, { device: 'usb-00.03.0-1.1' });
	await agent.must('PATCH', '/api/v1/domains/one', {
		body: { devices: [], disks: [] },
		headers: { 'If-Match': '*' },
	});
});

test('the picture keeps lit and dark apart in forced colours, and fits a narrow screen', async () => {
	await open('/board', { forcedColors: 'active', viewport: { width: 360, height: 740 } });
	await tile('PCIe slot 1').waitFor();
	const strokes = await page.evaluate(() =>
		['on', 'off'].map(
			(power) => getComputedStyle(document.querySelector(`g.tile.${power} rect`)).stroke,
		),
	);
	assert.notEqual(strokes[0], strokes[1]);
	const wide = await page
		.locator('svg.board')
		.first()
		.evaluate((svg) => svg.getBoundingClientRect().right);
	assert.ok(wide <= 360, `the picture ends at ${wide} px`);
	assert.deepEqual(await axeViolations(page), []);
});

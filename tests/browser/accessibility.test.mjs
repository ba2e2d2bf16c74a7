// axe on every page and dialog in light and dark, and no page that scrolls sideways on a narrow screen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, arm64Image, until } from './lib/agent.mjs';
import { axeViolations, launch, logIn, openPage } from './lib/browser.mjs';

const agent = new Agent();
let browser;

before(async () => {
	await agent.start();
	browser = await launch(agent);
});

after(async () => {
	await browser?.close();
	await agent.close();
});

const looks = [
	{ name: 'light', options: { colorScheme: 'light' } },
	{ name: 'dark', options: { colorScheme: 'dark' } },
	{
		name: 'light, 360 px',
		options: { colorScheme: 'light', viewport: { width: 360, height: 740 } },
	},
	{
		name: 'dark, 360 px',
		options: { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
	},
];

async function inspect(page, where) {
	assert.deepEqual(await axeViolations(page), [], `axe: ${where}`);
	const over = await page.evaluate(() => {
		const { scrollWidth, clientWidth } = document.documentElement;
		return scrollWidth - clientWidth;
	});
	assert.ok(over <= 0, `${where} scrolls sideways by ${over} px`);
	page.check();
}

const file = {
	name: 'some.img',
	mimeType: '',
	buffer: Buffer.from('some content'),
};

/** Where to go, what to wait for, and what to do there before looking. */
const empty = [
	['/', (page) => page.getByText('Move the first domain in').waitFor()],
	['/domains', (page) => page.getByText('Nobody lives here yet').waitFor()],
	['/images', (page) => page.getByText('No images yet').waitFor()],
	['/volumes', (page) => page.getByText('No volumes yet').waitFor()],
	['/operations', (page) => page.getByText('Nothing was asked yet').waitFor()],
	['/new-domain', (page) => page.getByText('There is no kernel image yet.').waitFor()],
	['/no/such/page', (page) => page.getByText('It may have been deleted').waitFor()],
];
const full = [
	['/', (page) => page.locator('.chart canvas').waitFor()],
	['/domains', (page) => page.getByRole('link', { name: 'runs', exact: true }).waitFor()],
	['/domains/runs', (page) => page.getByText('Command line').waitFor()],
	['/domains/rests', (page) => page.getByRole('button', { name: 'Delete' }).waitFor()],
	[
		'/domains/runs/console',
		async (page) => {
			await page.getByText('Connected').waitFor();
			await page.locator('.xterm-rows', { hasText: 'GUEST-READY' }).waitFor();
		},
	],
	['/domains/runs/edit', (page) => page.getByLabel('Description').waitFor()],
	['/new-domain', (page) => page.getByLabel('Name', { exact: true }).waitFor()],
	['/board', (page) => page.locator('svg.board .tile').first().waitFor()],
	['/board/pcie-00.01.0', (page) => page.getByRole('heading', { name: 'History' }).waitFor()],
	['/board/no-such-device', (page) => page.getByText('It may have been deleted').waitFor()],
	['/images', (page) => page.locator('tr', { hasText: 'vmlinuz' }).waitFor()],
	['/volumes', (page) => page.locator('tr', { hasText: 'data' }).waitFor()],
	['/operations', (page) => page.locator('tr', { hasText: 'Start' }).first().waitFor()],
	['/account', (page) => page.getByRole('heading', { name: 'Tokens for scripts' }).waitFor()],
];
const dialogs = [
	['/domains/runs', (page) => page.getByRole('button', { name: 'Kill' }).click()],
	['/domains/rests', (page) => page.getByRole('button', { name: 'Delete' }).click()],
	[
		'/board',
		async (page) => {
			await page.getByRole('button', { name: 'Assign gpu 53100000' }).click();
			await page.getByLabel('New owner').selectOption('rests');
			await page.getByText('What moves').waitFor();
		},
	],
	['/board/pcie-00.01.0', (page) => page.getByRole('button', { name: 'Keep on' }).click()],
	[
		'/images',
		async (page) => {
			await page.locator('.drop input[type=file]').setInputFiles([file]);
		},
	],
	['/images', (page) => page.getByRole('button', { name: 'Delete vmlinuz' }).click()],
	['/volumes', (page) => page.getByRole('button', { name: 'New volume' }).click()],
	[
		'/operations',
		(page) =>
			page
				.getByRole('button', { name: /^Details/ })
				.first()
				.click(),
	],
	['/account', (page) => page.getByRole('button', { name: 'New token' }).click()],
	[
		'/account',
		async (page) => {
			await page.getByRole('button', { name: 'New token' }).click();
			const dialog = page.getByRole('dialog');
			await dialog.getByLabel('Name').fill('axe');
			await dialog.getByRole('button', { name: 'Create' }).click();
			await page.getByText('Copy the token now').waitFor();
		},
	],
];

/** A page with wrong fields, and one with a conflict: they look different from the rest. */
const troubled = [
	[
		'/new-domain',
		async (page) => {
			await page.getByLabel('Name', { exact: true }).fill('../x');
			await page.getByRole('button', { name: 'Define domain' }).click();
			await page.locator('[aria-invalid=true]').first().waitFor();
		},
	],
	[
		'/domains/rests/edit',
		async (page) => {
			await page.getByLabel('Description').fill('mine');
			await agent.must('PATCH', '/api/v1/domains/rests', {
				body: { description: `theirs ${Date.now()}` },
				headers: { 'If-Match': '*' },
			});
			await page.getByRole('button', { name: 'Save changes' }).click();
			await page.getByText('Somebody else changed this domain meanwhile.').waitFor();
		},
	],
];

test('the claim page', async () => {
	for (const { name, options } of looks) {
		const page = await openPage(browser, agent, options);
		await page.goto(agent.url);
		await page.getByRole('heading', { name: 'Make this appliance yours' }).waitFor();
		await inspect(page, `claim, ${name}`);
		await page.context().close();
	}
});

test('the login page, with an error too', async () => {
	await agent.claim();
	for (const { name, options } of looks.slice(0, 3)) {
		const page = await openPage(browser, agent, options);
		await page.goto(agent.url);
		await page.getByRole('heading', { name: 'Log in' }).waitFor();
		await inspect(page, `log in, ${name}`);
		await page.getByLabel('User name').fill('Nobody!');
		await page.getByLabel('Password').fill('wrong');
		await page.getByRole('button', { name: 'Log in' }).click();
		await page.getByRole('alert').waitFor();
		await inspect(page, `log in, wrong, ${name}`);
		await page.context().close();
	}
});

async function visit(places, { options, name }) {
	const page = await openPage(browser, agent, options);
	await logIn(page, agent);
	for (const [path, prepare] of places) {
		await page.goto(agent.url + path);
		await page.getByRole('main').waitFor();
		await prepare(page);
		await inspect(page, `${path}, ${name}`);
	}
	await page.context().close();
}

for (const look of looks)
	test(`pages of an empty appliance, ${look.name}`, () => visit(empty, look));

test('something to see is made', async () => {
	const kernel = await agent.upload('vmlinuz', 'kernel', arm64Image());
	const body = { name: 'data', size: 1024 * 1024 };
	const volume = (await agent.must('POST', '/api/v1/volumes', { body })).json.id;
	const disks = [{ name: 'xvda', source: { volume } }];
	await agent.define('runs', kernel, { disks, description: 'It runs' });
	await agent.define('rests', kernel);
	await agent.define('waits', kernel);
	await agent.act('runs', 'start');
	await agent.act('waits', 'start');
	await agent.act('waits', 'pause');
	await until(async () => (await agent.state('waits')) === 'paused', 'a paused domain');
});

for (const look of looks) {
	test(`pages with content, ${look.name}`, () => visit(full, look));
	test(`dialogs, ${look.name}`, async () => {
		const opened = dialogs.map(([path, open]) => [
			path,
			async (page) => {
				await open(page);
				await page.getByRole('dialog').waitFor();
			},
		]);
		await visit(opened, look);
	});
	test(`troubled forms, ${look.name}`, () => visit(troubled, look));
}

test('forced colours and reduced motion', () =>
	visit(full, {
		name: 'forced colours',
		options: { forcedColors: 'active', reducedMotion: 'reduce' },
	}));

test('the theme button overrides the system and is remembered', async () => {
	const page = await openPage(browser, agent, { colorScheme: 'light' });
	await logIn(page, agent);
	const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await background();
	await page.getByRole('button', { name: 'Theme: like the system' }).click();
	await page.getByRole('button', { name: 'Theme: light' }).click();
	await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
	const dark = await background();
	assert.notEqual(dark, light);
	await page.reload();
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	assert.equal(await background(), dark);
	page.check();
	await page.context().close();
});

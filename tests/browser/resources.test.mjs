// Volumes, tokens, and a domain that uses them: what the other stories do not touch.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, arm64Image, until } from './lib/agent.mjs';
import { launch, logIn, openPage, terminalText } from './lib/browser.mjs';

const agent = new Agent();
let browser;
let page;

before(async () => {
	await agent.start();
	await agent.claim();
	await agent.upload('vmlinuz', 'kernel', arm64Image());
	await agent.upload('root.raw', 'disk', Buffer.alloc(3 * 1024 * 1024, 'd'));
	browser = await launch(agent);
	page = await openPage(browser, agent);
	await logIn(page, agent, '/volumes');
});

after(async () => {
	await browser?.close();
	await agent.close();
});

const dialog = () => page.getByRole('dialog');

test('a volume is made empty and from an image', async () => {
	await page.getByRole('button', { name: 'New volume' }).click();
	await dialog().getByLabel('Name').fill('data');
	await dialog().getByLabel('Size in MiB').fill('8');
	await dialog().getByRole('button', { name: 'Create' }).click();
	await page.locator('tr', { hasText: 'data' }).getByText('8 MiB').waitFor();
	await page.getByRole('button', { name: 'New volume' }).click();
	await dialog().getByLabel('Name').fill('root');
	await dialog().getByLabel('Contents').selectOption({ label: 'root.raw (3 MiB)' });
	await dialog().getByRole('button', { name: 'Create' }).click();
	await page.locator('tr', { hasText: 'root.raw' }).getByText('3 MiB').waitFor();
	page.check();
});

test('what is typed before the images are there is kept', async () => {
	let release;
	const typed = new Promise((done) => (release = done));
	await page.route('**/api/v1/images*', async (route) => {
		await typed;
		await route.continue();
	});
	await page.goto(`${agent.url}/new-domain`);
	await page.getByLabel('Name', { exact: true }).fill('early');
	await page.getByLabel('Description').fill('typed before the list came');
	release();
	await until(
		async () => /vmlinuz/.test(await page.getByLabel('Kernel', { exact: true }).innerText()),
		'the kernels to be listed',
	);
	assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'early');
	assert.notEqual(await page.getByLabel('Kernel', { exact: true }).inputValue(), '');
	await page.unroute('**/api/v1/images*');
	page.once('dialog', (leave) => leave.accept());
	await page.getByRole('button', { name: 'Cancel' }).click();
	page.check();
});

test('a domain is defined with a disk, a network and a share of the processors', async () => {
	await page.goto(`${agent.url}/new-domain`);
	await page.getByLabel('Name', { exact: true }).fill('server');
	await page.getByLabel('Memory in MiB').fill('64');
	await page.getByLabel('CPU weight').fill('512');
	await page.getByRole('button', { name: 'Add a disk' }).click();
	await page.getByLabel('Volume or drive').selectOption({ label: 'root' });
	await page.getByLabel('Read-only').check();
	await page.getByRole('button', { name: 'Add a network interface' }).click();
	await page.getByRole('button', { name: 'Define domain' }).click();
	await page.getByRole('heading', { name: 'server' }).waitFor();
	const domain = (await agent.must('GET', '/api/v1/domains/server')).json;
	assert.equal(domain.cpu.weight, 512);
	assert.equal(domain.disks[0].name, 'xvda');
	assert.equal(domain.disks[0].readonly, true);
	assert.match(domain.nics[0].mac, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
	await page.getByText('read-only').waitFor();
	page.check();
});

test('an edit changes what it shows and keeps what it does not', async () => {
	await agent.must('PATCH', '/api/v1/domains/server', {
		body: { watchdog_s: 30, on_pull: 'restart', cpu: { affinity: [0] }, restart: { max: 3 } },
		headers: { 'If-Match': '*' },
	});
	await page.getByRole('link', { name: 'Edit' }).click();
	await page.getByLabel('vCPUs').fill('2');
	await page.getByLabel('After a crash').selectOption('on-crash');
	await page.getByRole('button', { name: 'Save changes' }).click();
	await page.getByText('server was saved.').waitFor();
	const domain = (await agent.must('GET', '/api/v1/domains/server')).json;
	assert.equal(domain.vcpus, 2);
	assert.equal(domain.restart.policy, 'on-crash');
	assert.deepEqual([domain.watchdog_s, domain.cpu.affinity, domain.restart.max], [30, [0], 3]);
	assert.equal(domain.on_pull, 'restart');
	page.check();
});

test('pause and resume, and starting what runs already is no error', async () => {
	await page.goto(`${agent.url}/domains/server`);
	const badge = page.locator('.page-head .badge');
	await page.getByRole('button', { name: 'Start' }).click();
	await badge.getByText('Running').waitFor();
	await page.getByRole('button', { name: 'Pause' }).click();
	await badge.getByText('Paused').waitFor();
	await page.getByRole('button', { name: 'Resume' }).click();
	await badge.getByText('Running').waitFor();
	await page.getByRole('button', { name: 'Kill' }).click();
	await dialog().getByRole('button', { name: 'Kill' }).click();
	await badge.getByText('Stopped').waitFor();
	page.check();
});

test('a long text pasted into the console arrives', async () => {
	await agent.act('server', 'start');
	await page.getByRole('link', { name: 'Console', exact: true }).click();
	await page.locator('.xterm-rows', { hasText: 'GUEST-READY' }).waitFor();
	// more than one message may hold
	const lines = Array.from({ length: 800 }, (_, i) => `echo this is line ${i} of all\n`);
	await page.evaluate((text) => {
		const clipboardData = new DataTransfer();
		clipboardData.setData('text/plain', text);
		document.activeElement.dispatchEvent(
			new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
		);
	}, lines.join(''));
	const last = /^this.is.line.799.of.all/m;
	await until(async () => last.test(await terminalText(page)), 'the last line');
	await agent.act('server', 'kill');
	page.check();
});

test('a crash is shown as one, with its reason', async () => {
	await page.goto(`${agent.url}/domains/server/edit`);
	await page.getByLabel('After a crash').selectOption('never');
	await page.getByRole('button', { name: 'Save changes' }).click();
	await page.getByRole('button', { name: 'Start' }).click();
	await page.getByRole('link', { name: 'Console', exact: true }).click();
	await page.locator('.xterm-rows', { hasText: 'GUEST-READY' }).waitFor();
	await page.keyboard.type('crash\r');
	await page.locator('.page-head .badge', { hasText: 'Crashed' }).waitFor();
	await page.getByRole('button', { name: 'Start' }).waitFor();
	page.check();
});

test('deleting a domain, then its volume', async () => {
	await page.goto(`${agent.url}/domains/server`);
	await page.getByRole('button', { name: 'Delete' }).click();
	await dialog().getByRole('button', { name: 'Delete' }).click();
	await page.getByText('server was deleted.').waitFor();
	await page.getByText('Nobody lives here yet').waitFor();
	await page.getByRole('link', { name: 'Volumes' }).click();
	await page.getByRole('button', { name: 'Delete root' }).click();
	await dialog().getByRole('button', { name: 'Delete' }).click();
	await page.getByText('root was deleted.').waitFor();
	page.check();
});

test('a token is shown once, works, and is locked out at once when revoked', async () => {
	await page.goto(`${agent.url}/account`);
	await page.getByRole('button', { name: 'New token' }).click();
	await dialog().getByLabel('Name').fill('backup script');
	await dialog().getByLabel('Good for how many days').fill('7');
	await dialog().getByRole('button', { name: 'Create' }).click();
	await dialog().getByText('Copy the token now').waitFor();
	const secret = await dialog().locator('code').innerText();
	assert.match(secret, /^domus_/);
	await dialog().getByRole('button', { name: 'I have it' }).click();
	assert.equal(await page.getByText(secret).count(), 0);
	const headers = { Authorization: `Bearer ${secret}` };
	assert.equal((await agent.api('GET', '/api/v1/system', { headers })).status, 200);
	await page.getByRole('button', { name: 'Revoke backup script' }).click();
	await dialog().getByRole('button', { name: 'Revoke' }).click();
	await page.getByText('backup script was revoked.').waitFor();
	await until(
		async () => (await agent.api('GET', '/api/v1/system', { headers })).status === 401,
		'the token to be refused',
	);
	page.check();
});

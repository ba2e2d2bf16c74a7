// Trouble in words a person understands, beside the field it is about.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, arm64Image } from './lib/agent.mjs';
import { launch, logIn, openPage } from './lib/browser.mjs';

const agent = new Agent();
let browser;
let page;
let kernel;

before(async () => {
	await agent.start();
	browser = await launch(agent);
	page = await openPage(browser, agent);
});

after(async () => {
	await browser?.close();
	await agent.close();
});

/** The message that belongs to a field for assistive technology, too. */
async function errorOf(label) {
	const field = page.getByLabel(label, { exact: true });
	await page.locator('[aria-invalid=true]').first().waitFor();
	const ids = (await field.getAttribute('aria-describedby')) ?? '';
	const id = ids.split(' ').find((i) => i.endsWith('-error'));
	assert.ok(id, `${label} has no error`);
	return page.locator(`[id="${id}"]`).innerText();
}

async function fillClaim(code, password, again = password) {
	await page.getByLabel('Claim code').fill(code);
	await page.getByLabel('User name').fill('anna');
	await page.getByLabel('Password', { exact: true }).fill(password);
	await page.getByLabel('Password again').fill(again);
	await page.getByRole('button', { name: 'Claim' }).click();
}

test('claiming with a wrong code, a short password, two different ones', async () => {
	await page.goto(agent.url);
	await fillClaim('AAAA-BBBB-CCCC', 'correct horse', 'battery staple');
	assert.match(await errorOf('Password again'), /differ/);
	await fillClaim('AAAA-BBBB-CCCC', 'correct horse');
	assert.match(await errorOf('Claim code'), /not the claim code/);
	await fillClaim(agent.claimCode, 'short');
	await page.getByRole('alert').getByText('Some fields need another look.').waitFor();
	assert.ok((await errorOf('Password')).length > 5);
	page.check();
});

test('an appliance that was claimed meanwhile asks to log in', async () => {
	const code = agent.claimCode;
	await agent.claim();
	await fillClaim(code, 'correct horse');
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
	await page.getByText('This appliance has an owner already.').waitFor();
	page.check();
});

test('a wrong password says neither which of the two was wrong', async () => {
	for (const [name, password] of [
		['anna', 'wrong'],
		['nobody', 'correct horse'],
	]) {
		await page.goto(agent.url);
		await page.getByLabel('User name').fill(name);
		await page.getByLabel('Password').fill(password);
		await page.getByRole('button', { name: 'Log in' }).click();
		await page.getByRole('alert').getByText('The user name or the password is wrong.').waitFor();
	}
	page.check();
});

test('a domain with a name, a kernel and a size that will not do', async () => {
	const junk = await agent.upload('junk', 'kernel', Buffer.alloc(4096, 'x'));
	await logIn(page, agent, '/new-domain');
	await page.getByLabel('Kernel', { exact: true }).selectOption(junk);
	await page.getByLabel('Name', { exact: true }).fill('fine');
	await page.getByRole('button', { name: 'Define domain' }).click();
	assert.match(await errorOf('Kernel'), /arm64/i);
	kernel = await agent.upload('vmlinuz', 'kernel', arm64Image());
	await page.getByLabel('Kernel', { exact: true }).selectOption(kernel);
	await page.getByLabel('Memory in MiB').fill('1000000');
	await page.getByRole('button', { name: 'Define domain' }).click();
	await page.getByLabel('Memory in MiB').and(page.locator('[aria-invalid=true]')).waitFor();
	assert.ok((await errorOf('Memory in MiB')).length > 5);
	await page.getByLabel('Memory in MiB').fill('64');
	await page.getByLabel('Name', { exact: true }).fill('../x');
	await page.getByRole('button', { name: 'Define domain' }).click();
	await page.getByLabel('Name', { exact: true }).and(page.locator('[aria-invalid=true]')).waitFor();
	assert.ok((await errorOf('Name')).length > 5);
	page.check();
});

test('a name that is taken', async () => {
	await agent.define('taken', kernel);
	await page.getByLabel('Kernel', { exact: true }).selectOption(kernel);
	await page.getByLabel('Memory in MiB').fill('64');
	await page.getByLabel('Name', { exact: true }).fill('taken');
	await page.getByRole('button', { name: 'Define domain' }).click();
	await page.getByRole('alert').getByText('There is a domain of this name already.').waitFor();
	assert.match(await errorOf('Name'), /already/);
	page.check();
});

test('leaving a form with changes asks first', async () => {
	let asked = 0;
	page.once('dialog', (dialog) => (asked++, dialog.dismiss()));
	await page.getByRole('link', { name: 'Volumes' }).click();
	assert.equal(asked, 1);
	assert.equal(new URL(page.url()).pathname, '/new-domain');
	page.once('dialog', (dialog) => (asked++, dialog.accept()));
	await page.getByRole('link', { name: 'Volumes' }).click();
	await page.getByRole('heading', { name: 'Volumes', level: 1 }).waitFor();
	assert.equal(asked, 2);
	page.check();
});

test('deleting an image in use names who uses it', async () => {
	await page.getByRole('link', { name: 'Images' }).click();
	await page.getByRole('button', { name: 'Delete vmlinuz' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByText('vmlinuz is in use').waitFor();
	await dialog.getByRole('link', { name: 'taken' }).waitFor();
	await dialog.getByRole('button', { name: 'Close' }).click();
	page.check();
});

test('an image that comes into use behind the page is refused and says so', async () => {
	const spare = await agent.upload('spare', 'kernel', arm64Image());
	await page.getByRole('button', { name: 'Delete spare' }).click();
	await agent.define('quick', spare);
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByText('spare is in use').waitFor();
	await page.getByRole('dialog').getByRole('link', { name: 'quick' }).waitFor();
	await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
	page.check();
});

test('an image that nobody uses is deleted after a question', async () => {
	await page.getByRole('button', { name: 'Delete junk' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByText('junk was deleted.').waitFor();
	assert.equal(await page.locator('tr', { hasText: 'junk' }).count(), 0);
	page.check();
});

test('two writers: the slower one sees both versions and decides', async () => {
	await page.goto(`${agent.url}/domains/taken/edit`);
	await page.getByLabel('Description').fill('from the browser');
	await agent.must('PATCH', '/api/v1/domains/taken', {
		body: { description: 'from elsewhere', memory_mib: 96 },
		headers: { 'If-Match': '*' },
	});
	await page.getByRole('button', { name: 'Save changes' }).click();
	await page.getByText('Somebody else changed this domain meanwhile.').waitFor();
	const conflict = page.locator('.diff tr', { hasText: 'description' });
	await conflict.getByText('from elsewhere').waitFor();
	await conflict.getByText('from the browser').waitFor();
	const stored = (await agent.must('GET', '/api/v1/domains/taken')).json;
	assert.equal(stored.description, 'from elsewhere', 'nothing was overwritten unasked');
	await page.getByRole('button', { name: 'Save mine over theirs' }).click();
	await page.getByText('taken was saved.').waitFor();
	const saved = (await agent.must('GET', '/api/v1/domains/taken')).json;
	assert.equal(saved.description, 'from the browser');
	page.check();
});

test('two writers: taking theirs gives up mine', async () => {
	await page.goto(`${agent.url}/domains/taken/edit`);
	await page.getByLabel('Description').fill('mine');
	await agent.must('PATCH', '/api/v1/domains/taken', {
		body: { description: 'theirs' },
		headers: { 'If-Match': '*' },
	});
	await page.getByRole('button', { name: 'Save changes' }).click();
	await page.getByRole('button', { name: 'Take theirs' }).click();
	assert.equal(await page.getByLabel('Description').inputValue(), 'theirs');
	page.check();
});

test('text of a guest or an administrator is never markup', async () => {
	const text = '<img src=x onerror=alert(1)><b>bold</b>';
	await agent.must('PATCH', '/api/v1/domains/taken', {
		body: { description: text },
		headers: { 'If-Match': '*' },
	});
	await page.goto(`${agent.url}/domains/taken`);
	await page.getByText(text).waitFor();
	assert.equal(await page.locator('main b, main img').count(), 0);
	page.check();
});

test('too many wrong passwords: how long to wait', async () => {
	await page.context().clearCookies();
	await page.goto(agent.url);
	await page.getByLabel('User name').fill('somebody');
	await page.getByLabel('Password').fill('wrong');
	for (let i = 0; i < 8; i++) {
		const replied = page.waitForResponse((r) => r.url().endsWith('/api/v1/sessions'));
		await page.getByRole('button', { name: 'Log in' }).click();
		if ((await replied).status() === 429) break;
	}
	await page
		.getByRole('alert')
		.getByText(/^Too many tries\. Try again in \d+ seconds?\.$/)
		.waitFor();
	page.check();
});

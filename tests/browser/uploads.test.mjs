// Uploads: pause, cancel, a page that is closed in the middle, the wrong file, damage on the way.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Agent, until } from './lib/agent.mjs';
import { launch, logIn, openPage } from './lib/browser.mjs';

const agent = new Agent();
let browser;
let page;

before(async () => {
	await agent.start();
	await agent.claim();
	browser = await launch(agent);
	page = await openPage(browser, agent);
	await logIn(page, agent, '/images');
	page.on('dialog', (dialog) => dialog.accept());
});

after(async () => {
	await browser?.close();
	await agent.close();
});

const MIB = 1024 * 1024;

/** A file whose content nothing compresses, different for each seed. */
function noise(size, seed) {
	const pieces = [];
	for (let i = 0; i * 32 < size; i++)
		pieces.push(createHash('sha256').update(`${seed} ${i}`).digest());
	return Buffer.concat(pieces).subarray(0, size);
}

const pick = (name, buffer) => ({
	name,
	mimeType: 'application/octet-stream',
	buffer,
});
const row = (name) => page.locator('.upload', { hasText: name });
const inState = (name, state) => page.locator(`.upload[data-state=${state}]`, { hasText: name });
const listed = (name) => page.locator('tr', { hasText: name });

async function begin(file) {
	await page.locator('.drop input[type=file]').setInputFiles([file]);
	await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click();
}

async function assertDigest(name, content) {
	await listed(name).waitFor();
	const digest = createHash('sha256').update(content).digest('hex');
	assert.equal(await listed(name).locator('.digest').innerText(), digest);
}

test('pause and resume', async () => {
	const content = noise(9 * MIB, 'paused');
	// The line breaks, so that the upload cannot be over before the pause.
	agent.wire.cutAfter(5 * MIB);
	await begin(pick('paused.img', content));
	await row('paused.img').getByText('Connection lost').waitFor();
	await page.getByRole('button', { name: 'Pause paused.img' }).click();
	await inState('paused.img', 'paused').waitFor();
	agent.wire.mend();
	await page.locator('.link-state[data-live=true]').waitFor();
	assert.equal(await listed('paused.img').count(), 0);
	await page.getByRole('button', { name: 'Resume paused.img' }).click();
	await assertDigest('paused.img', content);
	page.check();
});

test('a page closed in the middle: the same file, picked again, goes on where it stopped', async () => {
	const content = noise(13 * MIB, 'parked');
	agent.wire.cutAfter(9 * MIB);
	await begin(pick('parked.img', content));
	await row('parked.img').getByText('Connection lost').waitFor();
	agent.wire.mend();
	await page.getByRole('button', { name: 'Pause parked.img' }).click();
	await page.reload();
	await inState('parked.img', 'parked').waitFor();
	await row('parked.img')
		.locator('input[type=file]')
		.setInputFiles([pick('parked.img', noise(13 * MIB, 'another'))]);
	await page.getByText('This is not the file that was being uploaded as parked.img.').waitFor();
	agent.wire.cutAfter(Infinity);
	await row('parked.img')
		.locator('input[type=file]')
		.setInputFiles([pick('parked.img', content)]);
	await assertDigest('parked.img', content);
	assert.ok(agent.wire.sent < 10 * MIB, `${agent.wire.sent} bytes were sent for the rest`);
	assert.equal(await page.evaluate(() => localStorage.getItem('domus.uploads')), '[]');
	page.check();
});

test('the file of an interrupted upload is known when it is chosen like a new one', async () => {
	const content = noise(6 * MIB, 'known');
	agent.wire.cutAfter(5 * MIB);
	await begin(pick('known.img', content));
	await row('known.img').getByText('Connection lost').waitFor();
	agent.wire.mend();
	await page.getByRole('button', { name: 'Pause known.img' }).click();
	await page.reload();
	await row('known.img').getByText('Interrupted').waitFor();
	await page.locator('.drop input[type=file]').setInputFiles([pick('known.img', content)]);
	await page.getByText('Going on with known.img where it stopped.').waitFor();
	await assertDigest('known.img', content);
	page.check();
});

test('cancelling throws away what was sent', async () => {
	agent.wire.cutAfter(5 * MIB);
	await begin(pick('cancelled.img', noise(9 * MIB, 'cancelled')));
	await row('cancelled.img').getByText('Connection lost').waitFor();
	agent.wire.mend();
	await page.getByRole('button', { name: 'Pause cancelled.img' }).click();
	const kept = await page.evaluate(() => JSON.parse(localStorage.getItem('domus.uploads')));
	await page.getByRole('button', { name: 'Cancel cancelled.img' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Cancel upload' }).click();
	await row('cancelled.img').waitFor({ state: 'detached' });
	assert.equal((await agent.api('GET', kept[0].url)).status, 404);
	page.check();
});

test('a chunk that is damaged on the way is refused and sent again', async () => {
	const content = noise(5 * MIB, 'damaged');
	let damaged = 0;
	await page.route('**/api/v1/uploads/*', async (route) => {
		const request = route.request();
		const body = request.postDataBuffer();
		if (request.method() !== 'PATCH' || damaged > 0 || !body) return route.continue();
		damaged++;
		const bad = Buffer.from(body);
		bad[1000] ^= 1;
		return route.continue({ postData: bad });
	});
	await begin(pick('damaged.img', content));
	await assertDigest('damaged.img', content);
	await page.unroute('**/api/v1/uploads/*');
	assert.equal(damaged, 1);
	page.check();
});

test('a file with a name that the API does not take gets one that it does', async () => {
	await begin(pick('böses/../Bild?.img', noise(1000, 'named')));
	await until(async () => (await page.locator('tbody tr').count()) === 5, 'the fifth image');
	const names = await page.locator('tbody .name').allInnerTexts();
	for (const name of names) assert.match(name, /^[A-Za-z0-9][A-Za-z0-9 ._+~()-]*$/);
	page.check();
});

test('an empty file is not sent', async () => {
	await page.locator('.drop input[type=file]').setInputFiles([pick('empty.img', Buffer.alloc(0))]);
	await page.getByRole('dialog').getByText('This file is empty.').waitFor();
	await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
	page.check();
});

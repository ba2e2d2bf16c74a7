// What is shown stays true: events, a lost connection and what was missed meanwhile, a daemon that dies.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent, arm64Image, until } from './lib/agent.mjs';
import { launch, logIn, openPage } from './lib/browser.mjs';

const agent = new Agent();
let browser;
let page;
let kernel;
const reading = new Set();
let lastEnd = 0;

before(async () => {
	await agent.start();
	await agent.claim();
	kernel = await agent.upload('vmlinuz', 'kernel', arm64Image());
	await agent.define('first', kernel);
	browser = await launch(agent);
	page = await openPage(browser, agent);
	page.on('request', (request) => {
		if (!isStream(request)) reading.add(request);
	});
	for (const end of ['requestfinished', 'requestfailed'])
		page.on(end, (request) => {
			reading.delete(request);
			lastEnd = Date.now();
		});
	await logIn(page, agent, '/domains');
});

after(async () => {
	await browser?.close();
	await agent.close();
});

const isStream = (request) => new URL(request.url()).pathname === '/api/v1/events';
// A reading that the cut would break is repeated afterwards, and rightly so: that is not what is tested.
const settled = () =>
	until(() => reading.size === 0 && Date.now() - lastEnd > 500, 'the page is at rest');
const row = (name) => page.locator('tr', { has: page.getByRole('link', { name, exact: true }) });
const live = () => page.locator('.link-state[data-live=true]').waitFor();
const lost = (page) => page.getByText('Connection lost.').waitFor();

test('what another administrator does shows up by itself', async () => {
	await row('first').waitFor();
	await live();
	await agent.define('second', kernel);
	await row('second').waitFor();
	await agent.act('second', 'start');
	await row('second').getByText('Running').waitFor();
	await agent.act('second', 'kill');
	await row('second').getByText('Stopped').waitFor();
	page.check();
});

test('a lost connection is said, and what was missed is caught up by replay', async () => {
	await settled();
	agent.wire.cut({ stay: true });
	await lost(page);
	await agent.define('meanwhile', kernel);
	await agent.act('first', 'start');
	const requests = [];
	page.on('request', (request) => requests.push(request));
	agent.wire.mend();
	await row('meanwhile').waitFor();
	await row('first').getByText('Running').waitFor();
	await page.getByText('Connection lost.').waitFor({ state: 'detached' });
	await live();
	const stream = requests.find(isStream);
	assert.match((await stream.allHeaders())['last-event-id'] ?? '', /^\d+$/);
	const relisted = requests.some((r) => new URL(r.url()).pathname === '/api/v1/domains');
	assert.equal(relisted, false, 'events were replayed, so no list had to be read again');
	page.check();
});

test('domusd is killed under the page and comes back: same page, same session', async () => {
	await agent.stopDomusd('SIGKILL');
	await lost(page);
	await agent.startDomusd();
	await live();
	await agent.define('after-the-restart', kernel);
	await row('after-the-restart').waitFor();
	await row('first').getByText('Running').waitFor();
	assert.equal(new URL(page.url()).pathname, '/domains');
	page.check();
});

test('a session that is revoked leads to the login page, and back to the same place', async () => {
	await page.goto(`${agent.url}/domains/first`);
	await page.getByRole('heading', { name: 'first' }).waitFor();
	await page.context().clearCookies();
	agent.wire.cut();
	await page.getByText('Your session ended.').waitFor();
	await page.getByLabel('User name').fill(agent.username);
	await page.getByLabel('Password').fill(agent.password);
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('heading', { name: 'first' }).waitFor();
	page.check();
});

test('a failed start is told wherever one is', async () => {
	await agent.define('doomed', kernel, {
		boot: { kernel, cmdline: 'sim.fail' },
	});
	await page.goto(`${agent.url}/domains/doomed`);
	await page.getByRole('button', { name: 'Start' }).click();
	await page
		.getByRole('log')
		.getByText(/Start doomed failed/)
		.waitFor();
	await page.getByRole('link', { name: 'Operations' }).click();
	await page.getByRole('button', { name: 'Details: Start doomed' }).click();
	await page.getByRole('dialog').getByText('Failed').waitFor();
	page.check();
});

test('the overview counts, and shows what happened before it was opened', async () => {
	await page.goto(agent.url);
	await page.getByText(/^anna defined doomed$/).waitFor();
	const list = page.getByRole('region', { name: 'Who lives in memory' });
	await list.getByRole('link', { name: 'first' }).waitFor();
	await agent.act('first', 'kill');
	await until(
		async () => (await list.getByRole('link', { name: 'first' }).count()) === 0,
		'the domain to leave the memory picture',
	);
	await page.getByText(/^first stopped$/).waitFor();
	page.check();
});

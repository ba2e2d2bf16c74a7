// The built files: their size, their compressed twins, and how domusd serves them.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Agent, BUILD } from './lib/agent.mjs';

const OUT = join(BUILD, 'webui');
const INITIAL_BUDGET = 60_000;
const WHOLE_BUDGET = 250_000;

const agent = new Agent();
before(() => agent.start());
after(() => agent.close());

const index = readFileSync(join(OUT, 'index.html'), 'utf8');
const assets = readdirSync(join(OUT, 'assets')).filter((f) => !f.endsWith('.gz'));
const packed = (file) => statSync(join(OUT, `${file}.gz`)).size;

/** What a browser fetches before the first page shows: what index.html names and what that imports. */
function initialFiles() {
	const found = new Set(['index.html']);
	const queue = [...index.matchAll(/\/(assets\/[\w.-]+)/g)].map((m) => m[1]);
	while (queue.length) {
		const file = queue.pop();
		if (found.has(file)) continue;
		found.add(file);
		if (!file.endsWith('.js')) continue;
		const text = readFileSync(join(OUT, file), 'utf8');
		for (const m of text.matchAll(/(?:from|import)\s*"\.\/([\w.-]+)"/g))
			queue.push(`assets/${m[1]}`);
	}
	return [...found];
}

test('the first page needs less than 60 KB, gzip', () => {
	const files = initialFiles();
	assert.ok(files.length >= 5, files.join());
	const size = files.reduce((sum, file) => sum + packed(file), 0);
	assert.ok(size < INITIAL_BUDGET, `${size} bytes`);
});

test('terminal and charts are not part of the first page', () => {
	const files = initialFiles().join();
	assert.doesNotMatch(files, /terminal|plot/);
	assert.match(assets.join(), /terminal.*/);
});

test('the whole dashboard is less than 250 KB, gzip', () => {
	const all = ['index.html', ...assets.map((f) => `assets/${f}`)];
	const size = all.reduce((sum, file) => sum + packed(file), 0);
	assert.ok(size < WHOLE_BUDGET, `${size} bytes`);
});

test('each file has a twin that unpacks to it', () => {
	for (const file of ['index.html', ...assets.map((f) => `assets/${f}`)]) {
		const twin = gunzipSync(readFileSync(join(OUT, `${file}.gz`)));
		assert.ok(twin.equals(readFileSync(join(OUT, file))), file);
	}
});

test('the page has no inline script or style and names nothing outside', () => {
	assert.doesNotMatch(index, /<script(?![^>]*\bsrc=)/);
	assert.doesNotMatch(index, /<style|\sstyle=|\son\w+=/);
	assert.doesNotMatch(index, /(https?|wss?):/);
});

test('domusd serves it with a strict policy and hashed names for ever', async () => {
	const page = await agent.api('GET', '/domains/web', {
		headers: { Accept: 'text/html' },
	});
	assert.equal(page.status, 200);
	assert.match(page.headers['content-type'], /^text\/html/);
	const policy = page.headers['content-security-policy'];
	assert.match(policy, /default-src 'none'/);
	assert.match(policy, /script-src 'self'(;|$)/);
	assert.match(policy, /style-src 'self'(;|$)/);
	assert.match(policy, /frame-ancestors 'none'/);
	assert.doesNotMatch(policy, /unsafe-(inline|eval)|\*|https:/);
	assert.equal(page.headers['x-content-type-options'], 'nosniff');
	for (const file of assets) {
		const got = await agent.api('GET', `/assets/${file}`, {
			headers: { 'Accept-Encoding': 'gzip' },
		});
		assert.equal(got.status, 200, file);
		assert.equal(got.headers['content-encoding'], 'gzip', file);
		assert.match(got.headers['cache-control'], /immutable/, file);
	}
});

test('a script that asks for an unknown path gets a problem, not the page', async () => {
	const reply = await agent.api('GET', '/domains/web', {
		headers: { Accept: 'application/json' },
	});
	assert.equal(reply.status, 404);
	const missing = await agent.api('GET', '/assets/none.js', {
		headers: { Accept: '*/*' },
	});
	assert.equal(missing.status, 404);
});

// The real domusd and keeper on this host, the board behind keeper simulated, and a wire to them that a test can cut.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
	closeSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';

export const ROOT = resolve(new URL('../../..', import.meta.url).pathname);
export const BUILD = resolve(process.env.BUILD ?? join(ROOT, 'build'));
const LIMIT_MS = 60_000;

/** Waits for a condition; the limit only turns a hang into a failure. */
export async function until(condition, what, limit = LIMIT_MS) {
	const end = Date.now() + limit;
	for (;;) {
		const value = await condition();
		if (value) return value;
		if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
		await sleep(20);
	}
}

/** A TCP relay between browser and domusd. It knows nothing of TLS; it counts, cuts and refuses. */
class Wire {
	constructor(target) {
		this.target = target;
		this.pairs = new Set();
		this.refusing = false;
		this.sent = 0;
		this.cutAt = Infinity;
		this.server = net.createServer((client) => this.relay(client));
	}

	async listen() {
		await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
		return this.server.address().port;
	}

	relay(client) {
		client.on('error', () => undefined);
		if (this.refusing) return client.destroy();
		const upstream = net.connect(this.target(), '127.0.0.1');
		const pair = [client, upstream];
		this.pairs.add(pair);
		const end = () => {
			this.pairs.delete(pair);
			for (const socket of pair) socket.destroy();
		};
		for (const socket of pair) socket.on('error', end).on('close', end);
		upstream.pipe(client);
		client.on('data', (piece) => {
			this.sent += piece.length;
			if (this.sent >= this.cutAt) {
				this.cutAt = Infinity;
				this.cut({ stay: true });
			} else if (!upstream.write(piece)) {
				client.pause();
				upstream.once('drain', () => client.resume());
			}
		});
	}

	/** Cuts every connection now; with `stay`, new ones fail until mend(). */
	cut({ stay = false } = {}) {
		this.refusing = stay;
		for (const pair of [...this.pairs]) for (const socket of pair) socket.destroy();
	}

	/** Cuts, and stays cut, once so many more bytes have gone up. */
	cutAfter(bytes) {
		this.sent = 0;
		this.cutAt = bytes;
	}

	mend() {
		this.refusing = false;
	}

	close() {
		this.cut({ stay: true });
		this.server.close();
	}
}

export class Agent {
	async start() {
		this.dir = mkdtempSync(join(tmpdir(), 'domus-'));
		this.folder = join(this.dir, 'state');
		for (const folder of ['', 'images', 'volumes'])
			mkdirSync(join(this.folder, folder), { mode: 0o700, recursive: true });
		this.socket = join(this.dir, 'keeper.sock');
		this.banner = join(this.dir, 'banner');
		await this.startKeeper();
		await this.startDomusd();
		this.ca = await this.fetchCa();
		this.wire = new Wire(() => this.port);
		this.wirePort = await this.wire.listen();
		this.url = `https://127.0.0.1:${this.wirePort}`;
		this.spki = await this.leafSpki();
		return this;
	}

	spawn(name, args) {
		const log = openSync(join(this.dir, `${name}.log`), 'a');
		const child = spawn(join(BUILD, 'agent/host', name), args, {
			stdio: ['ignore', log, log],
		});
		closeSync(log);
		return child;
	}

	alive(name) {
		const child = this[name];
		if (child.exitCode === null && child.signalCode === null) return;
		const log = readFileSync(join(this.dir, `${name}.log`), 'utf8').slice(-4000);
		throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}:\n${log}`);
	}

	async startKeeper() {
		const user = userInfo().username;
		const args = ['--socket', this.socket, '--state', this.folder, '--client-user', user];
		this.faults = join(this.dir, 'faults');
		args.push('--machine-options', `faults=${this.faults}`);
		this.keeper = this.spawn('keeper', args);
		await until(() => (this.alive('keeper'), existsSync(this.socket)), 'keeper to listen');
	}

	/** Replaces what is wrong with the simulated board: lines as in docs/power.md. */
	fault(...lines) {
		writeFileSync(`${this.faults}.new`, lines.map((line) => `${line}\n`).join(''));
		renameSync(`${this.faults}.new`, this.faults);
	}

	async startDomusd() {
		rmSync(this.banner, { force: true });
		this.domusd = this.spawn('domusd', [
			...['--state', this.folder, '--keeper', this.socket, '--webui', join(BUILD, 'webui')],
			...['--openapi', join(BUILD, 'api/openapi.json'), '--listen', '0', '--banner', this.banner],
		]);
		await until(() => (this.alive('domusd'), this.said(/domus: (ready)/)), 'domusd to be ready');
		this.port = Number(this.said(/domus: listening (?:.*:)?(\d+)/));
	}

	said(pattern) {
		return existsSync(this.banner)
			? pattern.exec(readFileSync(this.banner, 'utf8'))?.[1]
			: undefined;
	}

	get claimCode() {
		return this.said(/domus: claim code (\S+)/);
	}

	async stopDomusd(signal = 'SIGTERM') {
		await end(this.domusd, signal);
	}

	/** The CA that domusd serves, believed by the fingerprint it shows on the console. */
	async fetchCa() {
		const options = {
			port: this.port,
			path: '/api/v1/ca.pem',
			rejectUnauthorized: false,
		};
		const pem = (await answer(https.request({ host: '127.0.0.1', ...options }))).text;
		const der = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
		const digest = createHash('sha256').update(der).digest('hex');
		const shown = this.said(/domus: certificate authority sha256 (\S+)/) ?? '';
		if (digest !== shown.replaceAll(':', '').toLowerCase())
			throw new Error('the CA that is served is not the one that the console shows');
		return pem;
	}

	/** Digest of the leaf's public key, checked against the CA: the only key the browser is told to trust. */
	async leafSpki() {
		const socket = tls.connect({
			host: '127.0.0.1',
			port: this.port,
			ca: this.ca,
		});
		await new Promise((done, fail) => socket.once('secureConnect', done).once('error', fail));
		const spki = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' });
		socket.destroy();
		return createHash('sha256').update(spki).digest('base64');
	}

	/** A call from outside the browser: another administrator, as it were. */
	async api(method, path, { body, headers = {} } = {}) {
		const json = body !== undefined && !Buffer.isBuffer(body);
		const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
		const request = https.request({
			...{
				host: '127.0.0.1',
				port: this.port,
				path,
				method,
				ca: this.ca,
				agent: false,
			},
			headers: {
				...(this.token ? { Authorization: `Bearer ${this.token}` } : {}),
				...(json ? { 'Content-Type': type } : {}),
				...headers,
			},
		});
		const reply = await answer(request, json ? JSON.stringify(body) : body);
		const is = /json/.test(reply.headers['content-type'] ?? '');
		return { ...reply, json: is ? JSON.parse(reply.text) : undefined };
	}

	/** As api(), for what has to work. */
	async must(method, path, options) {
		const reply = await this.api(method, path, options);
		if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
		return reply;
	}

	async claim(username = 'anna', password = 'correct horse') {
		const body = { code: this.claimCode, username, password };
		this.token = (await this.must('POST', '/api/v1/claim', { body })).json.token;
		Object.assign(this, { username, password });
	}

	async upload(name, kind, content) {
		const base64 = (text) => Buffer.from(text).toString('base64');
		const tus = { 'Tus-Resumable': '1.0.0' };
		const begun = await this.must('POST', '/api/v1/uploads', {
			headers: {
				...tus,
				'Upload-Length': String(content.length),
				'Upload-Metadata': `name ${base64(name)},kind ${base64(kind)}`,
			},
		});
		const { location } = begun.headers;
		await this.must('PATCH', location, {
			headers: {
				...tus,
				'Upload-Offset': '0',
				'Content-Type': 'application/offset+octet-stream',
			},
			body: content,
		});
		return (await this.must('GET', location)).json.image;
	}

	async define(name, kernel, more = {}) {
		const body = { name, memory_mib: 64, boot: { kernel }, ...more };
		return (await this.must('POST', '/api/v1/domains', { body })).json;
	}

	async state(name) {
		return (await this.must('GET', `/api/v1/domains/${name}`)).json.status.state;
	}

	async act(name, action) {
		const reply = await this.must('POST', `/api/v1/domains/${name}/actions/${action}`);
		if (reply.status === 202) await this.must('GET', `${reply.headers.location}?wait=30`);
	}

	async close() {
		this.wire?.close();
		if (this.domusd) await end(this.domusd);
		if (this.keeper) await end(this.keeper);
		rmSync(this.dir, { recursive: true, force: true });
	}
}

function answer(request, body) {
	return new Promise((done, fail) => {
		request.on('error', fail).on('response', (response) => {
			const pieces = [];
			response.on('error', fail).on('data', (piece) => pieces.push(piece));
			response.on('end', () =>
				done({
					status: response.statusCode,
					headers: response.headers,
					text: Buffer.concat(pieces).toString(),
				}),
			);
		});
		request.end(body);
	});
}

async function end(child, signal = 'SIGTERM') {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const gone = new Promise((done) => child.once('exit', done));
	child.kill(signal);
	const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
	await gone;
	clearTimeout(timer);
}

/** The smallest file that is an arm64 Image by its header, followed by anything. */
export function arm64Image(size = 4096) {
	const image = Buffer.alloc(size);
	for (let i = 64; i + 4 <= size; i += 4) image.writeUInt32LE((i * 2654435761) >>> 0, i);
	image.writeUInt32LE(0x14000010, 0);
	image.writeBigUInt64LE(BigInt(size), 16);
	image.writeBigUInt64LE(0xan, 24);
	image.writeUInt32LE(0x644d5241, 56);
	return image;
}

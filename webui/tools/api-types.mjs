#!/usr/bin/env node
// Writes TypeScript for api/openapi.yaml (as JSON): a type for each schema, and a table of the operations.
//   tools/api-types.mjs OPENAPI.json OUT.ts
// It knows the subset of OpenAPI 3.1 that our file uses and stops at what it does not know.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const [source, out] = process.argv.slice(2);
if (!out) throw new Error('usage: tools/api-types.mjs OPENAPI.json OUT.ts');
const doc = JSON.parse(readFileSync(source, 'utf8'));

function resolve(node) {
	if (!node?.$ref) return node;
	return node.$ref
		.slice(2)
		.split('/')
		.reduce((at, key) => at[key], doc);
}

const quote = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));
const union = (types) => [...new Set(types)].join(' | ');

function objectType(schema) {
	const required = new Set(schema.required ?? []);
	const members = Object.entries(schema.properties ?? {}).map(
		([name, s]) => `${quote(name)}${required.has(name) ? '' : '?'}: ${typeOf(s)};`,
	);
	if (members.length) return `{ ${members.join(' ')} }`;
	return schema.additionalProperties === false
		? 'Record<string, never>'
		: 'Record<string, unknown>';
}

function plainType(name, schema) {
	switch (name) {
		case 'string':
			return 'string';
		case 'integer':
		case 'number':
			return 'number';
		case 'boolean':
			return 'boolean';
		case 'null':
			return 'null';
		case 'array':
			return `Array<${typeOf(schema.items ?? true)}>`;
		case 'object':
			return objectType(schema);
		default:
			throw new Error(`schema of a type not known here: ${JSON.stringify(schema)}`);
	}
}

function typeOf(schema) {
	if (schema === true) return 'unknown';
	if (schema.$ref) return schema.$ref.split('/').pop();
	if ('const' in schema) return JSON.stringify(schema.const);
	if (schema.enum) return union(schema.enum.map((v) => JSON.stringify(v)));
	if (schema.oneOf) return union(schema.oneOf.map(typeOf));
	if (schema.type === undefined)
		throw new Error(`schema without a type: ${JSON.stringify(schema)}`);
	return union([schema.type].flat().map((t) => plainType(t, schema)));
}

function bodyType(content) {
	const json = Object.entries(content ?? {}).find(([type]) =>
		/^application\/(.*\+)?json$/.test(type),
	);
	return json && typeOf(json[1].schema);
}

const operations = [];
for (const [path, item] of Object.entries(doc.paths))
	for (const [method, operation] of Object.entries(item)) {
		if (!operation.operationId) continue;
		const params = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
		const group = (place) =>
			params
				.filter((p) => p.in === place)
				.map((p) => `${quote(p.name)}${place === 'path' ? '' : '?'}: ${typeOf(p.schema)};`)
				.join(' ');
		const answers = Object.entries(operation.responses)
			.filter(([status]) => status.startsWith('2'))
			.map(([, response]) => bodyType(resolve(response).content) ?? 'undefined');
		operations.push({
			id: operation.operationId,
			method: method.toUpperCase(),
			path,
			type:
				`{ path: { ${group('path')} }; query: { ${group('query')} }; ` +
				`body: ${bodyType(resolve(operation.requestBody)?.content) ?? 'undefined'}; ` +
				`answer: ${union(answers) || 'undefined'} }`,
		});
	}

const text = [
	'// Generated from api/openapi.yaml by webui/tools/api-types.mjs. Do not edit.',
	...Object.entries(doc.components.schemas).map(
		([name, s]) => `export type ${name} = ${typeOf(s)};`,
	),
	'export interface Operations {',
	...operations.map((o) => `\t${o.id}: ${o.type};`),
	'}',
	'export const operations: Record<keyof Operations, readonly [method: string, path: string]> = {',
	...operations.map((o) => `\t${o.id}: ${JSON.stringify([o.method, o.path])},`),
	'};',
	'',
];
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, text.join('\n'));

// Writes docs/dify/dagi-tools.openapi.yml, which Dify imports, from the description of the API: write-dify-tools.mjs
// [FOLDER], where the folder holds the compiled sources, by default dist/. A test compares the two.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { format, resolveConfig } from 'prettier';

const ROOT = resolve(import.meta.dirname, '..');
const FILE = join(ROOT, 'docs', 'dify', 'dagi-tools.openapi.yml');
const folder = resolve(process.argv[2] ?? join(ROOT, 'dist'));
const load = (path) => import(pathToFileURL(join(folder, ...path)).href);
const { createApi } = await load(['src', 'main.js']);
const { difyTools } = await load(['src', 'http', 'openapi', 'dify-tools.js']);

// Nothing is asked of the services: only what the routes say of themselves is read.
const groups = new Proxy({}, { get: () => ({}) });
const app = await createApi({
  ...Object.fromEntries(
    ['access', 'audit', 'auditHeads', 'config', 'drain', 'health', 'keys', 'models', 'outcomes', 'providers']
      .concat(['requests', 'routing', 'submissions', 'usage', 'whatIf'])
      .map((name) => [name, {}]),
  ),
  ...{ people: groups, rights: groups, voting: groups, crewing: groups },
  log: pino({ level: 'silent' }),
});
const reply = await app.inject({ url: '/openapi.json' });
writeFileSync(FILE, await format(difyTools(reply.json()), { ...(await resolveConfig(FILE)), parser: 'yaml' }));
await app.close();
console.log(FILE);

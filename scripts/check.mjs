#!/usr/bin/env node
// Judges the repository: a line for each check, and every complaint at the end.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const AT_ONCE = 2;
const ENV = { ...process.env, NO_COLOR: '1' };

const tool = (name, ...args) => [`node_modules/.bin/${name}`, ...args];
const FOLDERS = ['src', 'workflows', 'activities', 'config', 'test', 'bench'];

/** The slow ones first. Each runs one or more programs under this Node. */
const CHECKS = {
  lint: { about: 'eslint', runs: [tool('eslint', '.')] },
  types: { about: 'tsc', runs: [tool('tsc', '--noEmit')] },
  format: { about: 'prettier', runs: [tool('prettier', '--check', '--log-level', 'warn', '.')] },
  dead: {
    about: 'knip: unused files, exports, dependencies',
    runs: [tool('knip', '--no-progress', '--no-config-hints')],
  },
  imports: {
    about: 'dependency-cruiser: who imports whom',
    runs: [
      tool('depcruise', '--config', '.dependency-cruiser.cjs', ...FOLDERS),
      tool('depcruise', '--config', '.dependency-cruiser.runtime.cjs', ...FOLDERS),
    ],
  },
  links: {
    about: 'remark: links in README and docs',
    runs: [tool('remark', '--frail', '--quiet', '--no-color', 'README.md', 'docs')],
  },
  lists: { about: 'error codes and variables against their documents', runs: [['scripts/check-lists.mjs']] },
};

const HELP = `npm run check [-- NAME…]

${Object.entries(CHECKS)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join('\n')}
`;

function run(args) {
  const child = spawn(process.execPath, args, { cwd: ROOT, env: ENV, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((done) => child.once('close', (code) => done({ ok: code === 0, output })));
}

async function runCheck(name) {
  const startedAt = Date.now();
  const results = [];
  for (const args of CHECKS[name].runs) results.push(await run(args));
  const ok = results.every((result) => result.ok);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${seconds} s  ${name.padEnd(8)} ${CHECKS[name].about}`);
  return { name, ok, output: results.map((result) => result.output.trim()).join('\n') };
}

async function runAll(names) {
  const waiting = [...names];
  const results = [];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) results.push(await runCheck(name));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

async function main() {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !(name in CHECKS));
  if (unknown.length > 0) {
    process.exitCode = unknown.includes('--help') ? 0 : 2;
    return void process.stdout.write(HELP);
  }
  const results = await runAll(names.length > 0 ? names : Object.keys(CHECKS));
  const failed = results.filter(({ ok }) => !ok);
  for (const { name, output } of failed) console.log(`\n=== ${name} ===\n${output}`);
  console.log(`\n${results.length - failed.length} checks passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

await main();

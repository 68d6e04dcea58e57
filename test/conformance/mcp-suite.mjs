// The protocol's own conformance suite, against the product's MCP application with the suite's fixtures on it.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fetched, partFolder } from '../../bench/lib/fetched-parts.mjs';
import { runCommand } from './command.mjs';

const PACKAGE = '@modelcontextprotocol/conformance';
const VERSION = '0.2.0-alpha.12';

const REVISIONS = ['2025-11-25', '2026-07-28'];

/** Of the extension; no revision asks for them. */
const TASKS = [
  ...['lifecycle', 'capability-negotiation', 'wire-fields', 'request-state-removal', 'mrtr-input', 'request-headers'],
  ...['dispatch-and-envelope', 'status-notifications', 'required-task-error', 'mrtr-composition'],
].map((name) => `tasks-${name}`);

/** A package from npm, in a folder of the cache of parts. @returns its folder */
export async function obtainFromNpm(name, version, tell) {
  const folder = await partFolder(`test-${name.replace(/^@/, '').replace('/', '-')}-${version}`);
  if (!existsSync(folder)) {
    tell(`${name} ${version} is being fetched, once`);
    await fetched(folder, async (partial) => {
      const wanted = { private: true, dependencies: { [name]: version } };
      await writeFile(join(partial, 'package.json'), JSON.stringify(wanted));
      return ['npm', 'install', '--prefix', partial, '--no-audit', '--no-fund', '--ignore-scripts'];
    });
  }
  return join(folder, 'node_modules', name);
}

/** What is expected to fail of a revision, with the reasons. */
async function expectedOf(name) {
  const file = join(import.meta.dirname, `mcp-expected-${name}.yml`);
  const { server, reasons } = parse(await readFile(file, 'utf8'));
  return { file, entries: server.map((entry) => ({ entry, reason: reasons[entry] })) };
}

/** Runs the suite. Gives whether nothing failed that is not expected, and nothing passed that is expected to fail. */
export async function runSuite(url, tell) {
  const script = join(await obtainFromNpm(PACKAGE, VERSION, tell), 'dist', 'index.js');
  const out = await mkdtemp(join(tmpdir(), 'dagi-conformance-out-'));
  const run = (args, from) =>
    runCommand(process.execPath, [script, 'server', '--url', url, '-o', join(out, from), ...args], { cwd: out });
  try {
    const outcomes = [];
    for (const revision of REVISIONS) outcomes.push(await runRevision(revision, run));
    outcomes.push(await runTasks(run));
    return outcomes.every(Boolean);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function runRevision(revision, run) {
  const { file, entries } = await expectedOf(revision);
  const { code, stdout, stderr } = await run(['--requirements', revision, '--expected-failures', file], revision);
  const unexplained = entries.filter(({ reason }) => reason === undefined);
  console.log(`\n--- ${revision} ---`);
  console.log(summaryOf(stdout) || stderr);
  for (const { entry, reason } of entries) console.log(`does not apply: ${entry}: ${reason ?? 'NO REASON IS GIVEN'}`);
  return code === 0 && unexplained.length === 0;
}

async function runTasks(run) {
  const { entries } = await expectedOf('tasks');
  console.log('\n--- extension: tasks ---');
  let ok = true;
  for (const scenario of TASKS) {
    const { code, stdout, stderr } = await run(['--scenario', scenario], scenario);
    const expected = entries.find(({ entry }) => entry === scenario);
    const isRight = (code === 0) === (expected === undefined);
    ok &&= isRight;
    console.log(`${isRight ? 'ok  ' : 'FAIL'} ${scenario}${expected ? ` does not apply: ${expected.reason}` : ''}`);
    if (!isRight) console.log(stdout.slice(-6_000) || stderr);
  }
  return ok;
}

/** From the suite's own table on. */
function summaryOf(stdout) {
  const plain = stdout.replace(/\u001b\[[\d;]*m/g, '');
  const at = plain.indexOf('=== SUMMARY ===');
  return plain.slice(at < 0 ? -4_000 : at).trim();
}

#!/usr/bin/env node
// Runs the tests, kind by kind, and ends with one line: N passed, N failed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeEmbeddedDatabases, obtainModel, obtainTemporalCli } from '../test/support/parts.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const KIND_TIMEOUT_MS = 25 * 60_000;

/**
 * Kinds, quick and telling ones first. `workers`: 1 for those that start servers. `shards`: into so many parts a whole kind
 * is cut.
 */
const KINDS = {
  unit: { workers: 2, about: 'pure code and single classes, beside the sources' },
  architecture: { workers: 1, about: 'rules about the code itself' },
  workflow: { workers: 1, about: 'workflows on a real Temporal server' },
  replay: { workers: 1, about: 'recorded histories against the present workflows' },
  medium: { workers: 1, about: 'real databases: PGlite and PostgreSQL' },
  e2e: { workers: 1, shards: 6, about: 'the whole product over sockets' },
};
/**
 * Specs open and close one embedded database after the other; Node 24 died once as it freed the code of one ("Check failed:
 * jit_page_->allocations_.erase").
 */
const MANY_DATABASES = ['--no-wasm-code-gc'];
/** So many of the kinds with one worker run beside each other: they have servers of their own, and seldom need both cores. */
const LANES = 2;
const NEED_TEMPORAL = ['workflow', 'medium', 'e2e'];
const NEED_MODEL = ['medium', 'e2e'];
const NEED_EMBEDDED = ['architecture', 'workflow', 'medium', 'e2e'];

const HELP = `npm test [-- KIND… [JEST OPTIONS]]

Runs all kinds of test, or those that are named. A skipped test counts as failed, and so does a kind without tests.
What follows the kinds goes to jest (a path or -t NAME, for example); then only what was chosen counts.

${Object.entries(KINDS)
  .map(([kind, { about }]) => `  ${kind.padEnd(13)} ${about}`)
  .join('\n')}
`;

function parseArguments(args) {
  const firstOther = args.findIndex((arg) => !(arg in KINDS));
  const kinds = firstOther === -1 ? args : args.slice(0, firstOther);
  return {
    kinds: kinds.length > 0 ? kinds : Object.keys(KINDS),
    rest: firstOther === -1 ? [] : args.slice(firstOther),
  };
}

/** The caller's settings and `.env` must not reach the tests: every variable of the product counts as absent. */
function isolateEnvironment() {
  const names = readFileSync(join(ROOT, '.env.example'), 'utf8').matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm);
  for (const [, name] of names) if (name !== 'DAGI_CACHE') process.env[name] = '';
}

async function obtainParts(kinds) {
  const wants = (list) => kinds.some((kind) => list.includes(kind));
  if (wants(NEED_TEMPORAL)) process.env.TEST_TEMPORAL_CLI = JSON.stringify(await obtainTemporalCli());
  if (wants(NEED_MODEL)) process.env.TEST_MODEL = await obtainModel();
  if (!wants(NEED_EMBEDDED)) return;
  const databases = await makeEmbeddedDatabases();
  process.once('exit', () => rmSync(databases, { recursive: true, force: true }));
  process.env.TEST_EMBEDDED = databases;
}

function runJest(kind, report, rest, shard) {
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', ...MANY_DATABASES];
  const jest = ['--selectProjects', kind, '--ci', '--json', '--outputFile', report];
  jest.push('--maxWorkers', String(KINDS[kind].workers));
  // Native libraries and servers that a spec killed may hold the event loop; the report is written by then.
  if (KINDS[kind].workers === 1) jest.push('--forceExit');
  if (shard) jest.push('--shard', shard);
  // A path that is named may lie in one kind only.
  if (rest.length > 0) jest.push('--passWithNoTests', ...rest);
  const child = spawn(process.execPath, [...node, join(ROOT, 'node_modules/jest/bin/jest.js'), ...jest], {
    cwd: ROOT,
    // The report also goes to standard output, where nobody wants to read it.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), KIND_TIMEOUT_MS);
  const forward = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.once(signal, forward);
  return new Promise((done) => {
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      for (const each of SIGNALS) process.off(each, forward);
      if (SIGNALS.includes(signal)) process.exit(130);
      done(signal ?? code);
    });
  });
}

/** Sums of a jest report. What did not run is a failure: a skipped check is a defect. */
function count(report, chosen) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites, numTotalTests } =
    report;
  const notRun = chosen ? 0 : numPendingTests + numTodoTests;
  const none = !chosen && numTotalTests === 0 && numRuntimeErrorTestSuites === 0 ? 1 : 0;
  if (none) console.error('This kind has no tests, which counts as one failure.');
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites + notRun + none };
}

async function runPart(kind, rest, shard) {
  const folder = mkdtempSync(join(tmpdir(), 'dagi-jest-'));
  const report = join(folder, 'report.json');
  try {
    const end = await runJest(kind, report, rest, shard);
    const result = readReport(report, end);
    const sums = result ? count(result, rest.length > 0) : { passed: 0, failed: 1 };
    // Jest may object to something that no count shows: a failed teardown, or a timeout of ours.
    if (end !== 0 && sums.failed === 0) sums.failed = 1;
    return sums;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(path, end) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    console.error(`jest ended with ${end} and wrote no report`);
    return undefined;
  }
}

/** What jest is started for: kinds, or parts of them. */
function partsOf(kinds, rest) {
  return kinds.flatMap((kind) => {
    const { shards = 1 } = KINDS[kind];
    // Of what was chosen there is one part.
    if (shards === 1 || rest.length > 0) return { kind, title: kind };
    const numbers = Array.from({ length: shards }, (_, index) => `${index + 1}/${shards}`);
    return numbers.map((shard) => ({ kind, shard, title: `${kind} ${shard}` }));
  });
}

async function tellPart({ kind, shard, title }, rest, total) {
  const startedAt = Date.now();
  console.error(`\n=== ${title}: ${KINDS[kind].about} ===`);
  const { passed, failed } = await runPart(kind, rest, shard);
  console.error(`--- ${title}: ${passed} passed, ${failed} failed, ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  total.passed += passed;
  total.failed += failed;
}

/** Runs kinds, those with workers for all cores alone, and adds what came of them to the total. */
async function runKinds(kinds, rest, total) {
  const isAlone = (kind) => KINDS[kind].workers > 1;
  for (const part of partsOf(kinds.filter(isAlone), rest)) await tellPart(part, rest, total);
  const waiting = partsOf(
    kinds.filter((kind) => !isAlone(kind)),
    rest,
  );
  const lane = async () => {
    for (let part = waiting.shift(); part; part = waiting.shift()) await tellPart(part, rest, total);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(HELP);
  const { kinds, rest } = parseArguments(args);
  isolateEnvironment();
  await obtainParts(kinds);
  const total = { passed: 0, failed: 0 };
  await runKinds(kinds, rest, total);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
}

await main();

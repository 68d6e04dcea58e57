#!/usr/bin/env node
// Runs the tests, kind by kind, and ends with one line: N passed, N failed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { obtainModel, obtainTemporalCli } from '../test/support/parts.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const KIND_TIMEOUT_MS = 25 * 60_000;

/**
 * Kinds, quick and telling ones first. `workers`: 1 for those that start servers. `shards`: into so many parts a whole kind
 * is cut, which run beside each other with servers of their own.
 */
const KINDS = {
  unit: { workers: 2, about: 'pure code and single classes, beside the sources' },
  architecture: { workers: 1, about: 'rules about the code itself' },
  workflow: { workers: 1, about: 'workflows on a real Temporal server' },
  replay: { workers: 1, about: 'recorded histories against the present workflows' },
  medium: { workers: 1, about: 'real databases: PGlite and PostgreSQL' },
  e2e: { workers: 1, shards: 2, about: 'the whole product over sockets' },
};
/**
 * Kinds in the order in which they run. Those of a turn run beside each other, each list one after the other: they have
 * servers of their own, and hardly ever need both cores.
 */
const TURNS = [[['unit']], [['medium'], ['architecture', 'workflow', 'replay']], [['e2e']]];
const NEED_TEMPORAL = ['workflow', 'medium', 'e2e'];
const NEED_MODEL = ['medium', 'e2e'];

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
}

function runJest(kind, report, rest, shard) {
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
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

/** Runs a kind in its parts; of what was chosen there is one. */
async function runKind(kind, rest) {
  const { shards = 1 } = KINDS[kind];
  if (shards === 1 || rest.length > 0) return runPart(kind, rest);
  const parts = Array.from({ length: shards }, (_, index) => runPart(kind, rest, `${index + 1}/${shards}`));
  const [first, ...others] = await Promise.all(parts);
  return others.reduce(
    (sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }),
    first,
  );
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

/** Runs kinds one after the other, and adds what came of them to the total. */
async function runKinds(kinds, rest, total) {
  for (const kind of kinds) {
    const startedAt = Date.now();
    console.error(`\n=== ${kind}: ${KINDS[kind].about} ===`);
    const { passed, failed } = await runKind(kind, rest);
    console.error(`--- ${kind}: ${passed} passed, ${failed} failed, ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    total.passed += passed;
    total.failed += failed;
  }
}

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(HELP);
  const { kinds, rest } = parseArguments(args);
  isolateEnvironment();
  await obtainParts(kinds);
  const total = { passed: 0, failed: 0 };
  for (const lists of TURNS) {
    const chosen = lists.map((list) => list.filter((kind) => kinds.includes(kind)));
    await Promise.all(chosen.map((list) => runKinds(list, rest, total)));
  }
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
}

await main();

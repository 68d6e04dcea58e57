#!/usr/bin/env node
// Runs the real frameworks on small projects in the real sandbox, and prints a table. A missing tool is a failure.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fromBuild } from '../support/parts.mjs';
import { PROJECTS } from './projects.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const HELP = `npm run toolchains [-- FRAMEWORK…]

Runs ${Object.keys(PROJECTS).join(', ')} and a notebook, or those that are named, and compares what they
report with what is expected. Needs the toolchains on this machine, and a first time the network for Python packages.
`;
const LIMITS = {
  fileBytes: 1_000_000,
  outputBytes: 256_000,
  timeoutMs: 300_000,
  memoryBytes: 2_000_000_000,
  processes: 256,
  scratchBytes: 1_000_000_000,
};
const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 4,
  metadata: {},
  cells: [{ cell_type: 'code', metadata: {}, source: 'print(40 + 2)', outputs: [], execution_count: null }],
};

async function openPrograms() {
  const { ConsoleReporter } = await fromBuild('src/adapters/supply/reporter.js');
  const { openSandbox } = await fromBuild('src/adapters/sandbox/open-sandbox.js');
  const { Programs } = await fromBuild('src/adapters/devtools/programs.js');
  const { Toolchains } = await fromBuild('src/adapters/devtools/toolchains.js');
  const home = resolve(ROOT, process.env.DAGI_HOME || 'var');
  const cache = process.env.DAGI_CACHE ? resolve(process.env.DAGI_CACHE) : join(home, 'cache');
  const options = { cache, reporter: new ConsoleReporter(process.stderr) };
  const sandbox = await openSandbox({ kind: 'bubblewrap', ...options, hidden: [home, cache], production: false });
  if (sandbox.kind === 'off') throw new Error(sandbox.describe().reason);
  const toolchains = new Toolchains();
  return { programs: new Programs(sandbox, toolchains, options), toolchains };
}

async function inWorkspace({ files = {}, packages = false }, work) {
  const workspace = await mkdtemp(join(tmpdir(), 'dagi-toolchains-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(workspace, name)), { recursive: true });
      await writeFile(join(workspace, name), content);
    }
    // Links to the same content, as a copy is dear.
    if (packages) execFileSync('cp', ['-al', join(ROOT, 'node_modules'), join(workspace, 'node_modules')]);
    return await work({ workspace, folder: '.' });
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

const counts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

async function tryFramework(name, { programs }) {
  const project = PROJECTS[name];
  return inWorkspace(project, async (place) => {
    const run = () => programs.run_tests(place, {}, LIMITS, new AbortController().signal);
    // The first run of go has its standard library compiled for those after it.
    if (name === 'go') await run().then(() => programs.settled());
    const result = await run();
    const fits = result.framework === name && counts(result) === counts(project.expected);
    const told = result.tests.filter(({ status }) => status === 'failed').every(({ message }) => message);
    return { ok: fits && told, what: counts(result), ms: result.ms };
  });
}

async function tryNotebook({ programs }) {
  return inWorkspace({}, async (place) => {
    const run = () => programs.notebook_execute(place, { notebook: NOTEBOOK }, LIMITS, new AbortController().signal);
    // The first run may fetch what notebooks need.
    await run();
    const startedAt = performance.now();
    const result = await run();
    const ok = result.success && result.cells[0]?.outputs[0]?.text === '42\n';
    return {
      ok,
      what: ok ? 'printed 42' : JSON.stringify(result.cells),
      ms: Math.round(performance.now() - startedAt),
    };
  });
}

const KINDS = { node: 'node', jest: 'node', pytest: 'python', go: 'go', cargo: 'rust', notebook: 'python' };

async function attempt(name, parts) {
  try {
    const { version } = await parts.toolchains[KINDS[name]]();
    const { ok, what, ms } = await (name === 'notebook' ? tryNotebook(parts) : tryFramework(name, parts));
    return { name, ok, line: `${version.padEnd(44)} ${what.padEnd(34)} ${String(ms).padStart(6)} ms` };
  } catch (error) {
    return { name, ok: false, line: error.message };
  }
}

async function main() {
  const args = process.argv.slice(2);
  if (args.some((arg) => !(arg in KINDS))) return void process.stdout.write(HELP);
  const parts = await openPrograms();
  let failures = 0;
  for (const name of args.length > 0 ? args : Object.keys(KINDS)) {
    const { ok, line } = await attempt(name, parts);
    if (!ok) failures += 1;
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(9)} ${line}`);
  }
  process.exitCode = failures > 0 ? 1 : 0;
}

await main();

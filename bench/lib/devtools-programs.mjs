import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { rgPath } from '@vscode/ripgrep';
import { fromBuild, supply } from '../../test/support/parts.mjs';
import { settle, textOf } from './devtools-tree.mjs';

const MIB = 2 ** 20;
const LIMITS = {
  fileBytes: 4 * MIB,
  outputBytes: MIB,
  timeoutMs: 120_000,
  memoryBytes: 1_024 * MIB,
  processes: 256,
  scratchBytes: 256 * MIB,
};
const SECOND_MS = 1_000;

/** What is measured of the tools that run programs, in the real sandbox. */
export async function programCases({ folder }, folders, files) {
  const programs = await openPrograms();
  const use = (tool, params) =>
    programs[tool]({ workspace: folder, folder: '.' }, params, LIMITS, new AbortController().signal);
  const search = async (params, expected) =>
    assert.equal((await use('fs_search', { ...params, limit: 100 })).matches.length, expected);
  const last = textOf(folders - 1, files - 1)
    .split('\n')
    .at(-2);
  commitAll(folder);
  return [
    // First, since the kernel is busy for a while with what was just written.
    { name: 'git_status', share: 0.2, aim: SECOND_MS, run: () => use('git_status', {}) },
    { name: 'git_diff', share: 0.2, run: () => use('git_diff', {}) },
    { name: 'git_log', share: 0.2, run: () => use('git_log', {}) },
    { name: 'ripgrep by itself, found nowhere', share: 0.2, run: () => bareSearch(folder) },
    {
      name: 'fs_search, found nowhere',
      share: 0.2,
      aim: SECOND_MS,
      run: () => search({ pattern: 'found nowhere' }, 0),
    },
    { name: 'fs_search, found in the last file', share: 0.2, aim: SECOND_MS, run: () => search({ pattern: last }, 1) },
    { name: 'fs_search, found everywhere', share: 0.2, aim: SECOND_MS, run: () => search({ pattern: 'line 7' }, 100) },
  ];
}

/** What ripgrep takes without a sandbox around it, for the same search. */
function bareSearch(cwd) {
  const threads = `--threads=${Math.min(4, availableParallelism())}`;
  const flags = ['--json', '--no-config', '--hidden', '--no-ignore', '--glob=!.git', '--fixed-strings'];
  const { status } = spawnSync(rgPath, [threads, ...flags, '--', 'found nowhere', './'], { cwd });
  assert.equal(status, 1);
}

async function openPrograms() {
  const { openSandbox } = await fromBuild('src/adapters/sandbox/open-sandbox.js');
  const { Programs } = await fromBuild('src/adapters/devtools/programs.js');
  const { Toolchains } = await fromBuild('src/adapters/devtools/toolchains.js');
  const options = await supply();
  const sandbox = await openSandbox({ kind: 'bubblewrap', ...options, hidden: [options.cache], production: false });
  if (sandbox.kind === 'off') throw new Error(sandbox.describe().reason);
  return new Programs(sandbox, new Toolchains(), options);
}

/** A repository of all files, whose index knows them, as it is after a checkout. */
function commitAll(cwd) {
  const git = (...args) => execFileSync('git', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  git('init', '--quiet');
  git('add', '.');
  git('-c', 'user.name=Bench', '-c', 'user.email=bench@example.org', 'commit', '--quiet', '--message', 'All');
  settle();
}

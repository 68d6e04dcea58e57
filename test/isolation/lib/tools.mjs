// The tools of a world: files on the disk, and programs that say all that they were shown.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fromBuild } from '../../support/parts.mjs';

const LIMITS = {
  ...{ fileBytes: 1_000_000, outputBytes: 100_000, timeoutMs: 60_000, memoryBytes: 1e9 },
  ...{ processes: 100, scratchBytes: 1e8 },
};

/** Every file that a program in this place can read, with its text. */
function shown({ workspace, folder }) {
  const files = readdirSync(join(workspace, folder), { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
    .map((file) => ({ path: relative(workspace, file), text: readFileSync(file, 'utf8') }));
}

const all = (place) => JSON.stringify(shown(place));
const ends = { ended_by: 'exit', truncated: false };

const PROGRAMS = {
  fs_search: async (place, { pattern }) => {
    const found = shown(place).filter(({ text }) => text.includes(pattern));
    return { matches: found.map(({ path, text }) => ({ path, line: 1, column: 1, text })), truncated: false };
  },
  run_tests: async (place) => {
    const counts = { passed: shown(place).length, failed: 0, skipped: 0, ms: 1, exit_code: 0, tests: [] };
    return { framework: 'node', ...counts, ...ends, output: all(place) };
  },
  git_status: async (place) => {
    const entries = shown(place).map(({ path }) => ({ path, index: '?', worktree: '?' }));
    return { branch: 'main', head: null, clean: entries.length === 0, entries, truncated: false };
  },
  git_diff: async (place) => ({ diff: all(place), files: [], truncated: false }),
  git_log: async (place) => ({
    commits: [{ hash: '0', author: '', date: '', subject: all(place) }],
    truncated: false,
  }),
  notebook_execute: async (place) => ({ success: true, cells: [], ended_by: 'exit', output: all(place) }),
};

/** @returns the tools, where their files are, and how to be rid of them */
export async function openTools() {
  const { Toolbox } = await fromBuild('src/adapters/devtools/toolbox.js');
  const { Workspaces } = await fromBuild('src/adapters/workspace/workspaces.js');
  const folder = mkdtempSync(join(tmpdir(), 'dagi-isolation-'));
  const workspaces = new Workspaces(folder);
  const tools = new Toolbox({ workspaces, programs: async () => PROGRAMS, limits: () => LIMITS, atOnce: 2 });
  return { tools, workspaces, close: () => rmSync(folder, { recursive: true, force: true }) };
}

import assert from 'node:assert/strict';
import { fileName, folderName } from './devtools-tree.mjs';

const LIMITS = { fileBytes: 4 * 2 ** 20, outputBytes: 2 ** 20 };
const SECOND_MS = 1_000;
const nothing = () => Promise.resolve();
const FREELY = { journal: null, onPlan: nothing, beforeWrite: nothing };

/** What is measured of the tools for files: `share` of the rounds, `aim` for the 95th percentile in milliseconds. */
export function fileCases(workspace, folders, files) {
  const path = (round) => `${folderName((round * 37 + 37) % folders)}/${fileName((round + 1) % files)}`;
  const matching = folders * Math.ceil(files / 4);
  return [
    { name: 'fs_read', run: (round) => workspace.read({ path: path(round) }, LIMITS) },
    {
      name: 'fs_write',
      run: (round) => workspace.write({ path: path(round), content: `new ${round}\n` }, LIMITS, FREELY),
    },
    { name: 'fs_diff', run: (round) => workspace.diff({ path: path(round), content: 'other\n' }, LIMITS) },
    {
      name: 'fs_patch, three files',
      run: (round) => workspace.patch({ patch: newFiles(round, folders) }, LIMITS, FREELY),
    },
    { name: 'fs_list, the top', aim: SECOND_MS, run: () => page(workspace, {}, Math.min(500, folders)) },
    { name: 'fs_list, a page of the tree', aim: SECOND_MS, run: () => page(workspace, { depth: 20 }, 500) },
    { name: 'fs_list, a page in the middle', aim: SECOND_MS, run: middle(workspace, folders) },
    {
      ...{ name: 'fs_list, a glob that nothing matches', share: 0.2, aim: SECOND_MS },
      run: () => page(workspace, { glob: '**/*.nothing' }, 0),
    },
    {
      ...{ name: 'fs_list, a glob that the last file matches', share: 0.2, aim: SECOND_MS },
      run: () => page(workspace, { glob: `${folderName(folders - 1)}/**/${fileName(files - 1)}` }, 1),
    },
    { name: `fs_list, all pages of *.ts (${matching})`, share: 0.1, run: () => everything(workspace, matching) },
  ];
}

async function page(workspace, params, expected) {
  const result = await workspace.list(params);
  assert.equal(result.entries.length, expected);
  return result;
}

function middle(workspace, folders) {
  const cursor = Buffer.from(`${folderName(Math.floor(folders / 2))}/${fileName(1)}`).toString('base64url');
  return () => page(workspace, { depth: 20, cursor }, 500);
}

async function everything(workspace, expected) {
  let found = 0;
  let cursor;
  do {
    const result = await workspace.list({ glob: '*.ts', limit: 5_000, ...(cursor && { cursor }) });
    found += result.entries.length;
    cursor = result.cursor;
  } while (cursor !== undefined);
  assert.ok(found >= expected, `${found} of ${expected}`);
}

const newFiles = (round, folders) =>
  [1, 2, 3]
    .map((part) => `${folderName((round + part + 1) % folders)}/patched-${round}-${part}.txt`)
    .map((path) => `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,2 @@\n+one\n+two ${round}\n`)
    .join('');

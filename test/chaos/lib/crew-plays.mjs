import '../../support/typescript.mjs';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GOOD } from '../../fakes/crew-answers.ts';

const { PROPOSAL, REPOSITORY, SHIPPED } = await import('../../factories/shipped-crews.ts');

const CONTRIBUTOR = 'tg:222';
const ROLE = 'contributor';

/** A crew of the DAO's own that writes, after one approval, and is approved itself: none of the shipped ones writes. */
export const NOTE = {
  name: 'Note',
  description: 'Puts a line into a file.',
  inputs: { type: 'object', properties: { path: { type: 'string', maxLength: 100 } }, required: ['path'] },
  agents: { writer: { role: 'Writer', goal: 'Put a line into a file.', tools: ['fs_patch'] } },
  tasks: {
    write: {
      agent: 'writer',
      instruction: 'Put the line below the first one of the file inputs.path, then say what was done.',
      uses: ['inputs.path'],
      tools: ['fs_patch'],
      tool_approval: { ask: 'Shall this be written?', roles: ['admin'] },
      output: { type: 'object', properties: { done: { type: 'string' } }, required: ['done'] },
      approval: { ask: 'Is this well done?', roles: ['admin'] },
    },
  },
  result: { done: 'write.done' },
};

const noteOf = (n) => `notes/n${n}x.txt`;
const lineOf = (n) => `line of n${n}x`;
const patchOf = (n) => `--- a/${noteOf(n)}\n+++ b/${noteOf(n)}\n@@ -1,1 +1,2 @@\n first\n+${lineOf(n)}\n`;

/** A crew that comes along. */
const shipped = (crew) => ({ crew, user: () => SHIPPED[crew].by, inputs: () => SHIPPED[crew].inputs });

/**
 * The crews that are run: by whom, on what, and whom or what the n-th run is about, so that what is done twice is seen.
 * The patch of a note would fit again and again.
 */
export const PLAYS = [
  shipped('task_decomposition'),
  shipped('code_review'),
  { ...shipped('proposal_review'), inputs: () => ({ text: PROPOSAL.text }) },
  { ...shipped('microdao_onboarding'), user: (n) => `tg:${90_000 + n}`, role: ROLE },
  { crew: 'note', user: () => CONTRIBUTOR, inputs: (n) => ({ path: noteOf(n) }), file: noteOf, line: lineOf },
];

/** Files that are reviewed, and a folder for those that are written. */
export function plantFiles(workspace) {
  mkdirSync(join(workspace, 'notes'));
  for (const [path, text] of Object.entries(REPOSITORY)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
}

/** The file of a run that writes, before it. */
export function plantNote(workspace, { file }, n) {
  if (file) writeFileSync(join(workspace, file(n)), 'first\nlast\n');
}

/** How often the line of a run is in its file. */
export function linesWritten(workspace, { file, line }, n) {
  const lines = readFileSync(join(workspace, file(n)), 'utf8').split('\n');
  return lines.filter((one) => one === line(n)).length;
}

/** What the model says: good answers, and in each of so many notes first a patch, then that it is done. */
export function scriptsFor(runs) {
  const notes = Array.from({ length: runs }, (_, n) => [
    noteOf(n),
    [{ tools: [{ name: 'fs_patch', arguments: { patch: patchOf(n) } }] }, { done: 'The line is there.' }],
  ]);
  return { ...Object.fromEntries(notes), ...GOOD };
}

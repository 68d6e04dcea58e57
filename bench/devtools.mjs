import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fromBuild } from '../test/support/parts.mjs';
import { Aims } from './lib/aims.mjs';
import { fileCases } from './lib/devtools-files.mjs';
import { programCases } from './lib/devtools-programs.mjs';
import { plantTree } from './lib/devtools-tree.mjs';
import { ms, quantile, table } from './lib/stats.mjs';

const HELP = `npm run bench -- devtools [OPTIONS]

Tools on the workspace of a DAO with very many files: how long each takes. Ends with 1 if an aim is missed.

  --folders N   folders of the tree (1000)
  --files N     files in each folder (100)
  --rounds N    how often each is measured (50); lists of everything a tenth as often
  --folder F    where the tree is made, in a folder of its own (the system's folder for temporary files)
`;

const number = (fallback) => ({ type: 'string', default: String(fallback) });

export async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      folders: number(1_000),
      files: number(100),
      rounds: number(50),
      folder: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [folders, files, rounds] = [values.folders, values.files, values.rounds].map(Number);
  const home = mkdtempSync(join(values.folder, 'dagi-bench-devtools-'));
  try {
    await bench({ home, folders, files, rounds });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function bench({ home, folders, files, rounds }) {
  const { Workspaces } = await fromBuild('src/adapters/workspace/workspaces.js');
  const workspace = await new Workspaces(home).of('bench');
  plantTree(workspace.folder, folders, files);
  console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}\n`);
  const rows = [];
  const aims = new Aims();
  // Those of programs last: they make a repository of what is there.
  for (const casesOf of [fileCases, programCases]) {
    for (const each of await casesOf(workspace, folders, files))
      rows.push(await rowOf(each, folders * files, rounds, aims));
  }
  console.log(table(['tool', 'files', 'times', 'median, ms', 'P95, ms'], rows));
  console.log(`\n${aims}`);
  if (aims.missed > 0) process.exitCode = 1;
}

async function rowOf({ name, share = 1, aim, run }, files, rounds, aims) {
  const times = await measure(run, Math.max(5, Math.round(rounds * share)));
  const p95 = quantile(times, 0.95);
  if (aim !== undefined) aims.atMost(`${name}, P95`, p95, aim, ' ms', 0);
  return [name, files, times.length, ms(quantile(times, 0.5)), ms(p95)];
}

async function measure(run, rounds) {
  await run(-1);
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await run(round);
    times.push(performance.now() - began);
  }
  return times;
}

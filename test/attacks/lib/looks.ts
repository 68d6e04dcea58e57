import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../../src/adapters/store/database.js';
import { rowsBeside } from '../../e2e/isolation-rows.js';
import { ATTACKED, OTHER, type Served } from './served.js';

/** Whatever can change: files by DAO and path, rows by table. */
export interface State {
  files: Record<string, Record<string, string>>;
  /** Of everybody but the other DAO. */
  rows: Record<string, string[]>;
  rowsOfOther: Record<string, string[]>;
}

/** All files of both DAOs, and all rows. */
export async function stateOf({ database, home }: Served): Promise<State> {
  const files = (dao: string): Promise<Record<string, string>> => filesIn(join(home, 'workspaces', dao));
  return {
    files: { [ATTACKED]: await files(ATTACKED), [OTHER]: await files(OTHER) },
    rows: await rowsBeside(database, OTHER),
    rowsOfOther: await rowsOf(database, OTHER),
  };
}

/** Rows of one DAO, by table: all, without those beside it. */
async function rowsOf(database: Database, dao: string): Promise<Record<string, string[]>> {
  const beside = await rowsBeside(database, dao);
  const all = await rowsBeside(database, '');
  return Object.fromEntries(
    Object.entries(all).map(([table, rows]) => {
      const others = new Set(beside[table]);
      return [table, rows.filter((row) => !others.has(row))];
    }),
  );
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = entries
    .filter((entry) => !entry.isDirectory())
    .map(async (entry): Promise<[string, string]> => {
      const path = join(entry.parentPath, entry.name);
      const content = entry.isSymbolicLink() ? `-> ${await readlink(path)}` : await readFile(path, 'latin1');
      return [path.slice(folder.length + 1), content];
    });
  return Object.fromEntries(await Promise.all(contents));
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { WorkspaceQuota } from '../../src/adapters/workspace/usage.js';
import { Workspaces } from '../../src/adapters/workspace/workspaces.js';

export const FILE_LIMITS = { fileBytes: 1_000_000, outputBytes: 200_000 };

const nothing = (): Promise<void> => Promise.resolve();

/** A first attempt that nobody watches. */
export const FREELY = { journal: null, onPlan: nothing, beforeWrite: nothing };

/** A workspace on the disk, beside a folder that nothing of it may reach. */
export async function openTestWorkspace(quota?: WorkspaceQuota) {
  const home = mkdtempSync(join(tmpdir(), 'dagi-test-workspace-'));
  const outside = join(home, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret.txt'), 'SECRET\n');
  const workspace = await new Workspaces(join(home, 'workspaces'), quota).of('greenfood-dao');
  const at = (path: string) => join(workspace.folder, path);
  return {
    ...{ home, outside, workspace, at },
    put: (path: string, content: string | Buffer) => {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), content);
    },
    get: (path: string) => readFileSync(at(path), 'utf8'),
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}

export type TestWorkspace = Awaited<ReturnType<typeof openTestWorkspace>>;

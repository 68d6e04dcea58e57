import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LRUCache } from 'lru-cache';
import { AppError } from '../../errors/app-error.js';
import { sha256 } from '../digest.js';
import { systemCode } from './faults.js';
import { PathLocks } from './locks.js';
import { Folder } from './opened.js';
import { DEFAULT_QUOTA, Usage, type WorkspaceQuota } from './usage.js';
import { flush, type Opener } from './walk.js';
import { Workspace } from './workspace.js';

/** Ids that are the name of their folder as they are. No other folder's name can be one: it begins with `~`. */
const PLAIN = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The workspaces of all DAOs: a folder for each, in one folder. */
export class Workspaces {
  private readonly root: string;
  private readonly locks = new PathLocks();
  /** What is forgotten is measured again. */
  private readonly usages = new LRUCache<string, Usage>({ max: 1_000 });

  /**
   * @param root the folder that they are in; made if need be
   * @param quota of each of them
   */
  constructor(
    root: string,
    private readonly quota: WorkspaceQuota = DEFAULT_QUOTA,
  ) {
    this.root = resolve(root);
  }

  /**
   * The workspace of a DAO. Its folder is made if there is none.
   * @throws AppError `TOOL_FAILED` if the folder of all workspaces, or this one, cannot be used
   */
  async of(daoId: string): Promise<Workspace> {
    const name = folderName(daoId);
    await this.guarded(async () => {
      await mkdir(this.root, { recursive: true, mode: 0o700 });
      await this.inRoot((root) => makeWorkspace(root, name));
    });
    const open = (): Promise<Folder> => this.inRoot((root) => root.workspace(name));
    return new Workspace(join(this.root, name), open, this.locks, this.usageOf(name, open));
  }

  private usageOf(name: string, open: Opener): Usage {
    const usage = this.usages.get(name) ?? new Usage(open, this.quota);
    this.usages.set(name, usage);
    return usage;
  }

  private async inRoot<T>(action: (root: Folder) => Promise<T>): Promise<T> {
    const root = await Folder.root(this.root);
    try {
      return await action(root);
    } finally {
      await root.close();
    }
  }

  private async guarded(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (cause) {
      // Paths of the host are told to the log alone.
      throw new AppError('TOOL_FAILED', 'The workspace of this DAO cannot be opened: see the log.', {}, { cause });
    }
  }
}

/** Name of a DAO's folder. */
export const folderName = (daoId: string): string => (PLAIN.test(daoId) ? daoId : `~${sha256(daoId)}`);

async function makeWorkspace(root: Folder, name: string): Promise<void> {
  try {
    await mkdir(root.at(name), { mode: 0o700 });
    await flush(root);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  const folder = await root.workspace(name);
  await folder.close();
}

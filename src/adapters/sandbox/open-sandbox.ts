import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxKind } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { obtainBubblewrap } from '../supply/bubblewrap.js';
import type { SupplyReporter } from '../supply/reporter.js';
import { BubblewrapSandbox } from './bubblewrap-sandbox.js';
import { chooseBounds, TRIAL } from './choose-bounds.js';
import { withRemark, type DescribedSandbox } from './description.js';
import { NoSandbox } from './no-sandbox.js';
import { makeOwnFolder, removeStaleFolders } from './own-folders.js';
import { ProcessSandbox } from './process-sandbox.js';

export interface SandboxOptions {
  kind: SandboxKind;
  /** Folder for what is obtained. */
  cache: string;
  reporter: SupplyReporter;
  /** What the product keeps: no program sees it, even where it lies below `/usr` or a folder that is mounted. */
  hidden: readonly string[];
  /** Whether this is a production system, where the weaker way is refused. */
  production: boolean;
}

const WEAKER = 'or set devtools.sandbox to "process" in the profile, which is weaker';
const NOT_IN_PRODUCTION =
  'devtools.sandbox is "process" in a profile whose environment is production, where programs could read the keys of this product: set it to "bubblewrap", or to "off".';

/**
 * The sandbox of a kind, tried once with a program that does nothing. Where it cannot run programs, the answer is one
 * that refuses them and says why.
 */
export async function openSandbox(options: SandboxOptions): Promise<DescribedSandbox> {
  if (options.kind === 'off') return new NoSandbox('devtools.sandbox is "off" in the profile.');
  try {
    const sandbox = await openKind(options);
    return await tried(sandbox);
  } catch (error) {
    return new NoSandbox(reasonOf(error));
  }
}

async function openKind({ kind, ...options }: SandboxOptions): Promise<DescribedSandbox> {
  const machine = process.arch;
  if (process.platform !== 'linux' || (machine !== 'x64' && machine !== 'arm64')) {
    throw new Error('programs are run on Linux only, on x64 or arm64.');
  }
  if (kind === 'process' && options.production) throw new Error(NOT_IN_PRODUCTION);
  const bounds = await chooseBounds(kind);
  await removeStaleFolders();
  if (kind === 'process') return new ProcessSandbox(bounds);
  return new BubblewrapSandbox(await obtainBubblewrap(options), bounds, machine, options.hidden);
}

const NO_NEW_FOLDERS = 4;
const NO_NEW_FOLDERS_REMARK =
  'programs cannot remove a folder of the workspace and make it again: kernels from 6.6 on can.';

/**
 * bubblewrap: the host's devices must be out of reach; else their mode is set to what it is, and the trial fails. A folder
 * of the workspace should be removable and makeable again.
 */
const BUBBLEWRAP_TRIAL = [
  ': >/dev/null && if chmod 666 /dev/null 2>/dev/null; then exit 3; fi',
  `rm -r folder && mkdir folder && : >folder/file || exit ${NO_NEW_FOLDERS}`,
].join('\n');
const TRIALS: Readonly<Record<SandboxKind, readonly string[]>> = {
  bubblewrap: ['/bin/sh', '-c', BUBBLEWRAP_TRIAL],
  process: ['true'],
  off: ['true'],
};

/** A sandbox that has run a program, with what it cannot do. @throws Error where it could not run it */
async function tried(sandbox: DescribedSandbox): Promise<DescribedSandbox> {
  const workspace = await makeOwnFolder();
  try {
    await mkdir(join(workspace, 'folder'));
    await writeFile(join(workspace, 'folder', 'file'), '');
    const command = { argv: TRIALS[sandbox.kind], workspace, folder: '.', limits: TRIAL };
    const end = await sandbox.run(command, new AbortController().signal);
    if (end.code === NO_NEW_FOLDERS) return withRemark(sandbox, NO_NEW_FOLDERS_REMARK);
    if (end.code !== 0) throw new Error(`a trial of it ended with ${end.code} (${end.output.trim()}).`);
    return sandbox;
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

function reasonOf(error: unknown): string {
  const reason = error instanceof AppError ? error.detail.reason : undefined;
  const text = typeof reason === 'string' ? reason : error instanceof Error ? error.message : String(error);
  if (!/namespace|Operation not permitted|Permission denied|No permissions/i.test(text)) return text;
  return `${text} The kernel must allow user namespaces to ordinary users (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile): allow them, ${WEAKER}.`;
}

import { rm } from 'node:fs/promises';
import type { SandboxKind } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { obtainBubblewrap } from '../supply/bubblewrap.js';
import type { SupplyReporter } from '../supply/reporter.js';
import { BubblewrapSandbox } from './bubblewrap-sandbox.js';
import { chooseBounds, TRIAL } from './choose-bounds.js';
import type { DescribedSandbox } from './description.js';
import { NoSandbox } from './no-sandbox.js';
import { makeOwnFolder, removeStaleFolders } from './own-folders.js';
import { ProcessSandbox } from './process-sandbox.js';

export interface SandboxOptions {
  kind: SandboxKind;
  /** Folder for what is obtained. */
  cache: string;
  reporter: SupplyReporter;
}

const WEAKER = 'or set devtools.sandbox to "process" in the profile, which is weaker';

/**
 * The sandbox of a kind, tried once with a program that does nothing. Where it cannot run programs, the answer is one
 * that refuses them and says why.
 */
export async function openSandbox(options: SandboxOptions): Promise<DescribedSandbox> {
  if (options.kind === 'off') return new NoSandbox('devtools.sandbox is "off" in the profile.');
  try {
    const sandbox = await openKind(options);
    await tryOut(sandbox);
    return sandbox;
  } catch (error) {
    return new NoSandbox(reasonOf(error));
  }
}

async function openKind({ kind, ...options }: SandboxOptions): Promise<DescribedSandbox> {
  const machine = process.arch;
  if (process.platform !== 'linux' || (machine !== 'x64' && machine !== 'arm64')) {
    throw new Error('programs are run on Linux only, on x64 or arm64.');
  }
  const bounds = await chooseBounds(kind);
  await removeStaleFolders();
  if (kind === 'process') return new ProcessSandbox(bounds);
  return new BubblewrapSandbox(await obtainBubblewrap(options), bounds, machine);
}

/** bubblewrap: the host's devices must be out of reach; else their mode is set to what it is, and the trial fails. */
const TRIALS: Readonly<Record<SandboxKind, readonly string[]>> = {
  bubblewrap: ['/bin/sh', '-c', ': >/dev/null && if chmod 666 /dev/null 2>/dev/null; then exit 3; fi'],
  process: ['true'],
  off: ['true'],
};

async function tryOut(sandbox: DescribedSandbox): Promise<void> {
  const workspace = await makeOwnFolder();
  try {
    const command = { argv: TRIALS[sandbox.kind], workspace, folder: '.', limits: TRIAL };
    const end = await sandbox.run(command, new AbortController().signal);
    if (end.code !== 0) throw new Error(`a trial of it ended with ${end.code} (${end.output.trim()}).`);
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

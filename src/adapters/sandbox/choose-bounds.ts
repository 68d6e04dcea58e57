import type { SandboxKind } from '../../contracts/devtools.js';
import { RlimitBounds, type Bounds } from './bounds.js';
import { CgroupBounds } from './cgroup-bounds.js';
import { findCgroups, readCgroupFacts } from './find-cgroups.js';

const NO_CGROUP = 'this process may make no control group for memory and processes';
const REMEDY =
  'run it under systemd with Delegate=yes, or in a container whose /sys/fs/cgroup is writable; or run it as an ordinary user';

/**
 * The best bounds that can be had: a control group, which is tried, else the limits of a user's processes.
 * @throws Error with why there are none
 */
export async function chooseBounds(kind: SandboxKind): Promise<Bounds> {
  const problem = await tryCgroups();
  if (typeof problem !== 'string') return problem;
  // The kernel does not hold root by the limits of a user. The weaker way promises nothing but its watch.
  if (process.getuid?.() === 0 && kind === 'bubblewrap') {
    throw new Error(`${problem}, and as root nothing else bounds a program: ${REMEDY}.`);
  }
  return new RlimitBounds(
    `${problem}: limits of processes and a watch bound a run in its place.`,
    kind === 'bubblewrap',
  );
}

async function tryCgroups(): Promise<Bounds | string> {
  try {
    const folders = await findCgroups(await readCgroupFacts());
    if (folders === undefined) return NO_CGROUP;
    const bounds = new CgroupBounds(folders);
    await bounds.removeStale();
    const trial = await bounds.open(TRIAL);
    await trial.close();
    return bounds;
  } catch (error) {
    return `${NO_CGROUP} (${error instanceof Error ? error.message : String(error)})`;
  }
}

const MIB = 1_024 * 1_024;

/** Limits of a program that does nothing. */
export const TRIAL = {
  outputBytes: 16_384,
  timeoutMs: 10_000,
  memoryBytes: 64 * MIB,
  processes: 8,
  scratchBytes: 16 * MIB,
};

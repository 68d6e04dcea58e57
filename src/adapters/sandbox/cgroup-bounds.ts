import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../supply/is-alive.js';
import { OWN_PROCESSES, type Bounds, type Exceeded, type RunBound, type RunLimits } from './bounds.js';
import { kill } from './kill.js';

const NAME = 'dagi-run-';
const GIVE_UP_AFTER_MS = 5_000;

let runs = 0;

/** Folders of control groups below which we may make some; both the same with version 2. */
export interface CgroupFolders {
  version: 1 | 2;
  memory: string;
  pids: string;
}

/** Bounds by control groups: one for each run, gone with it. */
export class CgroupBounds implements Bounds {
  readonly kind;

  constructor(private readonly folders: CgroupFolders) {
    this.kind = `cgroup v${folders.version}` as const;
  }

  /** @throws the file system's error where the group cannot be made */
  async open(limits: RunLimits): Promise<RunBound> {
    const name = `${NAME}${process.pid}-${++runs}`;
    const memory = join(this.folders.memory, name);
    const pids = join(this.folders.pids, name);
    const bound = new CgroupRun(this.folders.version, memory, pids);
    try {
      await bound.make(limits);
    } catch (error) {
      await bound.close();
      throw error;
    }
    return bound;
  }

  /** Removes the groups of processes of ours that were killed. */
  async removeStale(): Promise<void> {
    for (const folder of new Set([this.folders.memory, this.folders.pids])) {
      for (const name of await readdir(folder)) {
        const owner = new RegExp(`^${NAME}(\\d+)-\\d+$`).exec(name)?.[1];
        if (owner !== undefined && !isAlive(Number(owner))) await remove(join(folder, name));
      }
    }
  }
}

class CgroupRun implements RunBound {
  readonly rlimits = [];

  constructor(
    private readonly version: 1 | 2,
    private readonly memory: string,
    private readonly pids: string,
  ) {}

  get join(): string[] {
    return this.folders.map((folder) => join(folder, 'cgroup.procs'));
  }

  private get folders(): string[] {
    return [...new Set([this.memory, this.pids])];
  }

  async make({ memoryBytes, processes }: RunLimits): Promise<void> {
    for (const folder of this.folders) await mkdir(folder);
    await writeFile(join(this.pids, 'pids.max'), String(processes + OWN_PROCESSES));
    if (this.version === 1) {
      await writeFile(join(this.memory, 'memory.limit_in_bytes'), String(memoryBytes));
      // Both are absent where the kernel does not count what is swapped out.
      await writeIfThere(join(this.memory, 'memory.memsw.limit_in_bytes'), String(memoryBytes));
      await writeIfThere(join(this.memory, 'memory.swappiness'), '0');
    } else {
      await writeFile(join(this.memory, 'memory.max'), String(memoryBytes));
      await writeIfThere(join(this.memory, 'memory.swap.max'), '0');
      await writeIfThere(join(this.memory, 'memory.oom.group'), '1');
    }
  }

  async exceeded(): Promise<Exceeded | undefined> {
    const events = this.version === 1 ? 'memory.oom_control' : 'memory.events';
    if ((await readCount(join(this.memory, events), 'oom_kill')) > 0) return 'memory';
    return (await readCount(join(this.pids, 'pids.events'), 'max')) > 0 ? 'processes' : undefined;
  }

  async close(): Promise<void> {
    for (const folder of this.folders) await remove(folder);
  }
}

async function writeIfThere(path: string, text: string): Promise<void> {
  // Without O_CREAT: in a file system that is none of the kernel's (in a test) nothing is made up.
  await writeFile(path, text, { flag: 'r+' }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

/** A figure of a file such as `memory.events`: lines of a name and a number; 0 if it is not there. */
async function readCount(path: string, name: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** Kills whatever is in a group, again until nothing is, and removes it. One that is gone already is fine. */
async function remove(folder: string): Promise<void> {
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    const problem = await rmdir(folder).then(
      () => undefined,
      (error: unknown) => error as NodeJS.ErrnoException,
    );
    if (problem === undefined || problem.code === 'ENOENT') return;
    if (problem.code !== 'EBUSY' || Date.now() > giveUpAt) throw problem;
    await killMembers(folder);
    await sleep(pause);
  }
}

async function killMembers(folder: string): Promise<void> {
  const members = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of members.split('\n').filter(Boolean).map(Number)) {
    // 0: a process of another namespace, which is not ours to kill.
    if (pid > 0) kill(pid);
  }
}

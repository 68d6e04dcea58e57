import { spawn, type ChildProcess } from 'node:child_process';
import { lstat, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgramEnd, SandboxCommand } from '../../contracts/devtools.js';
import { processLimits, secondLine, type RunBound } from './bounds.js';
import { inheritedDescriptors } from './inherited.js';
import { kill } from './kill.js';
import { launchArguments } from './launch.js';
import { listProcesses, readStat, usageOf } from './process-figures.js';

/** Variable by which a process is known to be one of a run, whatever it did to its family. */
const MARKER = 'DAGI_RUN';
const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin'];
const ROUNDS = 50;

/** Where a run has its things. */
export interface RunPlaces {
  home: string;
  workspace: string;
  temporary: string;
  marker: string;
  /** Turns paths of the sandbox into real ones. */
  translate: (text: string) => string;
}

/** One program as an ordinary process. */
export class ProcessRun {
  /** Processes that were seen to belong to it. */
  private readonly seen = new Set<number>();
  private writtenBytes = 0;
  private nextWalkAt = 0;

  private constructor(
    readonly child: ChildProcess,
    private readonly command: SandboxCommand,
    private readonly places: RunPlaces,
    private readonly bound: RunBound,
    private readonly bytesBefore: number,
  ) {
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(command.stdin ?? '');
  }

  static async start(command: SandboxCommand, places: RunPlaces, bound: RunBound): Promise<ProcessRun> {
    const { translate, workspace } = places;
    const limits = ['prlimit', ...bound.rlimits, ...processLimits(command.limits), '--'];
    const variables = Object.entries(environment(command, places)).map(([name, value]) => `${name}=${value}`);
    const bounded = [...secondLine(command.limits), ...command.argv.map(translate)];
    const program = ['env', ...variables, ...limits, ...bounded];
    const bytesBefore = await bytesOf(places.home);
    const inherited = await inheritedDescriptors();
    const last = Math.max(2, ...inherited);
    const child = spawn('/bin/sh', launchArguments(program, bound.join, false), {
      cwd: join(workspace, command.folder),
      env: {},
      // A session of its own: no terminal of ours, and one number by which to kill it.
      detached: true,
      stdio: Array.from({ length: last + 1 }, (_, at) => (at < 3 || inherited.includes(at) ? 'pipe' : 'ignore')),
    });
    return new ProcessRun(child, command, places, bound, bytesBefore);
  }

  /** What it has exceeded by now. */
  async look(): Promise<ProgramEnd | undefined> {
    const exceeded = await this.bound.exceeded();
    if (exceeded !== undefined) return exceeded;
    const { memoryBytes, processes, scratchBytes } = this.command.limits;
    const usage = await usageOf('/proc', await this.members(), memoryBytes);
    if (usage.memory > memoryBytes) return 'memory';
    if (usage.processes > processes) return 'processes';
    return (await this.written()) > scratchBytes ? 'space' : undefined;
  }

  /** Kills all of it that can be found, again until there is nothing to find. */
  async kill(): Promise<void> {
    this.signalGroup();
    for (let round = 0; round < ROUNDS; round++) {
      const members = await this.members();
      if (members.length === 0) return;
      for (const pid of members) kill(pid);
      await sleep(5);
    }
  }

  /** What it has written, as of the last walk through its folders: they are dear, so pauses are long against them. */
  private async written(): Promise<number> {
    const now = performance.now();
    if (now < this.nextWalkAt) return this.writtenBytes;
    this.writtenBytes = (await bytesOf(this.places.home)) - this.bytesBefore;
    this.nextWalkAt = performance.now() + (performance.now() - now) * 10;
    return this.writtenBytes;
  }

  private signalGroup(): void {
    if (this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) {
      kill(-this.child.pid);
    }
  }

  /** Processes of its session, those that come from one that was seen, and those that carry its marker. */
  private async members(): Promise<number[]> {
    const pids = await listProcesses('/proc');
    const found = (await Promise.all(pids.map((pid) => readStat('/proc', pid)))).filter((each) => each !== undefined);
    const living = new Set(found.map(({ pid }) => pid));
    for (const pid of this.seen) if (!living.has(pid)) this.seen.delete(pid);
    for (const { pid, parent, session } of found) {
      if (pid === process.pid || this.seen.has(pid)) continue;
      const isOurs = session === this.child.pid || this.seen.has(parent);
      if (isOurs || (await this.isMarked(pid))) this.seen.add(pid);
    }
    return [...this.seen].filter((pid) => found.some((each) => each.pid === pid && !each.isZombie));
  }

  private async isMarked(pid: number): Promise<boolean> {
    const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    return variables.includes(`${MARKER}=${this.places.marker}`);
  }
}

function environment({ env = {}, path = [] }: SandboxCommand, places: RunPlaces): Record<string, string> {
  const { temporary, marker, translate } = places;
  const given = Object.entries(env).map(([name, value]) => [name, translate(value)] as const);
  return {
    HOME: join(temporary, 'home'),
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    PATH: [...path.map(translate), ...SYSTEM_PATH].join(':'),
    ...Object.fromEntries(given),
    [MARKER]: marker,
  };
}

async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) =>
      lstat(join(entry.parentPath, entry.name)).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

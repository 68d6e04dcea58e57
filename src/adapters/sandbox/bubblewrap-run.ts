import { spawn, type ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgramEnd, SandboxCommand } from '../../contracts/devtools.js';
import { processLimits, REPORT_BYTES, secondLine, type RunBound } from './bounds.js';
import { DESCRIPTORS, madeUpFiles, sandboxArguments, WORKSPACE } from './bubblewrap-arguments.js';
import { inheritedDescriptors } from './inherited.js';
import { kill } from './kill.js';
import { launchArguments } from './launch.js';
import { listProcesses, readStat, usageOf } from './process-figures.js';
import { scratchUsed } from './scratch.js';

const GRACE_MS = 1_000;
/**
 * The first process of the sandbox: runs the program, then ends what it left and hands over the report, marked as there
 * by its first byte. That it is process 1 is looked at before it kills all others: a host must never be hit.
 */
const FIRST_PROCESS = `report=$1; shift
"$@" 3>&-
code=$?
[ $$ = 1 ] && kill -9 -1 2>/dev/null
[ -f "$report" ] && { printf + >&3; head -c ${REPORT_BYTES} "$report" >&3; }
exit $code`;

export interface BubblewrapStart {
  /** The bubblewrap program. */
  program: string;
  command: SandboxCommand;
  bound: RunBound;
  seccomp: Buffer;
  /** Files and folders of the host that are not to be seen. */
  hidden: readonly string[];
}

/** One program in its sandbox. */
export class BubblewrapRun {
  /** What bubblewrap said about itself. */
  private status = '';
  private readonly reportChunks: Buffer[] = [];
  private settled = false;

  private constructor(
    readonly child: ChildProcess,
    private readonly start: BubblewrapStart,
  ) {
    this.readable(DESCRIPTORS.status).on('data', (chunk: Buffer) => (this.status += chunk.toString()));
    this.readable(DESCRIPTORS.report).on('data', (chunk: Buffer) => this.reportChunks.push(chunk));
    // Pipes break when bubblewrap ends before it has read them; that is told by its end.
    for (const stream of child.stdio) stream?.on('error', () => undefined);
    this.feed();
  }

  static async start(start: BubblewrapStart): Promise<BubblewrapRun> {
    const { program, command, bound } = start;
    const limits = ['prlimit', ...bound.rlimits, ...processLimits(command.limits), '--'];
    const bounded = [...secondLine(command.limits), ...command.argv];
    const first = [...limits, '/bin/sh', '-c', FIRST_PROCESS, 'sh', command.report ?? '', ...bounded];
    const bubblewrap = [program, '--args', String(DESCRIPTORS.arguments), '--', ...first];
    const inherited = await inheritedDescriptors();
    const child = spawn('/bin/sh', launchArguments(bubblewrap, bound.join, process.getuid?.() === 0), {
      cwd: '/',
      // None: it is process 1 in there, whose variables all can read.
      env: {},
      stdio: descriptors(inherited),
    });
    for (const descriptor of inherited) child.stdio[descriptor]?.destroy();
    return new BubblewrapRun(child, start);
  }

  /** Whether the program was started at all; else bubblewrap has said why not on standard error. */
  get began(): boolean {
    return this.status.includes('"exit-code"');
  }

  /** The report, if the program left one; cut at its bound. */
  get report(): string | undefined {
    const bytes = Buffer.concat(this.reportChunks);
    return bytes.length === 0 ? undefined : bytes.subarray(1, REPORT_BYTES + 1).toString('utf8');
  }

  /** What it has exceeded by now. */
  async look(): Promise<ProgramEnd | undefined> {
    const { bound, command } = this.start;
    const exceeded = await bound.exceeded();
    const inner = exceeded === undefined ? await this.settledPid() : undefined;
    if (inner === undefined) return exceeded;
    // The sandbox as it sees itself. Its program cannot put anything else in these places.
    const root = `/proc/${inner}/root`;
    const used = await scratchUsed(layersOf(command).map((layer) => root + layer));
    if (used >= command.limits.scratchBytes) return 'space';
    return bound.join.length > 0 ? undefined : this.lookAtProcesses(`${root}/proc`, used);
  }

  /** Ends process 1 of the sandbox, with which all others end; where there is none yet, bubblewrap itself. */
  async kill(): Promise<void> {
    const inner = await this.innerPid();
    if (inner === undefined) this.child.kill('SIGKILL');
    else kill(inner);
    // bubblewrap buries its child. Killed at once, it would leave that to whoever is process 1 here.
    for (let waited = 0; this.isRunning && waited < GRACE_MS; waited += 5) await sleep(5);
    if (this.isRunning) this.child.kill('SIGKILL');
  }

  private get isRunning(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private async lookAtProcesses(proc: string, scratch: number): Promise<ProgramEnd | undefined> {
    const { memoryBytes, processes } = this.start.command.limits;
    const usage = await usageOf(proc, await listProcesses(proc), memoryBytes);
    if (usage.memory + scratch > memoryBytes) return 'memory';
    return usage.processes > processes ? 'processes' : undefined;
  }

  /** Process 1 of the sandbox by its number here, while it is there. */
  private async innerPid(): Promise<number | undefined> {
    const pid = Number(/"child-pid": (\d+)/.exec(this.status)?.[1] ?? NaN);
    if (Number.isNaN(pid) || !this.isRunning) return undefined;
    // Its number may be somebody else's once bubblewrap has buried it.
    return (await readStat('/proc', pid))?.parent === this.child.pid ? pid : undefined;
  }

  /** The same, once bubblewrap has become our shell there: until then its files and processes are those of the host. */
  private async settledPid(): Promise<number | undefined> {
    const inner = await this.innerPid();
    if (inner === undefined || this.settled) return inner;
    const name = (await readStat('/proc', inner))?.name;
    this.settled = name !== undefined && name !== basename(this.start.program).slice(0, 15);
    return this.settled ? inner : undefined;
  }

  private feed(): void {
    const { command, seccomp, hidden } = this.start;
    const files = madeUpFiles(process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    this.give(DESCRIPTORS.arguments, `${sandboxArguments(command, hidden).join('\0')}\0`);
    this.give(DESCRIPTORS.seccomp, seccomp);
    for (const name of ['passwd', 'group', 'hosts', 'nss'] as const) this.give(DESCRIPTORS[name], files[name]);
    // Never the host's /dev/null: who runs as its owner could change its mode through the descriptor.
    this.give(0, command.stdin ?? '');
  }

  private give(descriptor: number, content: string | Buffer): void {
    (this.child.stdio[descriptor] as Writable | null)?.end(content);
  }

  private readable(descriptor: number): Readable {
    return this.child.stdio[descriptor] as Readable;
  }
}

/** Where a program writes. Read-only, the workspace is a part of the host's file system. */
function layersOf({ readOnly, mounts = [] }: SandboxCommand): string[] {
  const own = mounts.filter(({ writable }) => writable).map(({ target }) => target);
  return [...(readOnly ? [] : [WORKSPACE]), '/tmp', '/dev/shm', ...own];
}

/** Pipes for what we give and take; and in the place of each descriptor that would be inherited, a pipe to nothing. */
function descriptors(inherited: readonly number[]): ('pipe' | 'ignore')[] {
  const last = Math.max(...Object.values(DESCRIPTORS), ...inherited);
  return Array.from({ length: last + 1 }, (_, number) =>
    number <= DESCRIPTORS.nss || inherited.includes(number) ? 'pipe' : 'ignore',
  );
}

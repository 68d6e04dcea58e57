import { existsSync } from 'node:fs';
import type { SandboxCommand } from '../../contracts/devtools.js';
import type { BoundsKind } from './description.js';

/** What a run may use, sizes in bytes. */
export type RunLimits = SandboxCommand['limits'];

/** What of a bound the kernel says that a run has met. */
export type Exceeded = 'memory' | 'processes';

/** Memory and processes of one run, held by the kernel. */
export interface RunBound {
  /** Files of the host into each of which a process writes `0` to be counted. */
  readonly join: readonly string[];
  /** Options for prlimit. */
  readonly rlimits: readonly string[];
  /** What was exceeded, as far as the kernel tells. */
  exceeded(): Promise<Exceeded | undefined>;
  /** Kills what is left and takes the bound away. */
  close(): Promise<void>;
}

/** A way to bound runs. */
export interface Bounds {
  readonly kind: BoundsKind;
  /** Why there is nothing better. */
  readonly reason?: string;
  open(limits: RunLimits): Promise<RunBound>;
}

/** Processes of the sandbox itself that are counted with those of the program: bubblewrap twice, a shell, `timeout`. */
export const OWN_PROCESSES = 5;

/** So much of a report is handed over. */
export const REPORT_BYTES = 16 * 1_024 * 1_024;

const OPEN_FILES = 4_096;

/** Processor time of one process: that of two cores for the whole run, and enough for one that is short. */
const CPU_FACTOR = 2;
const LEAST_CPU_S = 10;

/** Limits for each process by itself, which are always set. */
export function processLimits({ scratchBytes, timeoutMs }: RunLimits): string[] {
  const seconds = Math.max(LEAST_CPU_S, Math.ceil((timeoutMs / 1_000) * CPU_FACTOR));
  return [`--fsize=${scratchBytes}`, `--nofile=${OPEN_FILES}`, `--cpu=${seconds}`, '--core=0'];
}

/** So much later than we do a program of the host ends a run: we may be busy. */
const SECOND_LINE_MS = 2_000;
const TIMEOUT_PLACES = ['/usr/bin/timeout', '/bin/timeout'];
/** How `timeout` ends when its time is over, and when the program did not heed its first signal. */
const TIMEOUT_CODES = [124, 137];

/** What to put before a program so that it ends also where this process is too busy to end it; nothing if it is not there. */
export function secondLine({ timeoutMs }: RunLimits): string[] {
  const program = TIMEOUT_PLACES.find((path) => existsSync(path));
  return program === undefined ? [] : [program, '-k', '1', String(Math.ceil((timeoutMs + SECOND_LINE_MS) / 1_000))];
}

/** Whether it was the second line that ended a program. */
export function secondLineEnded({ timeoutMs }: RunLimits, code: number | null, ms: number): boolean {
  return ms > timeoutMs + SECOND_LINE_MS && (code === null || TIMEOUT_CODES.includes(code));
}

/**
 * Of one process, with what it has only reserved: stacks of threads, heaps of engines. The watch looks at what is used;
 * this keeps a single process from taking the whole machine between two looks.
 */
const addressSpace = ({ memoryBytes }: RunLimits): number => memoryBytes * 2 + 512 * 1_024 * 1_024;

/** Bounds by the limits of a user's processes. They hold nobody who is root. */
export class RlimitBounds implements Bounds {
  readonly kind = 'rlimits';

  /**
   * @param countsAlone whether a run has a user name space of its own: without one the kernel counts all processes of our
   *   user, ours too, and a bound for the run could not be told from one for us
   */
  constructor(
    readonly reason: string,
    private readonly countsAlone: boolean,
  ) {}

  async open(limits: RunLimits): Promise<RunBound> {
    return {
      join: [],
      rlimits: [
        ...(this.countsAlone ? [`--nproc=${limits.processes + OWN_PROCESSES}`] : []),
        `--data=${addressSpace(limits)}`,
      ],
      // What meets such a limit is told so itself, and nobody else.
      exceeded: async () => undefined,
      close: async () => undefined,
    };
  }
}

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

/** Processes of the sandbox itself that are counted with those of the program: bubblewrap twice, a shell. */
export const OWN_PROCESSES = 4;

/** So much of a report is handed over. */
export const REPORT_BYTES = 16 * 1_024 * 1_024;

const OPEN_FILES = 4_096;

/** Limits for each process by itself, which are always set. */
export function fileLimits({ scratchBytes }: RunLimits): string[] {
  return [`--fsize=${scratchBytes}`, `--nofile=${OPEN_FILES}`, '--core=0'];
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

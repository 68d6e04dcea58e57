import type { SandboxCommand, SandboxEnd, ToolLimits, ToolOutput } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';

/** Where a tool works: a workspace, and a folder of it (relative, `/` between names, `.` for the workspace itself). */
export interface ToolPlace {
  /** Folder of the host. */
  workspace: string;
  folder: string;
}

/** One call of a tool: where, within which limits, and who hears what it prints. */
export interface ToolRun {
  place: ToolPlace;
  limits: ToolLimits;
  signal: AbortSignal;
  onOutput?: ((output: ToolOutput) => void) | undefined;
}

/** What a command of ours must say itself; the rest follows from the run. */
export type CommandParts = Omit<SandboxCommand, 'workspace' | 'folder' | 'limits'> & {
  /** How much of standard output is wanted, in bytes; absent: what an answer may hold. */
  outputBytes?: number;
  timeoutMs?: number;
};

/** A command for the sandbox at the place of a run, within its limits. */
export function commandOf(run: ToolRun, { outputBytes, timeoutMs, ...parts }: CommandParts): SandboxCommand {
  const { limits } = run;
  return {
    ...run.place,
    ...parts,
    limits: {
      outputBytes: outputBytes ?? limits.outputBytes,
      timeoutMs: Math.min(timeoutMs ?? limits.timeoutMs, limits.timeoutMs),
      memoryBytes: limits.memoryBytes,
      processes: limits.processes,
      scratchBytes: limits.scratchBytes,
    },
  };
}

const TOLD: Readonly<Record<'memory' | 'processes' | 'space' | 'output', string>> = {
  memory: 'more memory',
  processes: 'more processes',
  space: 'more space',
  output: 'more output',
};

/**
 * Makes sure that a short program was not stopped from outside.
 * @throws the signal's reason where the caller went away; AppError `TOOL_TIMEOUT`, or `TOOL_FAILED` for another limit
 */
export function requireOwnEnd(what: string, { endedBy }: SandboxEnd, signal: AbortSignal): void {
  if (endedBy === 'exit') return;
  if (endedBy === 'cancelled') signal.throwIfAborted();
  if (endedBy === 'timeout') throw new AppError('TOOL_TIMEOUT', `${what} did not end in time.`);
  const why = endedBy === 'cancelled' ? 'was stopped' : `needed ${TOLD[endedBy]} than it may have`;
  throw new AppError('TOOL_FAILED', `${what} ${why}.`);
}

/** The longest beginning of a text that fits a number of bytes in UTF-8. */
export function startOf(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const cut = Buffer.from(text).subarray(0, Math.max(0, bytes));
  return cut.toString('utf8').replace(/\uFFFD{1,3}$/, '');
}

/** The longest end of a text that fits a number of bytes in UTF-8. */
export function endOf(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const whole = Buffer.from(text);
  const cut = whole.subarray(whole.length - Math.max(0, bytes));
  return cut.toString('utf8').replace(/^\uFFFD{1,3}/, '');
}

/** A path below a folder, both relative to the workspace. */
export function below(folder: string, path: string): string {
  const inside = path.replace(/^(\.\/)+/, '');
  return folder === '.' || folder === '' ? inside : `${folder}/${inside}`;
}

import { stat } from 'node:fs/promises';
import type { SandboxCommand, SandboxEnd, ToolOutput } from '../../contracts/devtools.js';
import type { Bubblewrap } from '../supply/bubblewrap.js';
import type { Bounds } from './bounds.js';
import { mountProblem } from './bubblewrap-arguments.js';
import { BubblewrapRun } from './bubblewrap-run.js';
import type { DescribedSandbox, SandboxDescription } from './description.js';
import { unavailable } from './no-sandbox.js';
import { OutputKeeper } from './output-keeper.js';
import { seccompFilter, type Machine } from './seccomp.js';
import { sandboxEnd, supervise, type SupervisedEnd } from './supervise.js';

/** Runs programs by bubblewrap: without network, in a file system of their own, with nothing of ours in sight. */
export class BubblewrapSandbox implements DescribedSandbox {
  readonly kind = 'bubblewrap';
  private readonly seccomp: Buffer;

  /** @param hidden files and folders of the host that no program may see, though they lie below what is shown */
  constructor(
    private readonly program: Bubblewrap,
    private readonly bounds: Bounds,
    machine: Machine,
    private readonly hidden: readonly string[],
  ) {
    this.seccomp = seccompFilter(machine, bounds.kind === 'rlimits');
  }

  describe(): SandboxDescription {
    const { kind, bounds, program } = this;
    return {
      kind,
      bounds: bounds.kind,
      program: `bubblewrap ${program.version} (${program.origin})`,
      ...(bounds.reason === undefined ? {} : { reason: bounds.reason }),
    };
  }

  /** @throws AppError `SANDBOX_UNAVAILABLE` with what bubblewrap said */
  async run(
    command: SandboxCommand,
    signal: AbortSignal,
    onOutput?: (output: ToolOutput) => void,
  ): Promise<SandboxEnd> {
    await check(command);
    const startedAt = performance.now();
    const output = new OutputKeeper(command.limits.outputBytes, onOutput);
    if (signal.aborted) return sandboxEnd({ endedBy: 'cancelled', code: null }, output, undefined, startedAt);
    const bound = await this.bounds.open(command.limits).catch((error: unknown) => {
      throw unavailable(`no control group could be made (${String(error)}).`, error);
    });
    try {
      const { seccomp, hidden } = this;
      const run = await BubblewrapRun.start({ program: this.program.path, command, bound, seccomp, hidden });
      const end = await superviseRun(run, command, signal, output);
      if (end.endedBy === 'exit' && !run.began) throw unavailable(setUpProblem(output.output));
      return sandboxEnd(end, output, run.report, startedAt);
    } finally {
      await bound.close();
    }
  }
}

async function superviseRun(
  run: BubblewrapRun,
  { limits }: SandboxCommand,
  signal: AbortSignal,
  output: OutputKeeper,
): Promise<SupervisedEnd> {
  const look = (): ReturnType<BubblewrapRun['look']> => run.look();
  try {
    return await supervise({ child: run.child, limits, signal, output, look, kill: () => run.kill() });
  } catch (error) {
    throw unavailable(`bubblewrap could not be started (${String(error)}).`, error);
  }
}

/** What bubblewrap would misunderstand, or say in words that help nobody. */
async function check(command: SandboxCommand): Promise<void> {
  const { workspace, mounts = [], argv } = command;
  // Arguments are told apart by NUL: one inside of a text would begin another option.
  if (/\0|\\u0000/.test(JSON.stringify(command))) throw unavailable('no text of a command may hold the character NUL.');
  const problem = mounts.map(mountProblem).find((found) => found !== undefined);
  if (problem !== undefined) throw unavailable(`${problem}.`);
  if (argv.length === 0) throw unavailable('there is no program to run.');
  const found = await stat(workspace).catch(() => undefined);
  if (!found?.isDirectory()) throw unavailable(`the workspace ${workspace} is no folder.`);
}

function setUpProblem(output: string): string {
  const line = output.trim().split('\n').at(-1) ?? '';
  return `bubblewrap could not set up the sandbox (${line || 'it said nothing'}).`;
}

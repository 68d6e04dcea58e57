import type { Sandbox, SandboxCommand, SandboxEnd, ToolLimits, ToolOutput } from '../../src/contracts/devtools.js';

export const LIMITS: ToolLimits = {
  fileBytes: 1_000_000,
  outputBytes: 100_000,
  timeoutMs: 60_000,
  memoryBytes: 1_000_000_000,
  processes: 100,
  scratchBytes: 100_000_000,
};

/** What a program does in place of running: how it ends, and what it prints before. */
type Script = (command: SandboxCommand, signal: AbortSignal) => Partial<SandboxEnd> | Promise<Partial<SandboxEnd>>;

/** A sandbox that runs nothing: each program must have been prepared, in order. */
export class FakeSandbox implements Sandbox {
  readonly kind = 'bubblewrap';
  readonly commands: SandboxCommand[] = [];
  private readonly scripts: Script[] = [];

  /** Prepares the next program. */
  next(script: Script | Partial<SandboxEnd>): this {
    this.scripts.push(typeof script === 'function' ? script : () => script);
    return this;
  }

  async run(
    command: SandboxCommand,
    signal: AbortSignal,
    onOutput?: (output: ToolOutput) => void,
  ): Promise<SandboxEnd> {
    const script = this.scripts.shift();
    if (!script) throw new Error(`nobody prepared ${command.argv.join(' ')}`);
    this.commands.push(command);
    const end = await script(command, signal);
    const stdout = end.stdout ?? '';
    if (stdout !== '') onOutput?.({ stream: 'stdout', text: stdout });
    const endedBy = signal.aborted ? 'cancelled' : 'exit';
    return { endedBy, code: 0, output: stdout, stdout, stdoutTruncated: false, ms: 5, ...end };
  }

  /** Programs that were prepared and not run. */
  get left(): number {
    return this.scripts.length;
  }
}

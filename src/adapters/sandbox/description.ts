import type { Sandbox, SandboxKind } from '../../contracts/devtools.js';

/** By what memory and processes of a run are bounded. */
export type BoundsKind = 'cgroup v1' | 'cgroup v2' | 'rlimits';

/** What a sandbox is, for `dagi doctor` and the start. */
export interface SandboxDescription {
  kind: SandboxKind;
  /** Absent where no program is run. */
  bounds?: BoundsKind;
  /** Program that makes the sandbox, with its version. */
  program?: string;
  /** Where programs are refused, or held less well than they could be: why, and the remedy. */
  reason?: string;
}

/** A sandbox that can say what it is. */
export interface DescribedSandbox extends Sandbox {
  describe(): SandboxDescription;
}

/** The same sandbox, which also tells what it cannot do. */
export function withRemark(sandbox: DescribedSandbox, remark: string): DescribedSandbox {
  const { reason, ...rest } = sandbox.describe();
  const description = { ...rest, reason: reason === undefined ? remark : `${reason} ${remark}` };
  return { kind: sandbox.kind, run: sandbox.run.bind(sandbox), describe: () => description };
}

/** A run of a crew as it is recorded: its tasks, steps and gates. */
import type { ToolCall } from './chat.js';
import type { GateKind, GateState, TaskState } from './crew.js';
import type { Usage } from './request.js';

/** How one task of a run stands. */
export interface TaskProgress {
  state: TaskState;
  /** From one; another one begins when people send the task back. */
  round: number;
  /** From one, in each round. */
  attempt: number;
  /** The output that counts; null: there is none. */
  output: Record<string, unknown> | null;
  /** Why it failed, or failed last. */
  problem: string | null;
  /** What people, or a manager, want to have minded, oldest first. */
  notes: readonly string[];
  /** The output that was sent back, if it was. */
  returned: Record<string, unknown> | null;
}

/** A step of a run as it is recorded: a turn of a model, or a use of a tool. */
export interface StepView {
  /** What it is, within its run: never a running number. */
  key: string;
  kind: 'model' | 'tool';
  state: 'open' | 'done' | 'failed';
  /** Of a turn: what the model said. */
  text: string;
  toolCalls: readonly ToolCall[];
  /** Whether the answer was as long as it may be. */
  isCut: boolean;
  /** Of a use of a tool: what it gave. */
  result: unknown;
  failure: StepFailure | null;
  usage: Usage | null;
  /** Work, in milliseconds. */
  ms: number;
  endedAt: Date | null;
}

export interface StepFailure {
  code: string;
  reason: string;
  retryAfterMs?: number;
}

/** A gate of a run, as far as the run goes on by it. */
export interface GateView {
  id: string;
  kind: GateKind;
  state: GateState;
  /** Null: of the whole run. */
  task: string | null;
  /** Of a question: the answer. Of one that was sent back or rejected: why. */
  comment: string | null;
  /** Of an approval: the output as the people changed it. */
  output: Record<string, unknown> | null;
  remindAt: Date;
  expiresAt: Date;
  reminded: boolean;
}

/** A person who is to be asked. */
export interface GateOrder {
  id: string;
  kind: GateKind;
  task: string | null;
  ask: string;
  /** What the people see: an output, the use of a tool, a question, a limit. */
  shown: Readonly<Record<string, unknown>>;
  roles: readonly string[];
  count: number;
  self: boolean;
  remindAfterS: number;
  expiresAfterS: number;
}

/** Who may decide at a gate. */
export interface GateRules {
  /** Roles whose members decide. A question is answered by whoever started the run, too. */
  roles: readonly string[];
  /** How many must approve. */
  count: number;
  /** Whether whoever started the run, or is its subject, may approve. */
  self: boolean;
}

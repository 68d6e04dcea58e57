import type { ToolCall } from '../../contracts/chat.js';
import type { AgentTool, CrewData, CrewDefinition, GateKind, GateState, TaskState } from '../../contracts/crew.js';
import type { Usage } from '../../contracts/request.js';
import type { TaskPrompt } from './prompt.js';
import type { TurnForm, TurnWay } from './turn-way.js';

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

/** Everything about a run on which depends what is next. */
export interface CrewRun {
  definition: CrewDefinition;
  inputs: Readonly<Record<string, unknown>>;
  tasks: Readonly<Record<string, TaskProgress>>;
  steps: ReadonlyMap<string, StepView>;
  gates: ReadonlyMap<string, GateView>;
  /** How often the manager has decided. */
  handoffs: number;
}

/** Where an agent's turns go, found out anew each time. */
export type AgentRoute =
  | { way: TurnWay; maxChars: number; maxTokens: number; priced: boolean }
  /** Nobody may be asked for it. */
  | { refused: string };

/** A step that is to be done. */
export type StepOrder =
  | {
      kind: 'model';
      key: string;
      task: string;
      agent: string;
      /** What operators read. */
      label: string;
      form: TurnForm;
      way: TurnWay;
      /** The first turn says all itself; a later one goes on behind an earlier one. */
      says:
        | { prompt: Omit<TaskPrompt, 'mark'> }
        | { after: string; text: string; toolCalls: readonly ToolCall[]; follow: FollowUp };
    }
  | {
      kind: 'tool';
      key: string;
      task: string;
      agent: string;
      label: string;
      tool: AgentTool;
      params: Record<string, unknown>;
    };

/** What a model is told behind its own turn. */
export type FollowUp =
  | { problems: readonly string[] }
  | { outcomes: readonly { id: string; tool: string; result: unknown }[]; maxChars: number };

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

/** What is next of a run. */
export interface Advance {
  /** Tasks that stand otherwise than before. */
  tasks: Record<string, TaskProgress>;
  steps: StepOrder[];
  gates: GateOrder[];
  /** How often the manager has decided. */
  handoffs: number;
  /** When to look again at the latest, if nothing happens; null: only if something happens. */
  lookAt: Date | null;
  /** How it ends, if it does. */
  final: RunFinal | null;
}

export type RunFinal =
  | { status: 'completed'; data: CrewData; missing: string[] }
  | { status: 'failed'; code: 'CREW_FAILED' | 'CREW_REJECTED' | 'CREW_STOPPED'; task: string | null; reason: string };

import type { ErrorObject } from './bodies.js';
import type { ModelCall, ToolCall } from './chat.js';
import type { CrewData, CrewDefinition, GateDecision, GateKind, GateState, RunState, TaskState } from './crew.js';
import type { GateRules } from './crew-run.js';
import type { Attempt, RequestStatus, Usage } from './request.js';

/** A run as those see it who may. */
export interface SeenRun {
  run_id: string;
  dao_id: string;
  crew: string;
  version: string;
  /** What it did and does, as its crew said when it began. */
  definition: CrewDefinition;
  status: RequestStatus;
  state: RunState;
  /** The id of a platform, or of a key. */
  started_by: string;
  /** The same as a member; null: they are none. */
  starter: string | null;
  subject: string | null;
  inputs: Record<string, unknown>;
  base_run: string | null;
  started_at: Date;
  ended_at: Date | null;
  tasks: SeenTask[];
  steps: SeenStep[];
  gates: SeenGate[];
  spent: { tokens: number; cost_usd: number | null; ms: number };
  result: CrewData | null;
  error: ErrorObject | null;
}

export interface SeenTask {
  task: string;
  agent: string;
  state: TaskState;
  round: number;
  attempt: number;
  output: Record<string, unknown> | null;
  problem: string | null;
  notes: string[];
  reused_from: string | null;
  began_at: Date | null;
  ended_at: Date | null;
}

export interface SeenStep {
  id: string;
  step: string;
  task: string;
  agent: string;
  kind: 'model' | 'tool';
  label: string;
  status: RequestStatus;
  /** What the model was asked, or the tool. */
  input: ModelCall | { tool: string; params: Record<string, unknown> } | null;
  /** What the model said, or the tool gave. */
  output: { text: string; tool_calls?: ToolCall[] } | { result: unknown } | null;
  provider: string | null;
  usage: Usage | null;
  attempts: Attempt[];
  ms: number;
  error: ErrorObject | null;
  started_at: Date;
  ended_at: Date | null;
}

export interface SeenGate {
  id: string;
  kind: GateKind;
  task: string | null;
  state: GateState;
  ask: string;
  shown: Record<string, unknown>;
  rules: GateRules;
  revision: number;
  asked_at: Date;
  remind_at: Date;
  /** When they were reminded; null: not yet, or not at all. */
  reminded_at: Date | null;
  expires_at: Date;
  decided_at: Date | null;
  decisions: { by: string; decision: GateDecision['decision']; comment: string | null; revision: number; at: Date }[];
  /** Whether whoever looks may decide it now. */
  may_decide?: boolean;
  /** Where it is shown without its run. */
  run_id?: string;
  crew?: string;
}

/** A run in a list. */
export interface RunSummary {
  run_id: string;
  crew: string;
  version: string;
  status: RequestStatus;
  started_by: string;
  subject: string | null;
  started_at: Date;
  ended_at: Date | null;
  open_gates: number;
}

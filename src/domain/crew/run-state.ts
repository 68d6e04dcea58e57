import type { Capability, ToolCall } from '../../contracts/chat.js';
import type { AgentTool, CrewData, CrewDefinition } from '../../contracts/crew.js';
import type { GateOrder, GateView, StepView, TaskProgress } from '../../contracts/crew-run.js';
import type { TaskPrompt } from './prompt.js';
import type { TurnForm, TurnWay } from './turn-way.js';

/** Everything about a run on which depends what is next. */
export interface CrewRun {
  definition: CrewDefinition;
  inputs: Readonly<Record<string, unknown>>;
  /** Whom it is about. */
  subject: string | null;
  tasks: Readonly<Record<string, TaskProgress>>;
  steps: ReadonlyMap<string, StepView>;
  gates: ReadonlyMap<string, GateView>;
  /** How often the manager has decided. */
  handoffs: number;
  /** What turns used that gave no answer. */
  lost: { tokens: number; usd: number };
}

/** Where an agent's turns go, found out anew each time. */
export type AgentRoute =
  | { capabilities: readonly Capability[]; maxChars: number; maxTokens: number; priced: boolean }
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
      /** How many answers at this work did not fit; absent: none. */
      misses?: number;
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

import type { TaskState } from './crew.js';
import type { Decision, GenerateResult } from './request.js';

/** A step of a run, as its workflow is told of it. */
export interface StepInput {
  /** Id of the step's request. */
  requestId: string;
  kind: 'model' | 'tool' | 'dao';
  /** What operators read. */
  label: string;
  deadlineAt: number;
  decision: Decision;
}

export interface AdvanceCrewInput {
  runId: string;
  daoId: string;
}

/** What the workflow of a run does next. */
export interface AdvancedCrew {
  /** Steps that are open, begun or not. */
  steps: StepInput[];
  /** How long until it asks again, if nothing happens, in milliseconds; null: until something does. */
  waitMs: number | null;
  /** How it has ended; null: it has not. */
  ended: 'completed' | 'failed' | 'cancelled' | null;
  /** What it waits for, for operators. */
  waitsFor: 'approval' | 'question' | 'limit' | null;
  /** Tokens so far. */
  tokens: number;
}

/** What comes of a call to a model: of a turn of a run with what is next of it, where that was found out at once. */
export type Turned = GenerateResult & { next?: AdvancedCrew };

/** Who works on what, for those who follow a run. */
export interface CrewProgress {
  task: string;
  agent: string;
  state: TaskState;
  /** Of the run, so far. */
  tokens: number;
  /** What the run waits for of people, while nobody works; null: it goes on by itself. */
  waits_for: AdvancedCrew['waitsFor'];
}

/** How much a turn that is under way has written, for those who follow a run. */
export interface TurnProgress {
  task: string;
  /** Written in this turn so far: an estimate. */
  tokens: number;
}

/** Input of the workflow `crewRun`. */
export interface CrewRunInput {
  version: 1;
  runId: string;
  daoId: string;
  actor: string;
  crew: string;
}

import type { Decision, DecisionInputs } from './request.js';

/** A request as it was decided once: allowed with a decision, or refused with a code. */
export interface RecordedDecision {
  id: string;
  daoId: string;
  at: Date;
  inputs: DecisionInputs;
  was: { allowed: true; decision: Decision } | { allowed: false; code: string };
}

/** What providers have cost so far, from recorded requests. */
export interface ProviderFigures {
  provider: string;
  calls: number;
  p50Ms: number;
  /** Means of an answer. */
  promptTokens: number;
  completionTokens: number;
}

/** How many requests would take another way, and which. Ways are chains of providers, or `refused CODE`. */
export interface WhatIfGroup {
  from: string;
  to: string;
  rule: { from: string | null; to: string | null };
  requests: number;
  /** Some of them, newest first. */
  examples: string[];
  /** By the recorded figures of the first provider of each way; null where none are recorded. */
  expected: { from: Expected | null; to: Expected | null };
}

export interface Expected {
  p50_ms: number;
  /** Null where the profile names no price. */
  cost_usd: number | null;
}

/** What another table would have decided about recorded requests. */
export interface WhatIfReport {
  hash: string;
  requests: number;
  unchanged: number;
  changed: number;
  /** Denials that would become allowances, and the reverse. */
  newly_allowed: number;
  newly_denied: number;
  /** Not decided again: the prompt was erased and a rule looks at prompts. */
  undecidable: number;
  /** Largest first. */
  groups: WhatIfGroup[];
  took_ms: number;
}

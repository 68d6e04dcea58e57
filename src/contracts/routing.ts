import type { CachePolicy, KnownQuestion, ProviderPolicy } from './request.js';

export type Scalar = string | number | boolean;

/**
 * What a request must be like, compiled from the `conditions` of a profile. Plain data: it is hashed, recorded with the
 * table, sent by `dagi whatif` and evaluated by one function, `src/domain/conditions.ts`.
 */
export type Condition =
  | { kind: 'all'; of: readonly Condition[] }
  | { kind: 'any'; of: readonly Condition[] }
  | { kind: 'not'; of: Condition }
  /** `mode`, `agent`, `source`, `dao_id`, `role` (any of the actor's), or a key of metadata: equal to one of the values. */
  | { kind: 'equals'; key: string; values: readonly Scalar[] }
  | { kind: 'metadata_has'; keys: readonly string[] }
  /** RE2 syntax, found anywhere in the first `PROMPT_HEAD` UTF-16 units of the prompt. */
  | { kind: 'prompt_matches'; pattern: string }
  /** Unicode code points, both ends included. */
  | { kind: 'prompt_length'; min?: number; max?: number }
  /** Resolved when the profile was loaded: whether the variable was set. */
  | { kind: 'api_key_available'; variable: string; available: boolean };

/** As much of a prompt as rules can look at, in UTF-16 units. */
export const PROMPT_HEAD = 16_384;

/**
 * Most instructions that one pattern may compile to, and all patterns of a profile together. A search takes time in
 * proportion to them: with so many at most about a third of a second a pattern, whatever the prompt
 * (docs/configuration.md). The patterns of `base.yml` have up to 283.
 */
export const LARGEST_PATTERN = 300;
export const MOST_INSTRUCTIONS = 10_000;

/** Where a rule takes its first providers from. */
export type ProviderChoice =
  | { kind: 'chain'; providers: readonly string[] }
  /** The provider that the request's metadata name under `key`; a rule whose list has no such name does not match. */
  | { kind: 'metadata'; key: string; allow: readonly string[] };

/** One routing rule, ready to be matched. */
export interface RoutingRule {
  name: string;
  /** The lower one wins. Rules of a table come sorted, those of one priority as in the file. */
  priority: number;
  condition: Condition;
  use: ProviderChoice;
  /** Providers to try after the first ones, in order. Known names only. */
  fallbacks: readonly string[];
  /** Cap on each call that this rule leads to, in milliseconds. */
  timeoutMs?: number;
  cache?: CachePolicy;
}

/** How a question is recognised that can be answered without a model. */
export interface KnownAnswer {
  question: KnownQuestion;
  condition: Condition;
}

/** Everything that routing depends on. Immutable; its hash names it in every decision. */
export interface RoutingTable {
  rules: readonly RoutingRule[];
  /** Where no rule matches; absent: such a request is refused with 422. */
  defaultRule?: RoutingRule;
  answers: readonly KnownAnswer[];
  providers: Readonly<Record<string, ProviderPolicy>>;
  requestTimeoutMs: number;
  /** Shares of DAOs in a pool; a DAO that is not listed has weight 1. */
  weights: Readonly<Record<string, number>>;
  hash: string;
}

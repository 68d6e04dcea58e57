import type { ProviderPolicy } from './request.js';

/** Value that a condition compares with: equality, or one of a list. */
export type ConditionValue = string | number | boolean | readonly (string | number | boolean)[];

/** One routing rule, ready to be matched. All of its conditions must hold. */
export interface RoutingRule {
  name: string;
  priority: number;
  conditions: Readonly<Record<string, ConditionValue>>;
  /** Providers to try, in order. */
  chain: readonly string[];
  /** Cap on each call that this rule leads to, in milliseconds. */
  timeoutMs?: number;
}

/** Everything that routing depends on. Immutable; its hash names it in every decision. */
export interface RoutingTable {
  rules: readonly RoutingRule[];
  providers: Readonly<Record<string, ProviderPolicy>>;
  requestTimeoutMs: number;
  hash: string;
}

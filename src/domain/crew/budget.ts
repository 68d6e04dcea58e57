import type { BudgetDefinition, Spending } from '../../contracts/crew.js';
import { NO_USAGE, type Usage } from '../../contracts/request.js';
import { sumUsd } from '../cost.js';

const MS_PER_SECOND = 1_000;

/** A limit that was reached: a run pauses at it until a person lets it go on. */
export interface ReachedLimit {
  limit: keyof BudgetDefinition;
  /** In the unit of the limit. */
  used: number;
  allowed: number;
}

export const NO_SPENDING: Spending = { usage: NO_USAGE, ms: 0, modelCalls: 0, toolCalls: 0 };

/** A sum of two counts; absent if neither is there. */
const sumOf = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);

/** What was used in all. A part that was estimated makes the sum an estimate. */
export function addUsage(a: Usage, b: Usage): Usage {
  const cached_tokens = sumOf(a.cached_tokens, b.cached_tokens);
  const reasoning_tokens = sumOf(a.reasoning_tokens, b.reasoning_tokens);
  const costs = [a.cost_usd, b.cost_usd].filter((cost) => cost !== undefined);
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
    ...([a.estimated, b.estimated].includes(true) && { estimated: true }),
    ...(cached_tokens !== undefined && { cached_tokens }),
    ...(reasoning_tokens !== undefined && { reasoning_tokens }),
    ...(costs.length > 0 && { cost_usd: sumUsd(costs) }),
  };
}

/**
 * What a run has used in all.
 * @param lost what turns used that gave no answer
 */
export function usageOfRun(steps: readonly (Usage | null)[], lost: { tokens: number; usd: number }): Usage {
  const sum = steps.reduce<Usage>((all, usage) => (usage ? addUsage(all, usage) : all), NO_USAGE);
  if (lost.tokens === 0 && lost.usd === 0) return sum;
  const none = { prompt_tokens: lost.tokens, completion_tokens: 0, total_tokens: lost.tokens, estimated: true };
  return addUsage(sum, lost.usd === 0 ? none : { ...none, cost_usd: lost.usd });
}

/** What several parts of the work have used together. */
export const totalSpending = (parts: readonly Spending[]): Spending =>
  parts.reduce(
    (sum, part) => ({
      usage: addUsage(sum.usage, part.usage),
      ms: sum.ms + part.ms,
      modelCalls: sum.modelCalls + part.modelCalls,
      toolCalls: sum.toolCalls + part.toolCalls,
    }),
    NO_SPENDING,
  );

/** How often a person has let a run go on with as much again, by limit. */
export type Extensions = Readonly<Partial<Record<ReachedLimit['limit'], number>>>;

function reached(
  limit: ReachedLimit['limit'],
  [base, used]: readonly [number | undefined, number],
  extensions: Extensions,
): ReachedLimit[] {
  if (base === undefined) return [];
  const allowed = base * (1 + (extensions[limit] ?? 0));
  return used >= allowed ? [{ limit, used, allowed }] : [];
}

/** The first limit of a run that is used up, looked at before more is spent; undefined: it may go on. */
export function reachedLimit(
  { tokens, cost_usd, time_s }: BudgetDefinition,
  { usage, ms }: Pick<Spending, 'usage' | 'ms'>,
  extensions: Extensions = {},
): ReachedLimit | undefined {
  return [
    ...reached('tokens', [tokens, usage.total_tokens], extensions),
    ...reached('cost_usd', [cost_usd, usage.cost_usd ?? 0], extensions),
    ...reached('time_s', [time_s, ms / MS_PER_SECOND], extensions),
  ][0];
}

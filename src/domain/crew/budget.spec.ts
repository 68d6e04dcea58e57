import { describe, expect, it } from '@jest/globals';
import { aSpending } from '../../../test/factories/crew.js';
import { NO_USAGE } from '../../contracts/request.js';
import { addUsage, NO_SPENDING, reachedLimit, totalSpending, usageOfRun } from './budget.js';

const usage = (tokens: number, more = {}) => ({ ...aSpending(tokens).usage, ...more });

describe(addUsage.name, () => {
  it('should add what is there, and leave out what is not', () => {
    expect(addUsage(usage(10), usage(5))).toEqual({ prompt_tokens: 13, completion_tokens: 2, total_tokens: 15 });
    expect(
      addUsage(
        usage(10, { cost_usd: 0.1, cached_tokens: 3 }),
        usage(5, { cost_usd: 0.2, estimated: true, reasoning_tokens: 1 }),
      ),
    ).toEqual({
      ...usage(15, { prompt_tokens: 13, completion_tokens: 2 }),
      cost_usd: 0.3,
      cached_tokens: 3,
      reasoning_tokens: 1,
      estimated: true,
    });
    expect(addUsage(NO_USAGE, usage(5, { cost_usd: 0 }))).toMatchObject({ cost_usd: 0 });
  });
});

describe(usageOfRun.name, () => {
  it('should be what steps used, with what was lost', () => {
    const steps = [usage(10, { cost_usd: 0.1 }), null, usage(5, { cost_usd: 0.2 })];
    expect(usageOfRun(steps, { tokens: 0, usd: 0 })).toEqual({
      ...usage(15, { prompt_tokens: 13, completion_tokens: 2 }),
      cost_usd: 0.3,
    });
    expect(usageOfRun(steps, { tokens: 7, usd: 0.3 })).toMatchObject({
      total_tokens: 22,
      cost_usd: 0.6,
      estimated: true,
    });
    expect(usageOfRun([], { tokens: 7, usd: 0 })).not.toHaveProperty('cost_usd');
  });
});

describe(totalSpending.name, () => {
  it('should be nothing of nothing', () => expect(totalSpending([])).toEqual(NO_SPENDING));

  it('should add up all parts', () =>
    expect(totalSpending([aSpending(10), aSpending(5, { ms: 50, toolCalls: 2 })])).toMatchObject({
      ...{ ms: 150, modelCalls: 2, toolCalls: 2, usage: { total_tokens: 15 } },
    }));
});

describe(reachedLimit.name, () => {
  const spent = aSpending(100, { ms: 5_000, usage: usage(100, { cost_usd: 0.5 }) });

  it.each([
    [{}, undefined],
    [{ tokens: 101, cost_usd: 0.51, time_s: 5.1 }, undefined],
    [{ tokens: 100 }, { limit: 'tokens', used: 100, allowed: 100 }],
    [{ cost_usd: 0.4 }, { limit: 'cost_usd', used: 0.5, allowed: 0.4 }],
    [{ time_s: 5 }, { limit: 'time_s', used: 5, allowed: 5 }],
    [
      { tokens: 1_000, time_s: 1 },
      { limit: 'time_s', used: 5, allowed: 1 },
    ],
  ])('should hold spending against %j', (budget, limit) => expect(reachedLimit(budget, spent)).toEqual(limit));

  it('should allow as much again as often as it was granted', () => {
    expect(reachedLimit({ tokens: 60 }, spent, { tokens: 1 })).toBeUndefined();
    expect(reachedLimit({ tokens: 50 }, spent, { tokens: 1, time_s: 9 })).toEqual({
      limit: 'tokens',
      used: 100,
      allowed: 100,
    });
  });

  it('should cost nothing where no price is known', () =>
    expect(reachedLimit({ cost_usd: 1 }, aSpending())).toBeUndefined());
});

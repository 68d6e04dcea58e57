import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { costOf, estimatedUsage, type Sent, sumUsd } from './cost.js';

const tokens = fc.integer({ min: 0, max: 10_000_000 });
/** Prices as people write them: up to four decimals. */
const price = fc.integer({ min: 0, max: 2_000_000 }).map((units) => units / 10_000);

describe(costOf.name, () => {
  it.each([
    [1_000_000, 0, 0.27, 1.1, 0.27],
    [0, 1_000_000, 0.27, 1.1, 1.1],
    [12, 8, 0.27, 1.1, 0.00001204],
    [3, 3, 0.1, 0.2, 0.0000009],
    [1, 0, 0.001, 0, 0],
    [5, 0, 0.001, 0, 0.00000001],
    [100, 100, 0, 0, 0],
  ])('takes %d and %d tokens at %d and %d dollars a million for %d dollars', (prompt, completion, pp, pc, expected) => {
    const usage = { prompt_tokens: prompt, completion_tokens: completion };
    expect(costOf(usage, { prompt: pp, completion: pc })).toBe(expected);
  });

  it('is what whole numbers give, rounded to 1e-8', () => {
    fc.assert(
      fc.property(tokens, tokens, price, price, (prompt, completion, promptPrice, completionPrice) => {
        const inUnits = (usd: number): bigint => BigInt(Math.round(usd * 10_000));
        // Units of 1e-10 dollars: a price of 1e-4 dollars a million tokens is one of them a token.
        const exact = BigInt(prompt) * inUnits(promptPrice) + BigInt(completion) * inUnits(completionPrice);
        const rounded = Number((exact + 50n) / 100n) / 1e8;
        const cost = costOf(
          { prompt_tokens: prompt, completion_tokens: completion },
          { prompt: promptPrice, completion: completionPrice },
        );
        // Halves may fall to either side: their products are not binary fractions.
        if (exact % 100n === 50n) expect(Math.abs(cost - rounded)).toBeLessThanOrEqual(1.01e-8);
        else expect(cost).toBe(rounded);
      }),
    );
  });
});

const aSchema = { type: 'json_schema', name: 'n', schema: { title: 'x'.repeat(300) } } as const;
const aToolCall = { id: 'c', name: 'vote', arguments: 'x'.repeat(300) };

describe(estimatedUsage.name, () => {
  it('is three bytes of UTF-8 a token, of all that was sent and of the text that came', () => {
    const sent = [
      { role: 'user' as const, content: 'abcd' },
      { role: 'user' as const, content: 'їжа' },
    ];
    expect(estimatedUsage({ messages: sent }, 'seven')).toEqual({
      prompt_tokens: 4,
      completion_tokens: 2,
      total_tokens: 6,
      estimated: true,
    });
  });

  it.each([
    ['tools', { options: { tools: [{ name: 'vote', description: 'x'.repeat(300) }] }, messages: [] }],
    ['the schema of the answer', { options: { responseFormat: aSchema }, messages: [] }],
    ['an image', { messages: [{ role: 'user', content: [{ type: 'image', url: 'data:image/png;base64,x' }] }] }],
    ['fields of a dialect', { options: { dialect: { prediction: 'x'.repeat(300) } }, messages: [] }],
    ['ids of calls', { messages: [{ role: 'tool', toolCallId: 'x'.repeat(300), content: '' }] }],
    ['names', { messages: [{ role: 'user', name: 'x'.repeat(300), content: '' }] }],
    ['earlier calls of tools', { messages: [{ role: 'assistant', content: null, toolCalls: [aToolCall] }] }],
  ] satisfies [string, Sent][])('counts %s', (_what, sent) => {
    expect(estimatedUsage(sent, '').prompt_tokens).toBeGreaterThanOrEqual(100);
  });
});

describe(sumUsd.name, () => {
  it('leaves no dust, whatever the order', () => {
    expect(sumUsd([0.1, 0.2])).toBe(0.3);
    expect(sumUsd([])).toBe(0);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e9 }), { maxLength: 200 }), (units) => {
        const total = units.reduce((sum, one) => sum + one, 0) / 1e8;
        const amounts = units.map((one) => one / 1e8);
        expect(sumUsd(amounts)).toBe(total);
        expect(sumUsd(amounts.toReversed())).toBe(total);
      }),
    );
  });
});

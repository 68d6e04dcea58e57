import { describe, expect, it } from '@jest/globals';
import { countedUsage, countTokens } from './usage-count.js';

describe('tokens of a text', () => {
  it.each([
    ['', 0],
    ['hello world', 2],
    ['Привіт, 🌻 world', 7],
    // The name of a special token is text like any other.
    ['<|endoftext|>', 7],
  ])('%j are %i', async (text, tokens) => {
    expect(await countTokens(text)).toBe(tokens);
  });

  it('are counted slice by slice, which costs a token a cut at most', async () => {
    expect(await countTokens('word '.repeat(4_000))).toBeGreaterThanOrEqual(4_000);
    expect(await countTokens('word '.repeat(4_000))).toBeLessThanOrEqual(4_050);
  });

  it('of a very long text are estimated by a sample, in little time', async () => {
    await countTokens('loaded');
    const began = performance.now();
    const tokens = await countTokens('a'.repeat(2_000_000));
    expect(Math.abs(tokens - 250_000)).toBeLessThan(2_500);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('usage of a call that the endpoint did not count', () => {
  const user = { role: 'user', content: 'hello world' } as const;
  const promptOf = async (...asked: Parameters<typeof countedUsage>): Promise<number> =>
    (await countedUsage(...asked)).prompt_tokens;

  it('is marked, and holds prompt and answer', async () => {
    expect(await countedUsage({ messages: [user] }, 'hello')).toEqual({
      prompt_tokens: 8,
      completion_tokens: 1,
      total_tokens: 9,
      estimated: true,
    });
  });

  it('holds whatever goes to the model: calls and results, tools, schemas and images', async () => {
    const plain = await promptOf({ messages: [user] }, '');
    const toolCalls = [{ id: 'a', name: 'look', arguments: '{"at":"the sky"}' }];
    const image = { type: 'image', url: 'data:image/png;base64,AAAA' } as const;
    const longer = [
      { messages: [user, { role: 'assistant', content: null, toolCalls } as const] },
      { messages: [user, { role: 'tool', toolCallId: 'a', content: 'it is blue' } as const] },
      { messages: [user], options: { tools: [{ name: 'look', description: 'Looks at something' }] } },
      {
        messages: [user],
        options: { responseFormat: { type: 'json_schema', name: 'n', schema: { type: 'object' } } as const },
      },
      { messages: [{ ...user, name: 'ann' }] },
    ];
    for (const asked of longer) expect(await promptOf(asked, '')).toBeGreaterThan(plain);
    const low = await promptOf({ messages: [{ role: 'user', content: [{ ...image, detail: 'low' }] }] }, '');
    const high = await promptOf({ messages: [{ role: 'user', content: [image] }] }, '');
    expect([low, high]).toEqual([91, 771]);
  });
});

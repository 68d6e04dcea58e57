import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { collect, failureOf } from '../../../test/factories/generate-call.js';
import { heldToContract } from './answer.js';
import { NothingSaid } from './faults.js';
import { ProviderError, type GenerateChunk } from './provider.js';
import { usageOf } from './usage.js';

async function* raw(...texts: string[]): AsyncGenerator<GenerateChunk> {
  for (const text of texts) yield { type: 'text', text };
  yield { type: 'end', finishReason: 'stop', usage: usageOf(1, 1) };
}

const held = (...texts: string[]): AsyncIterable<GenerateChunk> =>
  heldToContract(raw(...texts), {
    signal: new AbortController().signal,
    translate: (error) =>
      new ProviderError(error instanceof NothingSaid ? 'EmptyAnswer' : 'ProviderUnavailable', 'why'),
  });

describe('the text of an answer', () => {
  it.each([
    [['a\0b', '\0c'], 'abc'],
    [['\uD83D', '\uDE00'], '😀'],
    [['a\uD83D', '', '\uDE00b'], 'a😀b'],
    [['a\uD83D', 'b'], 'a\uFFFDb'],
    [['a', '\uDE00'], 'a\uFFFD'],
    [['a\uD83D'], 'a\uFFFD'],
    [['\uD83D\0', '\uDE00'], '\uFFFD\uFFFD'],
  ])('%j is passed on as %j', async (texts, expected) => {
    expect((await collect(held(...texts))).text).toBe(expected);
  });

  it('of U+0000 alone is none', async () => {
    expect((await failureOf(held('\0', '\0\0'))).error.type).toBe('EmptyAnswer');
  });

  it('is the same however it is cut', async () => {
    const units = fc.array(fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0xd83d, 0xde00, 0x41)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(units, fc.nat(12), async (codes, at) => {
        const text = `x${String.fromCharCode(...codes)}`;
        const whole = (await collect(held(text))).text;
        expect((await collect(held(text.slice(0, at), text.slice(at)))).text).toBe(whole);
        expect(whole.isWellFormed() && !whole.includes('\0')).toBe(true);
      }),
    );
  });
});

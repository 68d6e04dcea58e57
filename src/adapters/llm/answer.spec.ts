import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { collect, everythingOf, failureOf } from '../../../test/factories/generate-call.js';
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

const chunksHeld = (chunks: GenerateChunk[], options?: object): AsyncIterable<GenerateChunk> =>
  heldToContract(
    (async function* () {
      yield* chunks;
    })(),
    {
      signal: new AbortController().signal,
      ...(options && { options }),
      translate: (error, seen) =>
        new ProviderError(
          seen ? 'StreamInterrupted' : error instanceof NothingSaid ? 'EmptyAnswer' : 'ProviderUnavailable',
          'why',
        ),
    },
  );
const end = (finishReason: string): GenerateChunk => ({ type: 'end', finishReason, usage: usageOf(1, 1) });
const CALL: GenerateChunk = { type: 'tool_call', index: 0, id: 'a', name: 'look', arguments: '{}' };
const THOUGHT: GenerateChunk = { type: 'reasoning', text: 'hm' };

describe('an answer for a program', () => {
  it.each([
    ['nothing', [], ''],
    ['white space', [{ type: 'text', text: ' \n' }], ' \n'],
    ['thought', [THOUGHT], ''],
  ] as [string, GenerateChunk[], string][])('may be of %s', async (_what, chunks, text) => {
    const all = await everythingOf(chunksHeld([...chunks, end('length')], {}));
    expect([all.text, all.end.finishReason]).toEqual([text, 'length']);
  });

  it('passes white space on at once', async () => {
    const first = await chunksHeld([{ type: 'text', text: ' ' }, end('stop')], {})
      [Symbol.asyncIterator]()
      .next();
    expect(first.value).toEqual({ type: 'text', text: ' ' });
  });

  it('holds what was thought, and probabilities that can be kept', async () => {
    const one = { token: 'a\uD83D', logprob: -1, bytes: null };
    const logprobs = [{ ...one, top_logprobs: [one] }];
    const all = await everythingOf(chunksHeld([THOUGHT, { type: 'text', text: '', logprobs }, end('stop')], {}));
    const kept = { ...one, token: 'a\uFFFD' };
    expect([all.reasoning, all.logprobs]).toEqual(['hm', [{ ...kept, top_logprobs: [kept] }]]);
  });

  it('is interrupted where it breaks off after anything', async () => {
    for (const chunk of [CALL, THOUGHT]) {
      expect((await failureOf(chunksHeld([chunk], {}))).error.type).toBe('StreamInterrupted');
    }
    expect((await failureOf(chunksHeld([], {}))).error.type).toBe('ProviderUnavailable');
  });

  it.each([
    ['stop', 'tool_calls'],
    ['length', 'length'],
    ['tool_calls', 'tool_calls'],
  ])('of calls ends with %s as with %s', async (said, told) => {
    expect((await everythingOf(chunksHeld([CALL, end(said)], {}))).end.finishReason).toBe(told);
  });

  it('puts a pair together over what comes between its halves', async () => {
    const chunks: GenerateChunk[] = [
      { type: 'text', text: '\uD83D' },
      { type: 'reasoning', text: '\uD83D' },
      CALL,
      { type: 'text', text: '\uDE00' },
      { type: 'reasoning', text: '\uDE01' },
    ];
    const all = await everythingOf(chunksHeld([...chunks, end('stop')], {}));
    expect([all.text, all.reasoning]).toEqual(['😀', '😁']);
  });
});

describe('an answer for people', () => {
  it('is without what was thought, and not of that alone', async () => {
    const all = await everythingOf(chunksHeld([THOUGHT, { type: 'text', text: 'a' }, end('stop')]));
    expect([all.reasoning, all.text]).toEqual(['', 'a']);
    expect((await failureOf(chunksHeld([THOUGHT, end('stop')]))).error.type).toBe('EmptyAnswer');
  });

  it('may be of calls alone', async () => {
    const all = await everythingOf(chunksHeld([{ type: 'text', text: ' ' }, CALL, end('tool_calls')]));
    expect([all.text, all.toolCalls.length]).toEqual(['', 1]);
  });
});

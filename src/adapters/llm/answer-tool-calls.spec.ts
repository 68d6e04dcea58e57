import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { everythingOf } from '../../../test/factories/generate-call.js';
import type { ToolCall } from '../../contracts/chat.js';
import { heldToContract } from './answer.js';
import { orderedToolCalls } from './answer-tool-calls.js';
import { BrokenAnswer } from './faults.js';
import { ProviderError, type GenerateChunk } from './provider.js';
import { usageOf } from './usage.js';

type Fragment = Extract<GenerateChunk, { type: 'tool_call' }>;
type Facts = Partial<Pick<Fragment, 'id' | 'name'>>;

const fragment = (index: number, given: string, facts: Facts = {}): Fragment => ({
  type: 'tool_call',
  index,
  arguments: given,
  ...facts,
});
const END: GenerateChunk = { type: 'end', finishReason: 'tool_calls', usage: usageOf(1, 1) };

async function* raw(chunks: readonly GenerateChunk[]): AsyncGenerator<GenerateChunk> {
  yield* chunks;
}

async function inOrder(...chunks: GenerateChunk[]): Promise<GenerateChunk[]> {
  const told: GenerateChunk[] = [];
  for await (const chunk of orderedToolCalls(raw(chunks))) told.push(chunk);
  return told;
}

/** The same as a client's program gets it. */
const called = async (chunks: readonly GenerateChunk[]): Promise<ToolCall[]> => {
  const { signal } = new AbortController();
  const translate = (error: unknown): ProviderError => new ProviderError('Internal', String(error));
  return (await everythingOf(heldToContract(raw([...chunks, END]), { signal, options: {}, translate }))).toolCalls;
};

describe('calls of tools', () => {
  it('pass as they come where they come one after the other', async () => {
    const chunks = [
      fragment(0, '', { id: 'a', name: 'look' }),
      fragment(0, '{"x":'),
      fragment(0, '1}'),
      fragment(1, '', { id: 'b', name: 'hear' }),
      fragment(1, '{}'),
    ];
    expect(await inOrder(...chunks, END)).toEqual([...chunks, END]);
  });

  it('of later numbers wait until the earlier is whole and over', async () => {
    const chunks = [
      fragment(0, '{"x":', { id: 'a', name: 'look' }),
      fragment(1, '{"y', { id: 'b', name: 'hear' }),
      fragment(0, '1'),
      fragment(1, '":'),
      fragment(0, '}'),
      fragment(1, '2}'),
    ];
    expect(await inOrder(...chunks, END)).toEqual([
      fragment(0, '{"x":', { id: 'a', name: 'look' }),
      fragment(0, '1'),
      fragment(0, '}'),
      fragment(1, '{"y":', { id: 'b', name: 'hear' }),
      fragment(1, '2}'),
      END,
    ]);
  });

  it('that never become whole come at the end, before it', async () => {
    const chunks = [fragment(0, '{"x', { id: 'a', name: 'look' }), fragment(1, '{}', { id: 'b', name: 'hear' })];
    const said: GenerateChunk = { type: 'text', text: 'and' };
    expect(await inOrder(...chunks, said, END)).toEqual([chunks[0], said, chunks[1], END]);
  });

  it('that are counted from elsewhere are counted from 0', async () => {
    expect(
      await called([fragment(4, '{}', { id: 'b', name: 'hear' }), fragment(1, '', { id: 'a', name: 'look' })]),
    ).toEqual([
      { id: 'a', name: 'look', arguments: '' },
      { id: 'b', name: 'hear', arguments: '{}' },
    ]);
  });

  it('get an id where the endpoint gives none, each its own', async () => {
    const calls = await called([fragment(0, '{}', { name: 'look' }), fragment(1, '{}', { name: 'look' })]);
    const ids = calls.map(({ id }) => id);
    expect(ids).toEqual([expect.stringMatching(/^call_\w{24}$/), expect.stringMatching(/^call_\w{24}$/)]);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it.each([
    ['by another id', { id: 'b', name: 'look' }],
    ['by new arguments', { name: 'look' }],
  ])('of one number are told apart %s', async (_how, facts) => {
    const calls = await called([fragment(0, '{"x":1}', { id: 'a', name: 'look' }), fragment(0, '{"x":2}', facts)]);
    expect(calls.map((call) => call.arguments)).toEqual(['{"x":1}', '{"x":2}']);
  });

  it('keep their number where ids change from piece to piece', async () => {
    const pieces = [fragment(0, '{"x"', { id: 'a', name: 'look' }), fragment(0, ':1}', { id: 'b' })];
    expect(await called(pieces)).toEqual([{ id: 'a', name: 'look', arguments: '{"x":1}' }]);
  });

  it('wait for their name, and break the answer where it never comes', async () => {
    expect(await called([fragment(0, '{', { id: 'a' }), fragment(0, '}', { name: 'look' })])).toEqual([
      { id: 'a', name: 'look', arguments: '{}' },
    ]);
    expect(await called([fragment(0, '')])).toEqual([]);
    await expect(inOrder(fragment(0, '{}', { id: 'a' }), END)).rejects.toThrow(BrokenAnswer);
  });

  it('hold back half of a surrogate pair, and nothing that cannot be kept', async () => {
    const pieces = [
      fragment(0, '{"a":"\uD83D', { id: 'a\0', name: 'look\0' }),
      fragment(0, '\uDE00\0"}'),
      fragment(1, '\uD83D', { id: 'b', name: 'hear' }),
    ];
    expect(await called(pieces)).toEqual([
      { id: 'a', name: 'look', arguments: '{"a":"😀"}' },
      { id: 'b', name: 'hear', arguments: '\uFFFD' },
    ]);
  });
});

/** A call and how its arguments are cut. */
const aCall = fc.record({
  given: fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
  size: fc.integer({ min: 1, max: 9 }),
  ids: fc.constantFrom('once', 'always', 'never'),
  names: fc.constantFrom('once', 'always'),
});
type Cut = typeof aCall extends fc.Arbitrary<infer T> ? T : never;

function fragmentsOf({ given, size, ids, names }: Cut, index: number): Fragment[] {
  const text = JSON.stringify(given);
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  return pieces.map((piece, at) =>
    fragment(index, piece, {
      ...((ids === 'always' || (ids === 'once' && at === 0)) && { id: `id-${index}` }),
      ...((names === 'always' || at === 0) && { name: `tool-${index}` }),
    }),
  );
}

/** Takes from the lists in the order of `turns`, and then what is left. */
function mixed(lists: Fragment[][], turns: readonly number[]): Fragment[] {
  const left = lists.map((list) => [...list]);
  const taken = turns.flatMap((turn) => left[turn % left.length]?.splice(0, 1) ?? []);
  return [...taken, ...left.flat()];
}

describe('in whatever turns fragments come', () => {
  it('the calls are the same', async () => {
    const cases = fc.record({
      calls: fc.array(aCall, { minLength: 1, maxLength: 4 }),
      turns: fc.array(fc.nat(), { maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ calls, turns }) => {
        const told = await called(mixed(calls.map(fragmentsOf), turns));
        expect(told.map(({ name, arguments: given }) => [name, JSON.parse(given) as unknown])).toEqual(
          calls.map(({ given }, index) => [
            `tool-${index}`,
            JSON.parse(JSON.stringify(given).toWellFormed()) as unknown,
          ]),
        );
        for (const [index, { ids }] of calls.entries()) {
          expect(told[index]?.id).toMatch(ids === 'never' ? /^call_\w{24}$/ : new RegExp(`^id-${index}$`));
        }
      }),
    );
  });
});

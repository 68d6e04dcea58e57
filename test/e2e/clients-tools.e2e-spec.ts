import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type OpenAI from 'openai';
import { asks, Stage } from '../clients/stage.js';

const TOOLS: OpenAI.ChatCompletionTool[] = ['tally', 'remind'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
}));
const asked = { ...asks('How does proposal 12 stand? #tools'), tools: TOOLS };

type ToolDelta = OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall;

describe('tools of clients', () => {
  let stage: Stage;
  let client: OpenAI;

  beforeAll(async () => {
    stage = await Stage.open();
    client = stage.client();
  }, 120_000);
  afterAll(() => stage.close());
  beforeEach(() => {
    stage.reset({
      toolCalls: {
        calls: [
          { name: 'tally', arguments: { n: 12 } },
          { name: 'remind', arguments: { n: 13 } },
        ],
        interleaved: true,
      },
    });
  });

  /** The calls as Dify merges them: a piece without an id belongs to the last call that had one. */
  function mergedByDify(pieces: ToolDelta[]): { id: string; name: string; arguments: string }[] {
    const calls: { id: string; name: string; arguments: string }[] = [];
    for (const { id, function: called } of pieces) {
      if (id !== undefined) calls.push({ id, name: called?.name ?? '', arguments: '' });
      const last = calls.at(-1);
      if (last) last.arguments += called?.arguments ?? '';
    }
    return calls;
  }

  it('Dify 9: two calls come one after the other, though the model mixes their pieces', async () => {
    const pieces: ToolDelta[] = [];
    let finish: string | null = null;
    for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true })) {
      pieces.push(...(choices[0]?.delta.tool_calls ?? []));
      finish = choices[0]?.finish_reason ?? finish;
    }
    const indexes = pieces.map(({ index }) => index);
    expect(indexes).toEqual(indexes.toSorted());
    expect(mergedByDify(pieces).map(({ name, arguments: given }) => [name, JSON.parse(given)])).toEqual([
      ['tally', { n: 12 }],
      ['remind', { n: 13 }],
    ]);
    expect(new Set(mergedByDify(pieces).map(({ id }) => id)).size).toBe(2);
    expect(finish).toBe('tool_calls');
  });

  it.each([true, false])('OpenAI 14: a call and back gives an answer, as a stream: %s', async (streamed) => {
    const ask = async (body: OpenAI.ChatCompletionCreateParamsNonStreaming): Promise<OpenAI.ChatCompletion.Choice> => {
      const whole = streamed
        ? await client.chat.completions.stream({ ...body, stream: true }).finalChatCompletion()
        : await client.chat.completions.create(body);
      return whole.choices[0]!;
    };
    const first = await ask(asked);
    expect(first).toMatchObject({ finish_reason: 'tool_calls', message: { role: 'assistant' } });
    expect(first.message.content ?? '').toBe('');
    const calls = first.message.tool_calls ?? [];
    expect(calls).toHaveLength(2);
    const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: '7 yes, 2 no' }));
    const then = await ask({ ...asked, messages: [...asked.messages, first.message, ...results] });
    expect(then.finish_reason).toBe('stop');
    expect(then.message.content).toContain('7 yes, 2 no');
  });
});

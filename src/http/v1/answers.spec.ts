import { describe, expect, it } from '@jest/globals';
import type { ChatData } from '../../contracts/bodies.js';
import { chatCompletion } from './chat-answer.js';
import { textCompletion } from './completion-answer.js';
import { embeddingList, numbersOf } from './embeddings-answer.js';
import { headOf } from './head.js';
import { answerOf, openAiUsage } from './outcome.js';

const HEAD = { id: 'chatcmpl-1', created: 7, model: 'dagi-stack' };
const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const TOKEN = {
  token: 'hi',
  logprob: -0.1,
  bytes: [104, 105],
  top_logprobs: [{ token: 'ho', logprob: -2, bytes: null }],
};
const CALLS = [
  { id: 'c1', name: 'look', arguments: '{}' },
  { id: 'c2', name: 'hear', arguments: '{"at":1}' },
];

const chat = (data: Partial<ChatData>, functions = false): object =>
  chatCompletion(HEAD, { data: { text: 'hi', finish_reason: 'stop', ...data }, usage: USAGE }, { functions });

describe(chatCompletion.name, () => {
  it('is a text with its usage', () => {
    expect(chat({})).toEqual({
      ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 7, model: 'dagi-stack', usage: USAGE },
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'hi', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
    });
  });

  it('says what was reasoned and how probable it is', () => {
    expect(chat({ reasoning: 'hm', logprobs: [TOKEN] })).toMatchObject({
      choices: [{ message: { reasoning_content: 'hm' }, logprobs: { content: [TOKEN], refusal: null } }],
    });
  });

  it('has no content where tools alone are asked for', () => {
    expect(chat({ text: '', tool_calls: CALLS })).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } },
              { id: 'c2', type: 'function', function: { name: 'hear', arguments: '{"at":1}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
      ],
    });
  });

  it('speaks of a function to those who do', () => {
    expect(chat({ tool_calls: CALLS }, true)).toMatchObject({
      choices: [
        {
          message: { content: 'hi', function_call: { name: 'look', arguments: '{}' } },
          finish_reason: 'function_call',
        },
      ],
    });
  });

  it.each(['stop', 'tool_calls', 'function_call'])('asks for tools where an endpoint ends with %s', (finish_reason) => {
    expect(chat({ finish_reason, tool_calls: CALLS })).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  });

  it.each([
    ['function_call', 'stop'],
    ['length', 'length'],
    ['content_filter', 'content_filter'],
    ['tool_calls', 'stop'],
    ['constructor', 'stop'],
  ])('ends for %s with %s', (finish_reason, told) => {
    expect(chat({ finish_reason })).toMatchObject({ choices: [{ finish_reason: told }] });
  });
});

describe(openAiUsage.name, () => {
  it('tells what is known', () => {
    expect(openAiUsage({ ...USAGE, cached_tokens: 0, reasoning_tokens: 1, estimated: true, cost_usd: 4 })).toEqual({
      ...USAGE,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 1 },
      estimated: true,
    });
    expect(openAiUsage(null)).toEqual({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
  });
});

describe(textCompletion.name, () => {
  it('tells probabilities as they were told then', () => {
    const data = { text: 'hihi', finish_reason: 'length', logprobs: [TOKEN, TOKEN] };
    expect(textCompletion({ ...HEAD, id: 'cmpl-1' }, { data, usage: USAGE })).toEqual({
      ...{ id: 'cmpl-1', object: 'text_completion', created: 7, model: 'dagi-stack', usage: USAGE },
      choices: [
        {
          ...{ index: 0, text: 'hihi', finish_reason: 'length' },
          logprobs: {
            tokens: ['hi', 'hi'],
            token_logprobs: [-0.1, -0.1],
            top_logprobs: [{ ho: -2 }, { ho: -2 }],
            text_offset: [0, 2],
          },
        },
      ],
    });
  });
});

describe('the places of tokens', () => {
  it('are sums of what goes before, however many there are', () => {
    const lengths = Array.from({ length: 20_000 }, (_, at) => at % 4);
    const logprobs = lengths.map((length) => ({ ...TOKEN, token: 'x'.repeat(length), top_logprobs: [] }));
    const data = { text: logprobs.map(({ token }) => token).join(''), finish_reason: 'stop', logprobs };
    const { choices } = textCompletion(HEAD, { data, usage: USAGE }) as {
      choices: [{ logprobs: { text_offset: number[] } }];
    };
    const offsets = choices[0].logprobs.text_offset;
    // Four tokens have six letters together.
    expect(offsets).toEqual(lengths.map((_, at) => Math.floor(at / 4) * 6 + [0, 0, 1, 3][at % 4]!));
  });
});

describe(embeddingList.name, () => {
  const vector = Buffer.from(new Float32Array([1, -0.5]).buffer).toString('base64');
  const answer = { data: { text: '', finish_reason: 'stop', embeddings: [vector] }, usage: USAGE };

  it.each([
    [false, [1, -0.5]],
    [true, vector],
  ] as const)('gives vectors as asked for: base64 %j', (base64, embedding) => {
    expect(embeddingList(answer, { model: 'provider/e', base64 })).toEqual({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding }],
      model: 'provider/e',
      usage: { prompt_tokens: 1, total_tokens: 3 },
    });
  });

  it('reads no number out of too few bytes', () => {
    expect(numbersOf(Buffer.from([1, 2, 3]).toString('base64'))).toEqual([]);
  });
});

describe(answerOf.name, () => {
  it('is none while the request goes on', () => {
    const body = { ok: true, data: null, usage: null } as Parameters<typeof answerOf>[0];
    expect(() => answerOf(body)).toThrow(/shutting down/);
  });
});

describe(headOf.name, () => {
  it('is the same however often it is made', () => {
    const accepted = { requestId: '01890000-0000-7000-8000-000000000000' } as Parameters<typeof headOf>[1];
    expect(headOf('chatcmpl', accepted, 'm')).toEqual({
      id: 'chatcmpl-01890000-0000-7000-8000-000000000000',
      created: Math.floor(0x018900000000 / 1_000),
      model: 'm',
    });
  });
});

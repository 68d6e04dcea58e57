import { describe, expect, it } from '@jest/globals';
import { ChatCompletionSchema, type ChatRequest } from './openai-chat.js';

const HI = { role: 'user', content: 'hi' };
const LEAST = { model: 'dagi-stack', messages: [HI] };

const read = (body: object): ChatRequest => ChatCompletionSchema.parse({ ...LEAST, ...body });
const optionsOf = (body: object): object => {
  const { call } = read(body).submission;
  if (call?.kind !== 'chat') throw new Error('no chat');
  return call.options;
};

/** The first thing that is wrong: field, word, sentence. */
function refused(body: object): { param: unknown; code: unknown; message: string } {
  const [issue] = ChatCompletionSchema.safeParse({ ...LEAST, ...body }).error?.issues ?? [];
  if (!issue) throw new Error(`not refused: ${JSON.stringify(body)}`);
  const params = 'params' in issue ? issue.params : undefined;
  return { param: issue.path[0], code: params?.code, message: issue.message };
}

const FUNCTION = { name: 'look', description: 'Looks', parameters: { type: 'object' }, strict: true };
/** An object in an object, so many levels deep. */
function nested(levels: number): object {
  let value: object = {};
  for (let level = 0; level < levels; level += 1) value = { in: value };
  return value;
}

const TOOL = { type: 'function', function: FUNCTION };

describe('a least body', () => {
  it('is a chat of the key itself, in one answer', () => {
    expect(read({})).toEqual({
      submission: {
        prompt: 'hi',
        mode: 'chat',
        source: 'openai',
        model: 'dagi-stack',
        metadata: {},
        call: { kind: 'chat', messages: [HI], options: {} },
      },
      style: { model: 'dagi-stack', stream: false, includeUsage: false, ignored: [], functions: false },
    });
  });

  it.each([
    ['dagi-stack', 'dagi-stack'],
    ['provider/local', 'provider/local'],
    ['provider%2Flocal', 'provider/local'],
    ['provider%2flocal', 'provider/local'],
    ['whatever', 'whatever'],
  ])('names the model %s', (asked, model) => {
    expect(read({ model: asked }).submission.model).toBe(model);
  });

  it.each([undefined, null, '', 7])('needs a model: %j', (model) => {
    expect(refused({ model })).toMatchObject({ param: 'model' });
  });
});

describe('honoured', () => {
  it.each<[object, object]>([
    [{ max_tokens: 5 }, { maxTokens: 5 }],
    [{ max_completion_tokens: 6 }, { maxTokens: 6 }],
    [{ max_tokens: 5, max_completion_tokens: 6 }, { maxTokens: 6 }],
    [{ temperature: 0 }, { temperature: 0 }],
    [{ temperature: 2 }, { temperature: 2 }],
    [{ top_p: 0.5 }, { topP: 0.5 }],
    [{ stop: 'END' }, { stop: ['END'] }],
    [{ stop: ['a', 'b', ''] }, { stop: ['a', 'b'] }],
    [{ stop: [] }, {}],
    [{ stop: '' }, {}],
    [{ n: 1 }, {}],
    [{ seed: 7 }, { seed: 7 }],
    [
      { presence_penalty: -2, frequency_penalty: 2 },
      { presencePenalty: -2, frequencyPenalty: 2 },
    ],
    [{ logit_bias: { 50256: -100 } }, { logitBias: { 50256: -100 } }],
    [{ logit_bias: {} }, {}],
    [{ logprobs: true }, { logprobs: 0 }],
    [{ logprobs: true, top_logprobs: 20 }, { logprobs: 20 }],
    [{ logprobs: false, top_logprobs: 0 }, {}],
    [{ tools: [TOOL] }, { tools: [FUNCTION] }],
    [{ tools: [] }, {}],
    [
      { tools: [TOOL], tool_choice: 'required' },
      { tools: [FUNCTION], toolChoice: 'required' },
    ],
    [
      { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'look' } } },
      { tools: [FUNCTION], toolChoice: { name: 'look' } },
    ],
    [
      { tools: [TOOL], parallel_tool_calls: false },
      { tools: [FUNCTION], parallelToolCalls: false },
    ],
    [{ tool_choice: 'auto' }, {}],
    [{ parallel_tool_calls: false }, {}],
    [{ tools: [{ type: 'function', function: { name: 'bare', parameters: null } }] }, { tools: [{ name: 'bare' }] }],
    [{ response_format: { type: 'text' } }, {}],
    [{ response_format: { type: 'json_object' } }, { responseFormat: { type: 'json_object' } }],
    [
      {
        response_format: { type: 'json_schema', json_schema: { name: 'n', strict: true, schema: { type: 'object' } } },
      },
      { responseFormat: { type: 'json_schema', name: 'n', strict: true, schema: { type: 'object' } } },
    ],
    [
      { response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } },
      { responseFormat: { type: 'json_schema', name: 'answer', schema: { type: 'object' } } },
    ],
    [
      { response_format: { type: 'json_schema', json_schema: { type: 'object', title: 'Person' } } },
      { responseFormat: { type: 'json_schema', name: 'Person', schema: { type: 'object', title: 'Person' } } },
    ],
    [{ reasoning_effort: 'minimal' }, { reasoningEffort: 'minimal' }],
    [{ modalities: ['text'] }, {}],
  ])('%j', (body, options) => {
    expect(optionsOf(body)).toEqual(options);
  });

  it('streams, with usage where it is asked for', () => {
    const options = { include_usage: true, include_obfuscation: false };
    expect(read({ stream: true, stream_options: options }).style).toMatchObject({ stream: true, includeUsage: true });
    expect(read({ stream: true, stream_options: null }).style).toMatchObject({ stream: true, includeUsage: false });
  });

  it('takes null for absent, in every field that may be', () => {
    const names = [
      ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'stop', 'n', 'seed', 'presence_penalty'],
      ...['frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'tools', 'tool_choice', 'functions'],
      ...['parallel_tool_calls', 'function_call', 'response_format', 'stream', 'stream_options', 'user', 'metadata'],
      ...['reasoning_effort', 'modalities', 'audio', 'web_search_options', 'safety_identifier', 'thinking', 'foo'],
    ];
    expect(read(Object.fromEntries(names.map((name) => [name, null])))).toEqual(read({}));
  });

  it('answers in the words of functions where a client speaks of them', () => {
    const old = { functions: [FUNCTION], function_call: { name: 'look' } };
    expect(optionsOf(old)).toEqual({ tools: [FUNCTION], toolChoice: { name: 'look' }, functions: true });
    expect(optionsOf({ ...old, parallel_tool_calls: false })).not.toHaveProperty('parallelToolCalls');
    expect(read(old).style.functions).toBe(true);
    expect(read({ ...old, tools: [TOOL], function_call: undefined }).style.functions).toBe(false);
  });
});

describe('passed on', () => {
  it('keeps the fields of endpoints’ own dialects under their names', () => {
    const dialect = {
      ...{ chat_template_kwargs: { a: 'b\0' }, enable_thinking: false, top_k: 3, verbosity: 'low' },
      ...{ safety_identifier: 'x', guided_json: { type: 'object' } },
    };
    expect(optionsOf(dialect)).toEqual({ dialect: { ...dialect, chat_template_kwargs: { a: 'b' } } });
    expect(read(dialect).style.ignored).toEqual([]);
  });

  it('bounds them together', () => {
    const large = { top_k: 1, guided_json: { text: 'x'.repeat(70_000) } };
    expect(refused(large)).toMatchObject({ param: 'guided_json', code: 'invalid_value' });
  });
});

describe('ignored and named', () => {
  it('names what nobody knows, as far as it can stand in a header', () => {
    const { style, submission } = read({
      mirostat: 1,
      'x.y-z': [],
      'bad name\r\n': 1,
      ['l'.repeat(65)]: 1,
      none: null,
    });
    expect(style.ignored).toEqual(['mirostat', 'x.y-z', '...']);
    expect(submission).toEqual(read({}).submission);
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`p${at}`, 1]));
    expect(read(many).style.ignored).toEqual([...Object.keys(many).slice(0, 20), '...']);
    expect(read({ ü: 1 }).style.ignored).toEqual(['...']);
    expect(read(Object.fromEntries(Object.entries(many).slice(0, 20))).style.ignored).not.toContain('...');
  });
});

describe('refused', () => {
  const cases: [object, string, string?][] = [
    [{ n: 2 }, 'n', 'unsupported_value'],
    [{ n: 0 }, 'n', 'unsupported_value'],
    [{ temperature: 2.1 }, 'temperature'],
    [{ temperature: '1' }, 'temperature'],
    [{ top_p: 1.1 }, 'top_p'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    [{ stop: Array.from({ length: 17 }, () => 'x') }, 'stop'],
    [{ stop: [1] }, 'stop'],
    [{ seed: 'x' }, 'seed'],
    [{ presence_penalty: 2.1 }, 'presence_penalty'],
    [{ frequency_penalty: -2.1 }, 'frequency_penalty'],
    [{ logit_bias: { word: 1 } }, 'logit_bias'],
    [{ logit_bias: { 1: 101 } }, 'logit_bias'],
    [{ top_logprobs: 2 }, 'top_logprobs', 'invalid_value'],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
    [{ tools: [{ type: 'web_search' }] }, 'tools'],
    [{ tools: [{ type: 'function', function: {} }] }, 'tools'],
    [{ tools: 'all' }, 'tools'],
    [{ tool_choice: 'required' }, 'tool_choice', 'invalid_value'],
    [{ tools: [TOOL], tool_choice: { type: 'function', function: { name: 'hear' } } }, 'tool_choice', 'invalid_value'],
    [{ tools: [TOOL], tool_choice: 'perhaps' }, 'tool_choice'],
    [{ functions: [FUNCTION], function_call: { name: 'hear' } }, 'function_call', 'invalid_value'],
    [{ response_format: { type: 'xml' } }, 'response_format'],
    [{ response_format: { type: 'json_schema' } }, 'response_format'],
    [{ response_format: { type: 'json_schema', json_schema: 'x' } }, 'response_format'],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'n' } } }, 'response_format', 'invalid_value'],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'n n', schema: {} } } },
      'response_format',
      'invalid_value',
    ],
    [{ reasoning_effort: 'VERY MUCH' }, 'reasoning_effort'],
    [{ modalities: ['text', 'audio'] }, 'modalities', 'unsupported_value'],
    [{ audio: { voice: 'alloy' } }, 'audio', 'unsupported_parameter'],
    [{ web_search_options: {} }, 'web_search_options', 'unsupported_parameter'],
    [{ stream: 'yes' }, 'stream'],
    [{ user: 7 }, 'user'],
    [{ user: 'x'.repeat(10_001) }, 'user'],
    [{ safety_identifier: 7 }, 'safety_identifier'],
    [{ guided_json: nested(101) }, 'guided_json', 'invalid_value'],
    [
      { response_format: { type: 'json_schema', json_schema: { schema: nested(101) } } },
      'response_format',
      'invalid_value',
    ],
    [{ metadata: { a: 1 } }, 'metadata'],
    [{ metadata: { a: 'x'.repeat(513) } }, 'metadata'],
    [{ metadata: { ['k'.repeat(65)]: 'a' } }, 'metadata'],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'v'])) }, 'metadata'],
  ];
  it.each(cases.map(([body, param, code]) => [body, param, code] as const))('%j', (body, param, code) => {
    expect(refused(body)).toMatchObject({ param, ...(code !== undefined && { code }) });
  });

  it('says nothing at which Dify would try other parameters', () => {
    const bodies = [{ max_tokens: 0 }, { reasoning_effort: '?' }, { messages: [] }, { messages: [{ role: 'x' }] }];
    for (const body of bodies) {
      expect(refused(body).message).not.toMatch(/thinking|budget_tokens|integer_below_min_value/i);
    }
  });
});

describe('who asks', () => {
  it('takes nobody for the actor whom a client names, and the DAO that metadata names', () => {
    const metadata = { dao_id: 'greenfood-dao', user_id: 'tg:1', session_id: 's', source: 'telegram' };
    const { submission } = read({ user: 'tg:2', safety_identifier: 'tg:3', metadata });
    expect(submission).toMatchObject({
      daoId: 'greenfood-dao',
      source: 'openai',
      metadata: { ...metadata, user: 'tg:2', safety_identifier: 'tg:3' },
    });
    expect([submission.userId, submission.sessionId, submission.agent]).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ['', {}],
    ['u', { user: 'u' }],
    ['a\0b\u0007', { user: 'ab\u0007' }],
    ['x'.repeat(10_000), { user: 'x'.repeat(256) }],
    [`${'x'.repeat(255)}🌻`, { user: 'x'.repeat(255) }],
    ['a\uD800', { user: 'a\uFFFD' }],
  ])('keeps of a user what can be kept', (user, metadata) => {
    expect(read({ user }).submission.metadata).toEqual(metadata);
    const kept = read({ safety_identifier: user }).submission.metadata;
    expect(kept).toEqual(Object.fromEntries(Object.values(metadata).map((text) => ['safety_identifier', text])));
  });
});

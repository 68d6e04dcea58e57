import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aCall, collect, everythingOf, failureOf } from '../../../test/factories/generate-call.js';
import { DEFAULT_SETTINGS, type FakeSettings } from '../../../test/fakes/fake-dialect.js';
import { startFakeOpenAi } from '../../../test/fakes/fake-openai.js';
import type { WireFake } from '../../../test/fakes/wire-fake.js';
import type { CallOptions, ChatMessage, ToolDefinition } from '../../contracts/chat.js';
import { OpenAiCompatibleProvider } from './openai-compatible.js';
import type { GenerateCall } from './provider.js';

let fake: WireFake;
const provider = (): OpenAiCompatibleProvider =>
  new OpenAiCompatibleProvider({ name: 'cloud', baseUrl: `${fake.url}/v1`, model: 'fake-model', apiKey: 'sk-test' });
const set = (settings: Partial<FakeSettings>): void => {
  fake.settings = { ...DEFAULT_SETTINGS, ...settings };
};
const asked = (options: CallOptions = {}, over: Partial<GenerateCall> = {}): GenerateCall =>
  aCall('hello', { options, ...over });

beforeAll(async () => {
  fake = await startFakeOpenAi();
});
afterAll(() => fake.close());
afterEach(() => {
  fake.reset();
  set({});
});

const LOOK: ToolDefinition = { name: 'look', description: 'Looks', parameters: { type: 'object' }, strict: true };
const HEAR: ToolDefinition = { name: 'hear' };
const TOOLS = { tools: [LOOK, HEAR] };

describe('what a client of its own conversation sends', () => {
  it('reaches the endpoint in full', async () => {
    set({ refuseUnknown: true });
    await collect(
      provider().generate(
        asked({
          ...TOOLS,
          stop: ['END'],
          seed: 7,
          presencePenalty: 0.5,
          frequencyPenalty: -0.5,
          logitBias: { '50256': -100 },
          logprobs: 2,
          toolChoice: 'auto',
          parallelToolCalls: true,
          responseFormat: {
            type: 'json_schema',
            name: 'n',
            schema: { type: 'object' },
            strict: true,
            description: 'd',
          },
          reasoningEffort: 'low',
          dialect: { prompt_cache_key: 'k', store: true },
        }),
      ),
    );
    expect(fake.bodies[0]).toEqual({
      prompt_cache_key: 'k',
      store: true,
      model: 'fake-model',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.2,
      top_p: 0.9,
      max_tokens: 50,
      stop: ['END'],
      seed: 7,
      presence_penalty: 0.5,
      frequency_penalty: -0.5,
      logit_bias: { '50256': -100 },
      logprobs: true,
      top_logprobs: 2,
      tools: [
        { type: 'function', function: LOOK },
        { type: 'function', function: HEAR },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'object' }, strict: true, description: 'd' },
      },
      reasoning_effort: 'low',
    });
  });

  it('cannot put its dialect in place of what is ours', async () => {
    await collect(provider().generate(asked({ dialect: { model: 'other-model', stream: false, top_k: 3 } })));
    expect(fake.bodies[0]).toMatchObject({ model: 'fake-model', stream: true, top_k: 3 });
  });

  it.each<[CallOptions, object]>([
    [{ responseFormat: { type: 'json_object' } }, { response_format: { type: 'json_object' } }],
    [{ logprobs: 0 }, { logprobs: true }],
    [{ ...TOOLS, toolChoice: 'none' }, { tool_choice: 'none' }],
    [{ ...TOOLS, toolChoice: { name: 'hear' } }, { tool_choice: { type: 'function', function: { name: 'hear' } } }],
    [{ ...TOOLS, parallelToolCalls: false }, { parallel_tool_calls: false }],
  ])('%j', async (options, body) => {
    await everythingOf(provider().generate(asked(options)));
    expect(fake.bodies[0]).toMatchObject(body);
    expect(fake.bodies[0]).not.toHaveProperty('top_logprobs');
  });

  it('keeps a conversation as it is: parts, images, names, calls and results', async () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: 'be short', name: 'boss' },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'what is this?' },
          { type: 'image', url: 'data:image/png;base64,AAAA', detail: 'low' },
          { type: 'image', url: 'https://pictures.test/1.png' },
        ],
      },
      { role: 'assistant', content: null, toolCalls: [{ id: 'call_1', name: 'look', arguments: '{"a":1}' }] },
      { role: 'tool', toolCallId: 'call_1', content: 'a sunflower' },
      { role: 'assistant', content: 'a flower', name: 'bot', toolCalls: [] },
      { role: 'user', content: 'sure?' },
    ];
    const { text } = await everythingOf(provider().generate(asked({}, { messages })));
    expect(text).toContain('(6 messages) sure?');
    expect(fake.bodies[0]?.messages).toEqual([
      { role: 'system', content: 'be short', name: 'boss' },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'what is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://pictures.test/1.png' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'a sunflower' },
      { role: 'assistant', content: 'a flower', name: 'bot' },
      { role: 'user', content: 'sure?' },
    ]);
  });
});

describe('a parameter that the endpoint refuses', () => {
  it.each<[string, CallOptions]>([
    ['temperature', { temperature: 0.2 }],
    ['top_p', { topP: 0.9 }],
    ['seed', { seed: 1 }],
    ['tools', TOOLS],
    ['response_format', { responseFormat: { type: 'json_object' } }],
    ['enable_thinking', { dialect: { enable_thinking: false } }],
  ])('is the client’s to see where it sent it: %s', async (name, options) => {
    set({ refuseParameters: [name] });
    const sut = provider();
    for (let turn = 1; turn <= 2; turn++) {
      const { error } = await failureOf(sut.generate(asked(options)));
      expect(error.toFailure()).toEqual({
        type: 'ProviderRejected',
        message: 'cloud refused the request (HTTP 400)',
        parameter: name,
      });
    }
    expect(fake.bodies).toHaveLength(0);
  });

  it('is given up where it is ours, and sent again for a client that wants it', async () => {
    set({ refuseParameters: ['temperature'] });
    const sut = provider();
    await collect(sut.generate(asked()));
    expect(fake.bodies[0]).not.toHaveProperty('temperature');
    const { error } = await failureOf(sut.generate(asked({ temperature: 0 }, { temperature: 0 })));
    expect(error.toFailure().parameter).toBe('temperature');
  });

  it('sends a client’s cap under its new name', async () => {
    set({ refuseParameters: ['max_tokens'] });
    await collect(provider().generate(asked({ maxTokens: 5 }, { maxTokens: 5 })));
    expect(fake.bodies[0]).toMatchObject({ max_completion_tokens: 5 });
  });

  it('is named by its place where it is an image', async () => {
    set({ vision: false });
    const messages: ChatMessage[] = [
      { role: 'user', content: [{ type: 'image', url: 'https://pictures.test/1.png' }] },
    ];
    const { error } = await failureOf(provider().generate(asked({}, { messages })));
    expect(error.toFailure().parameter).toBe('messages.[0].content.[0].type');
  });
});

describe('what a client’s program is given', () => {
  it('is what the model thought, in either field', async () => {
    for (const reasoningField of ['reasoning_content', 'reasoning'] as const) {
      set({ reasoning: 'let me see', reasoningField });
      expect((await everythingOf(provider().generate(asked()))).reasoning).toBe('let me see');
      expect((await everythingOf(provider().generate(aCall('hello')))).reasoning).toBe('');
    }
  });

  it('is an answer without a word', async () => {
    fake.fail({ kind: 'thinking-only' }, { kind: 'empty' });
    const thought = await everythingOf(provider().generate(asked()));
    expect([thought.text, thought.reasoning, thought.end.finishReason]).toEqual(['', 'hm', 'stop']);
    expect((await everythingOf(provider().generate(asked()))).text).toBe('');
  });

  it('is the probability of each token', async () => {
    const { text, logprobs } = await everythingOf(provider().generate(asked({ logprobs: 2 })));
    expect(logprobs.map(({ token }) => token).join('')).toBe(text);
    expect(logprobs[0]).toEqual({
      token: 'echo ',
      logprob: -0.1,
      bytes: [...Buffer.from('echo ')],
      top_logprobs: [
        { token: 'echo ', logprob: -0.1, bytes: [...Buffer.from('echo ')] },
        { token: 'echo ~1', logprob: -0.2, bytes: [...Buffer.from('echo ~1')] },
      ],
    });
  });

  it('is JSON', async () => {
    set({ json: { name: 'Ann', ключ: [1] } });
    const schema = { type: 'object' };
    const { text } = await everythingOf(
      provider().generate(asked({ responseFormat: { type: 'json_schema', name: 'n', schema } })),
    );
    expect(JSON.parse(text)).toEqual({ name: 'Ann', ключ: [1] });
  });

  it('is usage in detail', async () => {
    set({ usageDetails: true, reasoning: 'let me see' });
    const { end } = await everythingOf(provider().generate(aCall('one two three four', { options: {} })));
    expect(end.usage).toMatchObject({ prompt_tokens: 4, cached_tokens: 2, reasoning_tokens: 3 });
  });

  it('is usage that is counted here where the endpoint does not, with the tools', async () => {
    fake.fail({ kind: 'no-usage' }, { kind: 'no-usage' });
    set({ toolCalls: { calls: [{ arguments: { where: 'in the garden' } }] } });
    const plain = (await everythingOf(provider().generate(asked()))).end.usage;
    const called = (await everythingOf(provider().generate(asked(TOOLS)))).end.usage;
    expect(plain).toMatchObject({ prompt_tokens: 7, estimated: true });
    expect(called.prompt_tokens).toBeGreaterThan(20);
    expect(called.completion_tokens).toBeGreaterThan(5);
  });
});

describe('calls of tools', () => {
  const calls = [
    { name: 'look', arguments: { at: '🌻 and "more"' } },
    { name: 'hear', arguments: { what: ['a', 'b'] } },
  ];
  const wanted = calls.map(({ name, arguments: given }) => [name, given]);

  it.each([
    ['one after the other', {}],
    ['in turns', { interleaved: true }],
    ['in turns, with ids and names every time', { interleaved: true, ids: 'always', names: 'always' }],
    ['without ids', { ids: 'never' }],
    ['in turns, with ids that are null', { interleaved: true, ids: 'null', pieceLength: 1 }],
    ['with stop for an end', { finish: 'stop' }],
    ['after words', { text: 'I look. ' }],
  ] as const)('come one after the other: %s', async (_how, script) => {
    set({ toolCalls: { calls, ...script } });
    const all = await everythingOf(provider().generate(asked(TOOLS)));
    expect(all.toolCalls.map(({ name, arguments: given }) => [name, JSON.parse(given) as unknown])).toEqual(wanted);
    expect(all.end.finishReason).toBe('tool_calls');
    expect(all.text).toBe('text' in script ? script.text : '');
    expect(new Set(all.toolCalls.map(({ id }) => id)).size).toBe(2);
    for (const { id } of all.toolCalls) expect(id).toMatch(/^call_\w+$/);
  });

  it.each(['byte', 'whole'] as const)('are read however they are cut: %s', async (packets) => {
    set({ toolCalls: { calls, interleaved: true }, packets });
    const all = await everythingOf(provider().generate(asked(TOOLS)));
    expect(all.toolCalls.map(({ name, arguments: given }) => [name, JSON.parse(given) as unknown])).toEqual(wanted);
  });

  it('are made, answered and told of in words', async () => {
    set({ toolCalls: { calls: [{}] } });
    const [call] = (await everythingOf(provider().generate(asked({ ...TOOLS, toolChoice: 'required' })))).toolCalls;
    if (!call) throw new Error('no call');
    const messages: ChatMessage[] = [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: null, toolCalls: [call] },
      { role: 'tool', toolCallId: call.id, content: 'all is well' },
    ];
    const { text, end } = await everythingOf(provider().generate(asked(TOOLS, { messages })));
    expect([text, end.finishReason]).toEqual([expect.stringContaining('all is well'), 'stop']);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aCall, collect, everythingOf, failureOf } from '../../../test/factories/generate-call.js';
import { DEFAULT_SETTINGS, type FakeSettings } from '../../../test/fakes/fake-dialect.js';
import { startFakeOllama } from '../../../test/fakes/fake-ollama.js';
import type { WireFake } from '../../../test/fakes/wire-fake.js';
import type { CallOptions, ChatMessage, ToolDefinition } from '../../contracts/chat.js';
import { OLLAMA_LACKS } from './ollama-request.js';
import { OllamaProvider, type OllamaOptions } from './ollama.js';
import type { GenerateCall } from './provider.js';

let fake: WireFake;
const provider = (over: Partial<OllamaOptions> = {}): OllamaProvider =>
  new OllamaProvider({ name: 'local', baseUrl: fake.url, model: 'fake-model', ...over });
const set = (settings: Partial<FakeSettings>): void => {
  fake.settings = { ...DEFAULT_SETTINGS, ...settings };
};
const asked = (options: CallOptions = {}, over: Partial<GenerateCall> = {}): GenerateCall =>
  aCall('hello', { options, ...over });
/** The body that a call comes to. */
async function sent(call: GenerateCall, over: Partial<OllamaOptions> = {}): Promise<Record<string, unknown>> {
  fake.reset();
  await collect(provider(over).generate(call));
  const { messages, ...body } = fake.bodies.at(-1)!;
  return { ...body, messages };
}

beforeAll(async () => {
  fake = await startFakeOllama();
});
afterAll(() => fake.close());
afterEach(() => {
  fake.reset();
  set({});
});

const LOOK: ToolDefinition = {
  name: 'look',
  description: 'Looks',
  parameters: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] },
};
const TOOLS = { tools: [LOOK, { name: 'hear' }] };
const signal = (): AbortSignal => AbortSignal.timeout(5_000);

describe('what a client of its own conversation sends', () => {
  it('reaches the host as its own options', async () => {
    const options: CallOptions = {
      stop: ['END'],
      seed: 7,
      presencePenalty: 0.5,
      frequencyPenalty: -0.5,
      dialect: { top_k: 3, min_p: 0.1, repeat_penalty: 1.1, verbosity: 'low' },
    };
    expect(await sent(asked(options))).toEqual({
      model: 'fake-model',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
      think: false,
      truncate: false,
      shift: false,
      options: {
        ...{ num_predict: 50, num_ctx: 4_096, temperature: 0.2, top_p: 0.9 },
        ...{ stop: ['END'], seed: 7, presence_penalty: 0.5, frequency_penalty: -0.5 },
        ...{ top_k: 3, min_p: 0.1, repeat_penalty: 1.1 },
      },
    });
  });

  it('is passed over where it is no value of the dialect', async () => {
    const body = await sent(asked({ dialect: { top_k: 'many', think: [], thinking: 'yes' } }));
    expect(body.options).not.toHaveProperty('top_k');
    expect(body.think).toBe(false);
  });

  it('holds calls of tools and their results, by the names of the tools', async () => {
    const messages: ChatMessage[] = [
      {
        role: 'system',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'user', content: 'look', name: 'Ann' },
      {
        role: 'assistant',
        content: null,
        toolCalls: [
          { id: 'c1', name: 'look', arguments: '{"at":"sea"}' },
          { id: 'c2', name: 'hear', arguments: '' },
          { id: 'c3', name: 'hear', arguments: 'no {json' },
        ],
      },
      { role: 'tool', toolCallId: 'c2', content: 'waves' },
      { role: 'tool', toolCallId: 'c1', content: 'blue' },
      { role: 'tool', toolCallId: 'c9', content: 'whose?' },
    ];
    expect((await sent(asked(TOOLS, { messages }))).messages).toEqual([
      { role: 'system', content: 'a\nb' },
      { role: 'user', content: 'look' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { function: { name: 'look', arguments: { at: 'sea' } } },
          { function: { name: 'hear', arguments: {} } },
          { function: { name: 'hear', arguments: { arguments: 'no {json' } } },
        ],
      },
      { role: 'tool', content: 'waves', tool_name: 'hear' },
      { role: 'tool', content: 'blue', tool_name: 'look' },
      { role: 'tool', content: 'whose?' },
    ]);
  });

  it('holds tools, unless none may be called', async () => {
    const { tools } = await sent(asked({ ...TOOLS, toolChoice: 'auto' }));
    expect(tools).toEqual([
      { type: 'function', function: LOOK },
      { type: 'function', function: { name: 'hear', parameters: { type: 'object', properties: {} } } },
    ]);
    expect(await sent(asked({ ...TOOLS, toolChoice: 'none' }))).not.toHaveProperty('tools');
  });

  it('holds a format', async () => {
    expect((await sent(asked({ responseFormat: { type: 'json_object' } }))).format).toBe('json');
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    expect((await sent(asked({ responseFormat: { type: 'json_schema', name: 'n', schema } }))).format).toEqual(schema);
  });
});

describe('images', () => {
  const seen = (...urls: string[]): GenerateCall => {
    const images = urls.map((url) => ({ type: 'image' as const, url }));
    return asked({}, { messages: [{ role: 'user', content: [{ type: 'text', text: 'what is this?' }, ...images] }] });
  };

  it('go as base64', async () => {
    const { messages } = await sent(seen('data:image/png;base64,iVBORw0KGgo=', 'data:image/jpeg;base64,AAEC'));
    expect(messages).toEqual([{ role: 'user', content: 'what is this?', images: ['iVBORw0KGgo=', 'AAEC'] }]);
  });

  it('are never read as the path of a file of ours, not in a second try either', async () => {
    set({ refuseThink: true, modelFields: { 'fake-model': { capabilities: ['completion', 'vision'] } } });
    const { messages } = await sent(seen('data:image/png;base64,/etc/profile'));
    expect(messages).toEqual([{ role: 'user', content: 'what is this?', images: ['/etc/profile'] }]);
  });

  it.each(['https://example.org/a.png', 'data:image/png;base64,', 'data:text/plain,hello'])(
    'are refused where they are none: %s',
    async (url) => {
      const { error } = await failureOf(provider().generate(seen(url)));
      expect(error.toFailure()).toMatchObject({ type: 'ProviderRejected', parameter: 'messages' });
      expect(error.message).toContain('data: URI');
      expect(fake.stats.calls).toBe(0);
    },
  );
});

describe('thinking', () => {
  const GPT_OSS = { 'fake-model': { architecture: 'gptoss' } };
  const CANNOT = { 'fake-model': { capabilities: ['completion'] } };

  it.each<[string, CallOptions, unknown]>([
    ['nothing said', {}, false],
    ['none', { reasoningEffort: 'none' }, false],
    ['an effort', { reasoningEffort: 'low' }, true],
    ['think', { dialect: { think: true } }, true],
    ['enable_thinking', { dialect: { enable_thinking: true } }, true],
    ['enable_thinking off', { dialect: { enable_thinking: false } }, false],
    ['thinking', { dialect: { thinking: { type: 'enabled' } } }, true],
    ['thinking off', { dialect: { thinking: { type: 'disabled' } } }, false],
    ['a template', { dialect: { chat_template_kwargs: { enable_thinking: true } } }, true],
    ['an effort and its opposite', { reasoningEffort: 'none', dialect: { think: true } }, false],
  ])('is asked for as a client says it: %s', async (_name, options, think) => {
    expect((await sent(asked(options))).think).toBe(think);
  });

  it.each([
    ['minimal', 'low'],
    ['medium', 'medium'],
    ['xhigh', 'high'],
    ['much', true],
  ])('is asked for by level where the model knows levels: %s', async (reasoningEffort, think) => {
    set({ modelFields: GPT_OSS });
    expect((await sent(asked({ reasoningEffort }))).think).toBe(think);
  });

  it('is not asked of a model that cannot', async () => {
    set({ modelFields: CANNOT });
    expect((await sent(asked({ reasoningEffort: 'high' }))).think).toBe(false);
    expect(fake.stats.calls).toBe(1);
    set({});
    expect((await sent(asked({ reasoningEffort: 'high' }), { capabilities: ['tools'] })).think).toBe(false);
  });

  it('is given up where the host refuses it, and asked for again the next time', async () => {
    set({ modelFields: CANNOT });
    const sut = provider({ capabilities: ['thinking'] });
    await collect(sut.generate(asked({ reasoningEffort: 'high' })));
    expect(fake.bodies.at(-1)?.think).toBe(false);
    set({});
    await collect(sut.generate(asked({ reasoningEffort: 'high' })));
    expect(fake.bodies.at(-1)?.think).toBe(true);
  });

  it('goes with the answer to a program, and to nobody else', async () => {
    set({ reasoning: 'let me see' });
    const { reasoning, text } = await everythingOf(provider().generate(asked({ reasoningEffort: 'low' })));
    expect([reasoning, text]).toEqual(['let me see', expect.stringContaining('echo')]);
    expect((await everythingOf(provider().generate(aCall('hello')))).reasoning).toBe('');
  });
});

describe('what is read', () => {
  it.each(['token', 'byte', 'whole'] as const)('calls of tools, with ids of their own: %s', async (packets) => {
    const calls = [{ name: 'look', arguments: { at: 'море' } }, { name: 'hear' }];
    set({ packets, toolCalls: { calls, text: 'I look. ' } });
    const { text, toolCalls, end } = await everythingOf(provider().generate(asked(TOOLS)));
    expect(text).toBe('I look. ');
    expect(toolCalls).toEqual([
      { id: expect.stringMatching(/^call_/), name: 'look', arguments: '{"at":"море"}' },
      { id: expect.stringMatching(/^call_/), name: 'hear', arguments: '{}' },
    ]);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
    expect(end.finishReason).toBe('tool_calls');
  });

  it('the ids of a host that gives them', async () => {
    set({ toolCalls: { calls: [{}], ids: 'once' } });
    const { toolCalls } = await everythingOf(provider().generate(asked(TOOLS)));
    expect(toolCalls).toEqual([{ id: 'call_fake0', name: 'look', arguments: '{}' }]);
  });

  it('nothing at all, where a program reads it', async () => {
    fake.fail({ kind: 'empty' });
    expect((await collect(provider().generate(asked()))).text).toBe('');
  });

  it('the refusal of tools, under their name', async () => {
    set({ modelFields: { 'fake-model': { capabilities: ['completion'] } } });
    const { error } = await failureOf(provider().generate(asked(TOOLS)));
    expect(error.toFailure()).toEqual({
      type: 'ProviderRejected',
      message: 'local\'s model "fake-model" cannot call tools (HTTP 400)',
      parameter: 'tools',
    });
  });
});

describe('facts', () => {
  const LACKS = OLLAMA_LACKS;

  it('are what the host shows, and no longer than our context', async () => {
    expect(await provider().facts(signal())).toEqual({
      model: 'fake-model',
      contextLength: 4_096,
      capabilities: ['completion', 'json_schema', 'tools', 'vision', 'thinking'],
      lacks: LACKS,
    });
    set({ modelFields: { 'fake-model': { contextLength: 2_048, capabilities: ['completion', 'insert'] } } });
    const facts = await provider().facts(signal());
    expect([facts.contextLength, facts.capabilities]).toEqual([2_048, ['completion', 'json_schema']]);
    set({ models: ['nomic-embed'] });
    expect((await provider({ model: '' }).facts(signal())).capabilities).toEqual(['embeddings']);
  });

  it('are what the profile says, which is also asked for', async () => {
    const known = { contextLength: 8_192, capabilities: ['completion', 'tools'] } as const;
    expect(await provider(known).facts(signal())).toMatchObject(known);
    expect((await sent(asked(), known)).options).toMatchObject({ num_ctx: 8_192 });
  });

  it('are as usual where the host does not tell', async () => {
    set({ models: [] });
    const facts = await provider().facts(signal());
    expect([facts.contextLength, facts.capabilities]).toEqual([4_096, ['completion', 'tools', 'json_schema']]);
    const unknown = await provider({ model: 'my-embedder' }).facts(signal());
    expect(unknown.capabilities).toEqual(['embeddings']);
  });

  it('are kept', async () => {
    const sut = provider();
    const before = await sut.facts(signal());
    set({ modelFields: { 'fake-model': { capabilities: ['completion'] } } });
    expect(await sut.facts(signal())).toEqual(before);
  });
});

describe('texts', () => {
  const texts = ['one two', 'Привіт'];
  const sut = (): OllamaProvider => provider({ model: 'embedder' });
  const embed = (over: object = {}): ReturnType<OllamaProvider['embed']> =>
    sut().embed({ input: texts, signal: signal(), ...over });

  it('become vectors in base64, in order', async () => {
    set({ models: ['embedder'] });
    const { embeddings, usage } = await embed({ dimensions: 3 });
    expect(embeddings.map((one) => Buffer.from(one, 'base64').length)).toEqual([12, 12]);
    expect(new Set(embeddings).size).toBe(2);
    expect(usage).toEqual({ prompt_tokens: 3, completion_tokens: 0, total_tokens: 3 });
    expect(fake.embeddingBodies).toEqual([
      { model: 'embedder', input: texts, truncate: false, options: { num_ctx: 4_096 }, dimensions: 3 },
    ]);
  });

  it('are many at once', async () => {
    set({ models: ['embedder'], embeddings: { ...DEFAULT_SETTINGS.embeddings, dimensions: 1_024 } });
    const input = Array.from({ length: 64 }, (_, at) => `text ${at}`);
    const { embeddings } = await embed({ input });
    expect(new Set(embeddings).size).toBe(64);
  });

  it('fail in our words', async () => {
    set({ models: ['embedder'], contextWords: 1 });
    await expect(embed()).rejects.toMatchObject({ type: 'ContextLengthExceeded' });
    set({ models: [] });
    await expect(embed()).rejects.toMatchObject({ type: 'ModelNotFound' });
    const aborted = AbortSignal.abort(new Error('gone'));
    await expect(embed({ signal: aborted })).rejects.toBe(aborted.reason);
  });
});

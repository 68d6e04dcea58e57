import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import type OpenAI from 'openai';
import { Dify } from '../clients/dify.js';
import { Driver } from '../clients/driver.js';
import { asks, MODEL, Stage } from '../clients/stage.js';
import { ASKS_FOR_BOTH, BOTH, FUNCTIONS, TOOLS } from '../clients/tools.js';

type Message = OpenAI.ChatCompletionMessageParam;
type Asked = OpenAI.ChatCompletionMessageFunctionToolCall;

const PROMPT = 'How is it in Kyiv, and how late? #tools';
/** What the tools tell: with a word, since that is what the fake says back. */
const told = (name: string): string => `${name} has told`;

const plain = ({ function: { name, arguments: text } }: Pick<Asked, 'function'>): object => ({
  name,
  arguments: JSON.parse(text) as unknown,
});

describe('calls of tools', () => {
  let stage: Stage;
  let openai: Driver;
  let langchain: Driver;
  let difyDriver: Driver;
  let dify: Dify;

  beforeAll(async () => {
    openai = await Driver.start('openai');
    [stage, langchain, difyDriver] = await Promise.all([
      Stage.open({ provider: { capabilities: ['completion', 'tools', 'json_schema'] } }),
      Driver.start('langchain'),
      Driver.start('dify'),
    ]);
    dify = new Dify(difyDriver, stage.address);
  }, 300_000);
  afterAll(async () => {
    await Promise.all([openai.close(), langchain.close(), difyDriver.close()]);
    await stage.close();
  });
  beforeEach(() => {
    stage.reset({ toolCalls: ASKS_FOR_BOTH });
  });

  /** What is sent on, once the tools have told something. */
  const next = (calls: readonly Asked[]): Message[] => [
    ...asks(PROMPT).messages,
    { role: 'assistant', content: null, tool_calls: [...calls] },
    ...calls.map(({ id, function: { name } }): Message => ({ role: 'tool', tool_call_id: id, content: told(name) })),
  ];

  it('OpenAI 14: there and back, in whole', async () => {
    const client = stage.client();
    const { choices } = await client.chat.completions.create({ ...asks(PROMPT), tools: TOOLS });
    expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
    const calls = choices[0]?.message.tool_calls as Asked[];
    expect(calls.map(plain)).toEqual(BOTH);
    const answer = await client.chat.completions.create({ model: MODEL, messages: next(calls), tools: TOOLS });
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop' });
    expect(answer.choices[0]?.message.content).toContain('clock has told');
    expect(stage.fake.bodies.at(-1)?.messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: calls.map(({ id }) => ({ id })) },
      ...calls.map(({ id }) => ({ role: 'tool', tool_call_id: id })),
    ]);
  });

  it('OpenAI 14: there and back, in chunks', async () => {
    const client = stage.client();
    const streamed = client.chat.completions.stream({ ...asks(PROMPT), tools: TOOLS });
    const { choices } = await streamed.finalChatCompletion();
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    const calls = choices[0]?.message.tool_calls as Asked[];
    expect(calls.map(plain)).toEqual(BOTH);
    const answer = client.chat.completions.stream({ model: MODEL, messages: next(calls), tools: TOOLS });
    expect(await answer.finalContent()).toContain('clock has told');
  });

  it('OpenAI 14: functions, as tools were called before', async () => {
    const { choices } = await stage.client().chat.completions.create({ ...asks(PROMPT), functions: FUNCTIONS });
    expect(choices[0]?.finish_reason).toBe('function_call');
    expect(choices[0]?.message.function_call).toMatchObject({ name: 'weather' });
  });

  it.each(['generateText', 'streamText'])('OpenAI 14: ai-sdk runs both and answers from them (%s)', async (way) => {
    const provider = createOpenAICompatible({ name: 'dagi', baseURL: stage.base, apiKey: stage.key });
    const tools = Object.fromEntries(
      FUNCTIONS.map(({ name, description, parameters }) => [
        name,
        tool({ description, inputSchema: jsonSchema(parameters), execute: () => Promise.resolve(told(name)) }),
      ]),
    );
    const twice = { stopWhen: ({ steps }: { steps: unknown[] }) => steps.length === 2 };
    const call = { model: provider(MODEL), prompt: PROMPT, tools, maxRetries: 0, ...twice };
    const text = way === 'generateText' ? (await generateText(call)).text : await streamText(call).text;
    expect(text).toContain('clock has told');
  });

  it('OpenAI 14: LangChain reads both', async () => {
    const configuration = { baseURL: stage.base };
    const model = new ChatOpenAI({ model: MODEL, apiKey: stage.key, configuration, maxRetries: 0 }).bindTools(TOOLS);
    const read = (calls: { name: string; args: unknown }[] = []): object[] =>
      calls.map(({ name, args }) => ({ name, arguments: args }));
    expect(read((await model.invoke(PROMPT)).tool_calls)).toEqual(BOTH);
    let whole: Awaited<ReturnType<typeof model.invoke>> | undefined;
    for await (const piece of await model.stream(PROMPT)) whole = whole ? whole.concat(piece) : piece;
    expect(read(whole?.tool_calls)).toEqual(BOTH);
  });

  it.each(['invoke', 'stream'])('OpenAI 14: LangChain in Python reads both (%s)', async (way) => {
    const parameters = { client: stage.address, messages: PROMPT, options: { model: MODEL }, tools: TOOLS };
    const answer = await langchain.call<{ tool_calls: { name: string; args: unknown }[] }>(way, parameters);
    expect(answer.tool_calls.map(({ name, args }) => ({ name, arguments: args }))).toEqual(BOTH);
  });

  it('OpenAI 14: the helper in Python reads both', async () => {
    const body = { ...asks(PROMPT), tools: TOOLS };
    const { choices } = await openai.call<OpenAI.ChatCompletion>('helper', { client: stage.address, body });
    expect((choices[0]?.message.tool_calls as Asked[]).map(plain)).toEqual(BOTH);
  });

  it.each([true, false])('Dify 9: two calls reach Dify, and the answer from them (stream: %s)', async (stream) => {
    const user = { role: 'user', content: PROMPT };
    const withTools = dify.with({ function_calling_type: 'tool_call' });
    const { tool_calls: calls } = await withTools.ask({ messages: [user], tools: FUNCTIONS, stream });
    expect(calls.map(plain)).toEqual(BOTH);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    const results = calls.map(({ id, function: { name } }) => ({
      role: 'tool',
      tool_call_id: id,
      content: told(name),
    }));
    const messages = [user, { role: 'assistant', content: '', tool_calls: calls }, ...results];
    const answer = await withTools.ask({ messages, tools: FUNCTIONS, stream });
    expect([answer.text, answer.tool_calls]).toEqual([expect.stringContaining('clock has told'), []]);
  });

  it('Dify 9: on the wire one call follows the other, each begun with its id and name', async () => {
    const text = await (await stage.send({ ...asks(PROMPT), tools: TOOLS, stream: true })).text();
    const chunks = [...text.matchAll(/^data: (\{.*)$/gm)].map(
      ([, json]) => JSON.parse(json!) as OpenAI.ChatCompletionChunk,
    );
    const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    const order = pieces.map(({ index }) => index);
    expect(order).toEqual(order.toSorted());
    expect(new Set(order)).toEqual(new Set([0, 1]));
    for (const index of [0, 1]) {
      const [first, ...others] = pieces.filter((piece) => piece.index === index);
      expect(first).toMatchObject({
        id: expect.stringMatching(/\S/),
        type: 'function',
        function: { name: BOTH[index]?.name },
      });
      expect(others.every(({ id }) => id === undefined)).toBe(true);
    }
  });

  it('Dify 9: a function reaches a Dify that knows no tools', async () => {
    const old = dify.with({ function_calling_type: 'function_call' });
    const { tool_calls: calls } = await old.ask({ messages: [{ role: 'user', content: PROMPT }], tools: FUNCTIONS });
    expect(calls.map(plain)).toEqual([BOTH[0]]);
  });

  const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], title: 'Place' };

  it('Dify 10: a schema reaches the model, wrapped or bare', async () => {
    stage.reset({ json: { city: 'Kyiv' } });
    const messages = [{ role: 'user', content: 'Say a city in JSON.' }];
    for (const schema of [SCHEMA, { name: 'place', schema: SCHEMA }]) {
      const parameters = { response_format: 'json_schema', json_schema: JSON.stringify(schema) };
      expect(JSON.parse((await dify.ask({ messages, parameters })).text)).toEqual({ city: 'Kyiv' });
      expect(stage.fake.bodies.at(-1)).toMatchObject({ response_format: { json_schema: { schema: SCHEMA } } });
    }
  });

  it('OpenAI 3: LangChain in Python gets an answer after a schema', async () => {
    stage.reset({ json: { city: 'Kyiv' } });
    const parameters = { client: stage.address, messages: 'Say a city.', options: { model: MODEL }, schema: SCHEMA };
    expect(await langchain.call('structured', parameters)).toEqual({ city: 'Kyiv' });
  });
});

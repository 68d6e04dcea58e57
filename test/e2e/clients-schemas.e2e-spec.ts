import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openAiSchemas, type AnswerKind } from '../clients/openai-schemas.js';
import { asks, CHAT, MODEL, Stage } from '../clients/stage.js';
import { ASKS_FOR_BOTH, FUNCTIONS, TOOLS } from '../clients/tools.js';

const COMPLETIONS = '/v1/completions';
const EMBEDDINGS = '/v1/embeddings';

describe('answers, held to the types of OpenAI’s library', () => {
  let stage: Stage;
  let wrongWith: ReturnType<typeof openAiSchemas>;

  beforeAll(async () => {
    wrongWith = openAiSchemas();
    const capabilities = ['completion', 'tools', 'json_schema', 'thinking', 'embeddings'];
    stage = await Stage.open({ provider: { capabilities } });
  }, 120_000);
  afterAll(() => stage.close());
  beforeEach(() => {
    stage.reset({ toolCalls: ASKS_FOR_BOTH, json: { city: 'Kyiv' }, usageDetails: true });
  });

  async function call(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const response = await stage.product.fetch(method, path, { key: stage.key }, body && JSON.stringify(body));
    return { status: response.status, text: await response.text() };
  }

  const schema = { name: 'place', schema: { type: 'object', properties: { city: { type: 'string' } } } };
  const chats: [string, object][] = [
    ['a plain one', {}],
    ['one that is cut', { max_tokens: 2 }],
    ['one with probabilities', { logprobs: true, top_logprobs: 3 }],
    ['calls of tools', { tools: TOOLS }],
    ['a call of a function', { functions: FUNCTIONS }],
    ['JSON', { response_format: { type: 'json_object' } }],
    ['JSON after a schema', { response_format: { type: 'json_schema', json_schema: schema } }],
    ['one with fields that nobody knows', { mirostat: 2, user: 'u', metadata: { a: 'b' } }],
  ];

  /** Everything that is wrong with the data of a stream. */
  function wrongInStream(kind: AnswerKind, text: string): string[] {
    const chunks = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json!) as unknown);
    expect(chunks.length).toBeGreaterThan(1);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    return chunks.flatMap((chunk) => wrongWith(kind, chunk));
  }

  it.each(chats)('OpenAI 15: a conversation, %s', async (_name, more) => {
    const body = { ...asks('Say a city in JSON. #schema'), ...more };
    const whole = await call('POST', CHAT, body);
    expect([whole.status, wrongWith('ChatCompletion', JSON.parse(whole.text))]).toEqual([200, []]);
    for (const options of [{}, { stream_options: { include_usage: true } }]) {
      const streamed = await call('POST', CHAT, { ...body, stream: true, ...options });
      expect([streamed.status, wrongInStream('ChatCompletionChunk', streamed.text)]).toEqual([200, []]);
    }
  });

  it('OpenAI 15: a conversation of a model that reasons', async () => {
    stage.reset({ reasoning: 'Hm, well', usageDetails: true });
    const whole = await call('POST', CHAT, asks('Hello'));
    expect([whole.status, wrongWith('ChatCompletion', JSON.parse(whole.text))]).toEqual([200, []]);
    const streamed = await call('POST', CHAT, { ...asks('Hello'), stream: true });
    expect(wrongInStream('ChatCompletionChunk', streamed.text)).toEqual([]);
  });

  it('OpenAI 15: a prompt', async () => {
    const body = { model: MODEL, prompt: 'Once upon a time' };
    const whole = await call('POST', COMPLETIONS, body);
    expect([whole.status, wrongWith('Completion', JSON.parse(whole.text))]).toEqual([200, []]);
    const streamed = await call('POST', COMPLETIONS, {
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    });
    // The library has one type for both. OpenAI itself tells no reason before the end, in chunks of either kind.
    expect(
      wrongInStream('Completion', streamed.text.replaceAll('"finish_reason":null', '"finish_reason":"stop"')),
    ).toEqual([]);
  });

  it('OpenAI 15: vectors', async () => {
    const { status, text } = await call('POST', EMBEDDINGS, { model: MODEL, input: ['one', 'two'] });
    expect([status, wrongWith('CreateEmbeddingResponse', JSON.parse(text))]).toEqual([200, []]);
  });

  it('OpenAI 15: models', async () => {
    const list = JSON.parse((await call('GET', '/v1/models')).text) as { object: string; data: { id: string }[] };
    const kinds = new Set(list.data.map(({ id }) => id.split('/')[0]));
    expect([list.object, kinds]).toEqual(['list', new Set(['dagi-stack', 'provider', 'crew'])]);
    expect(list.data.flatMap((model) => wrongWith('Model', model))).toEqual([]);
    const one = await call('GET', '/v1/models/provider/fake');
    expect([one.status, wrongWith('Model', JSON.parse(one.text))]).toEqual([200, []]);
  });

  const refused: [string, string, object | undefined, number][] = [
    ['POST', CHAT, { ...asks('x'), messages: [] }, 400],
    ['POST', CHAT, { ...asks('x'), model: 'gpt-unknown' }, 404],
    ['POST', CHAT, { ...asks('x'), metadata: { dao_id: 'no-such' } }, 403],
    ['POST', CHAT, asks('x'.repeat(5 * 1_048_576)), 413],
    ['POST', COMPLETIONS, {}, 400],
    ['POST', EMBEDDINGS, { model: MODEL, input: 7 }, 400],
    ['GET', '/v1/models/gpt-unknown', undefined, 404],
    ['GET', '/v1/nothing', undefined, 404],
    ['GET', CHAT, undefined, 405],
  ];

  it.each(refused)('OpenAI 15: a refusal, %s %s', async (method, path, body, status) => {
    const reply = await call(method, path, body);
    const { error } = JSON.parse(reply.text) as { error: unknown };
    expect([reply.status, wrongWith('ErrorObject', error)]).toEqual([status, []]);
  });

  it('OpenAI 15: what is wrong is found', () => {
    expect(wrongWith('ChatCompletion', { object: 'chat.completion', choices: [{ index: '0' }] })).not.toEqual([]);
    expect(wrongWith('ChatCompletionChunk', { choices: [] })).not.toEqual([]);
    expect(wrongWith('ErrorObject', { message: 'x', type: 'y' })).not.toEqual([]);
  });
});

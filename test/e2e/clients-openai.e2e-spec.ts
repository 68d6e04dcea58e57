import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { CREW_MODELS, MODEL, Stage, asks } from '../clients/stage.js';
import { until } from './harness.js';

const WITH_USAGE = { stream: true, stream_options: { include_usage: true } } as const;

describe('the library of OpenAI', () => {
  let stage: Stage;
  let client: OpenAI;

  beforeAll(async () => {
    stage = await Stage.open();
    client = stage.client();
  }, 120_000);
  afterAll(() => stage.close());
  beforeEach(() => {
    stage.reset();
  });

  it('OpenAI 1: an answer in whole, with its id and its usage', async () => {
    const answer = await client.chat.completions.create(asks('Привіт 🌻 #whole'));
    expect(answer).toMatchObject({ object: 'chat.completion', model: MODEL });
    expect(answer.choices[0]).toMatchObject({ index: 0, finish_reason: 'stop', message: { role: 'assistant' } });
    expect(answer.choices[0]?.message.content).toBe('echo #whole (1 messages) Привіт 🌻 #whole');
    expect(answer._request_id).toMatch(/^[\w-]{36}$/);
    const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = answer.usage!;
    expect([prompt, completion, total]).toEqual([3, 7, 10]);
  });

  it('OpenAI 2: an answer in chunks, with its usage', async () => {
    const stream = await client.chat.completions.create({ ...asks('Привіт 🌻 #chunks'), ...WITH_USAGE });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
    expect(text).toBe('echo #chunks (1 messages) Привіт 🌻 #chunks');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 7 } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null || usage === undefined)).toBe(true);
  });

  it('OpenAI 2: the helper puts the chunks together', async () => {
    const streamed = client.chat.completions.stream({ ...asks('Hello #helper'), ...WITH_USAGE });
    const answer = await streamed.finalChatCompletion();
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop' });
    expect(answer.choices[0]?.message.content).toContain('#helper');
    expect(answer.usage?.completion_tokens).toBe(6);
  });

  it('OpenAI 4: models are listed and found, and an unknown one is not', async () => {
    const listed: string[] = [];
    for await (const model of client.models.list()) listed.push(model.id);
    expect(listed).toEqual([MODEL, 'provider/fake', ...CREW_MODELS]);
    for (const id of listed) expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model' });
    const unknown = client.models.retrieve('gpt-unknown');
    await expect(unknown).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(unknown).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    const asked = client.chat.completions.create({ ...asks('Hello'), model: 'gpt-unknown' });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(asked).rejects.toMatchObject({ code: 'model_not_found', param: 'model' });
  });

  it('OpenAI 9: a stream that is aborted, or left, frees the slot', async () => {
    stage.reset({ tokens: 1_000, tokenMs: 10 });
    const leaving = new AbortController();
    const body = { ...asks('Long #abort'), stream: true as const };
    const aborted = await client.chat.completions.create(body, { signal: leaving.signal });
    // The library ends the loop quietly where the caller's own signal was used.
    for await (const chunk of aborted) if (chunk.choices[0]?.delta.content) leaving.abort();
    await until(() => stage.fake.stats.inFlight === 0, 'the end of the aborted one', 5_000);
    for await (const chunk of await client.chat.completions.create(body)) if (chunk.choices[0]?.delta.content) break;
    await until(() => stage.fake.stats.inFlight === 0, 'the end of the one that was left', 5_000);
    expect(stage.fake.stats).toMatchObject({ calls: 2, aborted: 2, completed: 0 });
  });

  it('OpenAI 9: an answer in whole that is aborted frees the slot', async () => {
    stage.reset({ tokens: 1_000, tokenMs: 10 });
    const leaving = new AbortController();
    const asked = client.chat.completions.create(asks('Long #whole-abort'), { signal: leaving.signal });
    const failed = expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    await until(() => stage.fake.stats.inFlight === 1, 'the call');
    leaving.abort();
    await failed;
    await until(() => stage.fake.stats.inFlight === 0, 'the end of the call', 5_000);
  });

  it.each(['max_tokens', 'max_completion_tokens'])('OpenAI 13: %s is heeded', async (name) => {
    stage.reset({ tokens: 40 });
    const answer = await client.chat.completions.create({ ...asks('Long #cut'), [name]: 4 });
    expect(answer.choices[0]?.finish_reason).toBe('length');
    expect(answer.choices[0]?.message.content?.trim().split(/\s+/)).toHaveLength(4);
    expect(answer.usage?.completion_tokens).toBe(4);
    const stream = await client.chat.completions.create({ ...asks('Long #cut'), [name]: 4, stream: true });
    const reasons: (string | null)[] = [];
    for await (const chunk of stream) reasons.push(chunk.choices[0]?.finish_reason ?? null);
    expect(reasons.filter(Boolean)).toEqual(['length']);
  });
});

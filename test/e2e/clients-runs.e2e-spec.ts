import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';
import { ChatOpenAI } from '@langchain/openai';
import OpenAI from 'openai';
import { Driver } from '../clients/driver.js';
import { asks, MODEL, Stage } from '../clients/stage.js';
import { until } from './harness.js';

describe('a run that does not come to its end, or comes twice', () => {
  let stage: Stage;
  let python: Driver;

  beforeAll(async () => {
    [stage, python] = await Promise.all([Stage.open(), Driver.start('openai')]);
  }, 300_000);
  afterAll(async () => {
    await python.close();
    await stage.close();
  });
  beforeEach(() => {
    stage.reset();
  });

  describe('a failure in mid-stream', () => {
    /** To be called once a part of the answer has come: then it breaks. */
    let heard: () => void;
    beforeEach(() => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      heard = () => {
        resolve(undefined);
      };
      stage.reset({ tokens: 30 });
      stage.fake.fail({ kind: 'reset-mid-stream', times: 9, afterTokens: 12, until: promise });
    });
    afterEach(() => stage.recover());

    it('OpenAI 8: is an error of the library', async () => {
      const stream = await stage.client({ maxRetries: 2 }).chat.completions.create({ ...asks('x'), stream: true });
      const read = async (): Promise<void> => {
        for await (const { choices } of stream) {
          expect(choices[0]?.finish_reason).toBeNull();
          if (choices[0]?.delta.content) heard();
        }
      };
      const error: unknown = await read().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect(error).toMatchObject({ code: 'stream_interrupted', type: 'server_error', param: null });
    });

    it('OpenAI 8: is an error and an end with an error in ai-sdk', async () => {
      const provider = createOpenAICompatible({ name: 'dagi', baseURL: stage.base, apiKey: stage.key });
      const errors: unknown[] = [];
      const onError = ({ error }: { error: unknown }): void => void errors.push(error);
      const { fullStream, finishReason } = streamText({ model: provider(MODEL), prompt: 'x', maxRetries: 2, onError });
      const parts: string[] = [];
      for await (const { type } of fullStream) {
        parts.push(type);
        if (type === 'text-delta') heard();
      }
      expect(parts).toContain('text-delta');
      expect(parts).toContain('error');
      expect(await finishReason).toBe('error');
      expect(errors).toHaveLength(1);
    });

    it('OpenAI 8: is an error of LangChain', async () => {
      const configuration = { baseURL: stage.base };
      const model = new ChatOpenAI({ model: MODEL, apiKey: stage.key, configuration, maxRetries: 0 });
      const read = async (): Promise<void> => {
        for await (const { content } of await model.stream('x')) {
          expect(content).toEqual(expect.any(String));
          if (content !== '') heard();
        }
      };
      await expect(read()).rejects.toThrow(/\S/);
    });

    it('OpenAI 8: is an error of the Python library', async () => {
      const asked = python.call('stream', { client: stage.address, body: asks('x') }, heard);
      await expect(asked).rejects.toMatchObject({ kinds: expect.arrayContaining(['APIError']) });
    });
  });

  describe('an Idempotency-Key', () => {
    const named = (name: string): { headers: Record<string, string> } => ({ headers: { 'Idempotency-Key': name } });

    it('OpenAI 10: has the answer of the first run, sequentially', async () => {
      const client = stage.client();
      const first = await client.chat.completions.create(asks('Hello #sequential'), named('sequential'));
      const second = await client.chat.completions.create(asks('Hello #sequential'), named('sequential'));
      expect(second).toEqual(first);
      expect(stage.fake.stats.calls).toBe(1);
    });

    it('OpenAI 10: buys one answer for ten at once, whole or in chunks', async () => {
      stage.reset({ tokens: 20, tokenMs: 10, firstTokenMs: 100 });
      const client = stage.client();
      const ask = async (at: number): Promise<{ id: string; text: string }> => {
        const body = asks('Hello #at-once');
        if (at % 2 === 0) {
          const { id, choices } = await client.chat.completions.create(body, named('at-once'));
          return { id, text: choices[0]?.message.content ?? '' };
        }
        const streamed = client.chat.completions.stream(body, named('at-once'));
        const { id, choices } = await streamed.finalChatCompletion();
        return { id, text: choices[0]?.message.content ?? '' };
      };
      const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => ask(at)));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(stage.fake.stats.calls).toBe(1);
    });

    it('OpenAI 10: refuses another body, once, whatever the library may try', async () => {
      const tries: number[] = [];
      const watched = async (...call: Parameters<typeof fetch>): Promise<Response> => {
        const response = await fetch(...call);
        tries.push(response.status);
        return response;
      };
      const client = stage.client({ maxRetries: 2, fetch: watched });
      await client.chat.completions.create(asks('Hello #one'), named('taken'));
      const other = client.chat.completions.create(asks('Hello #other'), named('taken'));
      await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });
      expect(tries).toEqual([200, 422]);
      expect(stage.fake.stats.calls).toBe(1);
    });
  });

  describe('a client that is killed', () => {
    /** A client that began to read and is killed then. */
    async function killed(body: object, headers: Record<string, string> = {}): Promise<void> {
      const victim = await Driver.start('openai');
      await new Promise<void>((began) => {
        const lost = victim.call('stream', { client: stage.address, body, headers }, () => began());
        lost.catch(() => undefined);
      });
      await victim.kill();
    }

    const again = { 'x-stainless-retry-count': '1' };

    it('OpenAI 11: has its run cancelled, and comes again for one answer', async () => {
      stage.reset({ tokens: 60, tokenMs: 20 });
      const body = asks('Long #killed');
      await killed(body);
      await until(() => stage.fake.stats.aborted === 1, 'the end of the first run', 2_000);
      const answer = await stage.client({ defaultHeaders: again }).chat.completions.create(body);
      expect(answer.choices[0]?.message.content).toContain('#killed');
      expect(stage.fake.stats).toMatchObject({ calls: 2, completed: 1, completedByPrompt: { killed: 1 } });
    }, 120_000);

    it('OpenAI 11: finds the answer of its first run where it named it', async () => {
      stage.reset({ tokens: 60, tokenMs: 20 });
      const body = asks('Long #named');
      await killed(body, { 'Idempotency-Key': 'named' });
      const client = stage.client({ defaultHeaders: { ...again, 'Idempotency-Key': 'named' } });
      const answer = await client.chat.completions.create(body);
      expect(answer.choices[0]?.message.content).toContain('#named');
      expect(stage.fake.stats).toMatchObject({ calls: 1, completed: 1, aborted: 0 });
    }, 120_000);
  });
});

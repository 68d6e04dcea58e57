import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type OpenAI from 'openai';
import { Dify } from '../clients/dify.js';
import { Driver } from '../clients/driver.js';
import { nodeClients, pythonClients, type Client } from '../clients/node-clients.js';
import { CREW_MODELS, MODEL, Stage, asks } from '../clients/stage.js';
import { embeddedModelPath } from '../support/embedded-model.js';

const PROMPT = 'What is a farm? Answer in one short sentence.';
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string', maxLength: 20 } },
  required: ['city'],
  additionalProperties: false,
};

describe('clients with the embedded model', () => {
  let stage: Stage;
  let client: OpenAI;
  let drivers: Driver[];
  let clients: Record<string, Client>;
  let dify: Dify;

  beforeAll(async () => {
    const openai = await Driver.start('openai');
    const modelPath = await embeddedModelPath();
    // As a fresh clone has it: nothing configured, everything embedded.
    const routing_rules = [{ name: 'chat', conditions: { mode: 'chat' }, use_provider: 'embedded' }];
    const profile = { version: '1', environment: 'development', routing_rules };
    const [opened, langchain, driver] = await Promise.all([
      Stage.open({ profile, modelPath }),
      Driver.start('langchain'),
      Driver.start('dify'),
    ]);
    stage = opened;
    client = stage.client();
    drivers = [openai, langchain, driver];
    clients = { ...nodeClients(stage.address), ...pythonClients(stage.address, openai, langchain) };
    dify = new Dify(driver, stage.address);
  }, 300_000);
  afterAll(async () => {
    await Promise.all(drivers.map((driver) => driver.close()));
    await stage.close();
  });

  it('OpenAI 1: an answer in whole', async () => {
    const answer = await client.chat.completions.create({ ...asks(PROMPT), max_tokens: 40 });
    expect(answer.choices[0]?.message.content).toMatch(/\w{3}/);
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(5);
    expect(answer.usage?.completion_tokens).toBeGreaterThan(2);
  }, 120_000);

  it('OpenAI 2: an answer in chunks', async () => {
    const body = { ...asks(PROMPT), max_tokens: 40, stream_options: { include_usage: true } };
    const { choices, usage } = await client.chat.completions.stream(body).finalChatCompletion();
    expect(choices[0]?.message.content).toMatch(/\w{3}/);
    expect(usage?.completion_tokens).toBeGreaterThan(2);
  }, 120_000);

  it('OpenAI 3: every library is answered', async () => {
    for (const [name, ask] of Object.entries(clients)) {
      const { text, completionTokens } = await ask(PROMPT, { maxTokens: 30 });
      expect([name, text]).toEqual([name, expect.stringMatching(/\w{3}/)]);
      expect([name, completionTokens]).toEqual([name, expect.any(Number)]);
    }
  }, 240_000);

  it('OpenAI 4: its model is listed', async () => {
    const listed: string[] = [];
    for await (const { id } of client.models.list()) listed.push(id);
    expect(listed).toEqual([MODEL, 'provider/embedded', ...CREW_MODELS]);
  });

  it('OpenAI 13: an answer is cut where that is asked for', async () => {
    const answer = await client.chat.completions.create({ ...asks('Count to one hundred.'), max_completion_tokens: 5 });
    expect(answer.choices[0]?.finish_reason).toBe('length');
    expect(answer.usage?.completion_tokens).toBeLessThanOrEqual(5);
  }, 120_000);

  it('Dify 1: a model is saved', async () => {
    expect(await dify.save()).toBe('valid');
    expect(await dify.with({ stream_mode_auth: 'use' }).save()).toBe('valid');
    expect(await dify.with({ mode: 'completion' }).save()).toBe('valid');
  }, 120_000);

  it.each([true, false])(
    'Dify 6: an app is answered (stream: %s)',
    async (stream) => {
      const messages = [{ role: 'user', content: PROMPT }];
      const answer = await dify.ask({ messages, stream, parameters: { max_tokens: 30 }, user: 'user-1' });
      expect(answer.text).toMatch(/\w{3}/);
      expect(answer.usage?.completion).toBeGreaterThan(2);
    },
    120_000,
  );

  it.each([SCHEMA, { name: 'place', schema: SCHEMA }])(
    'Dify 10: a schema binds the model (%#)',
    async (schema) => {
      const messages = [{ role: 'user', content: 'Name a city.' }];
      const parameters = { response_format: 'json_schema', json_schema: JSON.stringify(schema), max_tokens: 60 };
      const { text } = await dify.ask({ messages, parameters });
      expect(JSON.parse(text)).toEqual({ city: expect.any(String) });
    },
    120_000,
  );

  it('Dify 14: an app that stops reading leaves the model for the next', async () => {
    const messages = [{ role: 'user', content: 'Count from one to one hundred in words.' }];
    await dify.ask({ messages, stop_after: 2 });
    expect(
      (await dify.ask({ messages: [{ role: 'user', content: 'Say yes.' }], parameters: { max_tokens: 5 } })).text,
    ).toMatch(/\w/);
  }, 120_000);
});

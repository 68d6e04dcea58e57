import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Driver } from '../clients/driver.js';
import { nodeClients, pythonClients, type Client } from '../clients/node-clients.js';
import { CREW_MODELS, MODEL, Stage, asks } from '../clients/stage.js';

const PROMPT = 'Привіт 🌻, how are farms paid? #same';

describe('libraries beside OpenAI’s own', () => {
  let stage: Stage;
  let openai: Driver;
  let langchain: Driver;
  let clients: Record<string, Client>;

  beforeAll(async () => {
    // One after the other: the first fetches the packages where they are not there.
    openai = await Driver.start('openai');
    [stage, langchain] = await Promise.all([Stage.open(), Driver.start('langchain')]);
    clients = { ...nodeClients(stage.address), ...pythonClients(stage.address, openai, langchain) };
  }, 300_000);
  afterAll(async () => {
    await Promise.all([openai.close(), langchain.close()]);
    await stage.close();
  });
  beforeEach(() => {
    stage.reset();
  });

  it('OpenAI 3: have the same answer and the same usage', async () => {
    const own = await stage.client().chat.completions.create(asks(PROMPT));
    const expected = { text: own.choices[0]?.message.content, completionTokens: own.usage?.completion_tokens };
    const answers: Record<string, unknown> = {};
    for (const [name, ask] of Object.entries(clients)) answers[name] = await ask(PROMPT, { maxTokens: 100 });
    expect(answers).toEqual(Object.fromEntries(Object.keys(clients).map((name) => [name, expected])));
  });

  it('OpenAI 3: have it cut where they ask for that', async () => {
    stage.reset({ tokens: 50 });
    for (const [name, ask] of Object.entries(clients)) {
      if (name.endsWith('helper')) continue;
      const { text, completionTokens } = await ask(PROMPT, { maxTokens: 5 });
      expect([name, text.trim().split(/\s+/).length, completionTokens]).toEqual([name, 5, 5]);
    }
  });

  it('OpenAI 3: have a text for a prompt, by the Python library', async () => {
    const body = { model: MODEL, prompt: 'Once upon #a-time' };
    const { whole, streamed } = await openai.call<Record<string, string>>('completion', {
      client: stage.address,
      body,
    });
    expect(whole).toContain('#a-time');
    expect(streamed).toBe(whole);
  });

  it('OpenAI 4: find the models by the Python library', async () => {
    const client = stage.address;
    expect(await openai.call('models', { client })).toEqual([MODEL, 'provider/fake', ...CREW_MODELS]);
    expect(await openai.call('model', { client, name: 'provider/fake' })).toMatchObject({ id: 'provider/fake' });
    const unknown = openai.call('model', { client, name: 'gpt-unknown' });
    await expect(unknown).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('OpenAI 5: know a key that is refused by the class for it', async () => {
    const client = { ...stage.address, api_key: 'nonsense' };
    const refused = { status: 401, kinds: expect.arrayContaining(['AuthenticationError']) as unknown };
    await expect(openai.call('chat', { client, body: asks('x') })).rejects.toMatchObject(refused);
    const options = { model: MODEL };
    await expect(langchain.call('invoke', { client, messages: 'x', options })).rejects.toMatchObject(refused);
  });
});

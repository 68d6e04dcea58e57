import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../test/factories/generate-call.js';
import { DEFAULT_SETTINGS, type FakeEmbeddings, type FakeSettings } from '../../../test/fakes/fake-dialect.js';
import { vectorOf } from '../../../test/fakes/fake-openai-answers.js';
import { startFakeOpenAi } from '../../../test/fakes/fake-openai.js';
import type { Fault, WireFake } from '../../../test/fakes/wire-fake.js';
import { BrokenAnswer } from './faults.js';
import { OpenAiCompatibleProvider } from './openai-compatible.js';
import { readEmbeddings } from './openai-embeddings.js';

let fake: WireFake;
const provider = (model = 'fake-model'): OpenAiCompatibleProvider =>
  new OpenAiCompatibleProvider({ name: 'cloud', baseUrl: `${fake.url}/v1`, model, apiKey: 'sk-test' });
const set = (embeddings: Partial<FakeEmbeddings>, over: Partial<FakeSettings> = {}): void => {
  fake.settings = { ...DEFAULT_SETTINGS, ...over, embeddings: { ...DEFAULT_SETTINGS.embeddings, ...embeddings } };
};

beforeAll(async () => {
  fake = await startFakeOpenAi();
});
afterAll(() => fake.close());
afterEach(() => {
  fake.reset();
  set({});
});

const floatsOf = (base64: string): number[] => {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
};
const patient = (): AbortSignal => AbortSignal.timeout(20_000);
const INPUT = ['one text', 'another', 'третій 🌻'];

describe('vectors', () => {
  it.each<[string, Partial<FakeEmbeddings>]>([
    ['in base64', {}],
    ['in numbers', { as: 'floats' }],
    ['in another order', { reversed: true }],
  ])('come in the order of the texts: %s', async (_how, embeddings) => {
    set(embeddings);
    const answer = await provider().embed({ input: INPUT, signal: patient() });
    expect(answer.embeddings.map(floatsOf)).toEqual(INPUT.map((text) => vectorOf(text, 8)));
    expect(answer.usage).toEqual({ prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 });
    expect(fake.embeddingBodies).toEqual([{ model: 'fake-model', input: INPUT, encoding_format: 'base64' }]);
  });

  it('have the length that is asked for', async () => {
    const { embeddings } = await provider().embed({ input: ['a'], dimensions: 3, signal: patient() });
    expect(embeddings.map((one) => floatsOf(one).length)).toEqual([3]);
  });

  it('are counted here where the endpoint does not', async () => {
    set({ usage: false });
    const { usage } = await provider().embed({ input: ['hello world'], signal: patient() });
    expect(usage).toEqual({ prompt_tokens: 2, completion_tokens: 0, total_tokens: 2, estimated: true });
  });

  it('are asked for in numbers where base64 is refused', async () => {
    set({}, { refuseParameters: ['encoding_format'] });
    const sut = provider();
    const answers = [
      await sut.embed({ input: ['a'], signal: patient() }),
      await sut.embed({ input: ['a'], signal: patient() }),
    ];
    expect(answers.map(({ embeddings }) => embeddings.map(floatsOf))).toEqual([[vectorOf('a', 8)], [vectorOf('a', 8)]]);
    expect(fake.embeddingBodies.map((body) => body.encoding_format)).toEqual(['float', 'float']);
  });
});

describe('failures of vectors', () => {
  const failure = async (fault: Fault | undefined, model?: string): Promise<unknown> => {
    if (fault) fake.fail(fault);
    const thrown: unknown = await provider(model)
      .embed({ input: ['a'], dimensions: 3, signal: patient() })
      .catch((error: unknown) => error);
    return thrown;
  };

  it.each<[Fault, string]>([
    [{ kind: 'status', status: 429, headers: { 'retry-after': '7' } }, 'RateLimited'],
    [{ kind: 'status', status: 503 }, 'ProviderUnavailable'],
    [{ kind: 'reset-before-headers' }, 'ProviderUnavailable'],
  ])('are translated: %j', async (fault, type) => {
    expect(await failure(fault)).toMatchObject({ name: 'ProviderError', type });
  });

  it('name model and parameter', async () => {
    expect(await failure(undefined, 'no-such')).toMatchObject({ type: 'ModelNotFound' });
    set({}, { refuseParameters: ['dimensions'] });
    const refused = await provider()
      .embed({ input: ['a'], dimensions: 3, signal: patient() })
      .catch((error: unknown) => error as { toFailure(): object });
    expect('toFailure' in refused && refused.toFailure()).toMatchObject({
      type: 'ProviderRejected',
      parameter: 'dimensions',
    });
  });

  it('end with the signal, and close the socket', async () => {
    fake.fail({ kind: 'hang-before-headers' });
    const signal = AbortSignal.timeout(200);
    const thrown: unknown = await provider()
      .embed({ input: ['a'], signal })
      .catch((error: unknown) => error);
    expect(thrown).toBe(signal.reason);
    await eventually(() => fake.stats.aborted === 1 && fake.stats.inFlight === 0);
  });
});

describe('an answer that is no list of vectors', () => {
  const one = (index?: number): object => ({ index, embedding: [1] });

  it.each([
    [{}],
    [{ data: [one(0)] }],
    [{ data: [one(0), one(1), one(2)] }],
    [{ data: [one(0), one(0)] }],
    [{ data: [one(1), one(2)] }],
    [{ data: [{ embedding: [] }, one()] }],
    [{ data: [{ embedding: 'AAA' }, one()] }],
  ])('is broken: %j', (answer) => {
    expect(() => readEmbeddings(answer, 2)).toThrow(BrokenAnswer);
  });

  it('may leave out the numbers', () => {
    expect(readEmbeddings({ data: [one(), one()] }, 2).embeddings).toHaveLength(2);
  });
});

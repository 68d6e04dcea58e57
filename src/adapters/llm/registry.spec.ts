import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { closedUrl } from '../../../test/factories/generate-call.js';
import { startFakeOpenAi } from '../../../test/fakes/fake-openai.js';
import type { WireFake } from '../../../test/fakes/wire-fake.js';
import type { PoolPolicy } from '../../contracts/request.js';
import type { ProviderConfig } from '../../contracts/provider-config.js';
import { LlmRegistry } from './registry.js';

let fake: WireFake;
beforeAll(async () => {
  fake = await startFakeOpenAi();
});
afterAll(() => fake.close());

const config = (over: Pick<ProviderConfig, 'name' | 'type'> & Partial<ProviderConfig>): ProviderConfig => ({
  maxTokens: 100,
  temperature: 0.3,
  topP: 0.7,
  timeoutMs: 1_000,
  maxAttempts: 2,
  retryDelayMs: 0,
  ...over,
});

describe('LlmRegistry', () => {
  it('builds a provider once and knows how it is asked', () => {
    const sut = new LlmRegistry([config({ name: 'a', type: 'openai' }), config({ name: 'b', type: 'ollama' })]);
    expect(sut.get('a')).toBe(sut.get('a'));
    expect(sut.get('b').name).toBe('b');
    expect(sut.sampling('a')).toEqual({ temperature: 0.3, topP: 0.7 });
  });

  it('refuses a name that is not configured, and an entry that leads nowhere', () => {
    const sut = new LlmRegistry([
      config({ name: 'a', type: 'openai-compatible' }),
      config({ name: 'e', type: 'embedded' }),
    ]);
    expect(() => sut.get('zzz')).toThrow('There is no provider "zzz". Configured: a, e.');
    expect(() => sut.get('a')).toThrow('Provider "a" needs a base_url.');
    expect(() => sut.get('e')).toThrow('Provider "e" needs a model file.');
  });

  it('checks all at once and says why one is not there', async () => {
    const sut = new LlmRegistry([
      config({ name: 'up', type: 'openai-compatible', baseUrl: `${fake.url}/v1` }),
      config({ name: 'down', type: 'ollama', baseUrl: await closedUrl() }),
      config({ name: 'no-file', type: 'embedded', modelPath: '/nowhere/model.gguf' }),
      config({ name: 'bad', type: 'embedded' }),
    ]);
    // The first check loads the client libraries, which takes seconds on a busy machine.
    expect(await sut.checkAll(20_000)).toEqual([
      { name: 'up', ok: true, ms: expect.any(Number) },
      { name: 'down', ok: false, ms: expect.any(Number), reason: 'down does not answer (ECONNREFUSED)' },
      {
        name: 'no-file',
        ok: false,
        ms: expect.any(Number),
        reason: 'no-file has no model file at the configured path',
      },
      { name: 'bad', ok: false, ms: expect.any(Number), reason: 'Provider "bad" needs a model file.' },
    ]);
    expect((await sut.check(['no-file'])).map(({ name }) => name)).toEqual(['no-file']);
    await sut.close();
  });

  describe('when the configuration changes', () => {
    const cloud = config({ name: 'cloud', type: 'openai', model: 'm' });
    const local = config({ name: 'local', type: 'ollama', model: 'm' });

    it('keeps what did not change, and builds anew what did', () => {
      const sut = new LlmRegistry([cloud, local]);
      const before = [sut.get('cloud'), sut.get('local')];
      sut.configure([{ ...local, temperature: 0.9 }, { ...cloud }]);
      expect(sut.get('cloud')).toBe(before[0]);
      expect(sut.get('local')).not.toBe(before[1]);
      expect(sut.sampling('local').temperature).toBe(0.9);
    });

    it('still finds what was taken away, for requests that were decided before', async () => {
      const sut = new LlmRegistry([cloud, local]);
      const before = sut.get('local');
      sut.configure([cloud]);
      sut.configure([cloud]);
      expect([sut.get('local'), sut.sampling('local').topP]).toEqual([before, 0.7]);
      expect((await sut.describe()).map(({ name }) => name)).toEqual(['cloud']);
      sut.configure([local]);
      expect(sut.get('local')).toBe(before);
      sut.configure([cloud]);
      sut.configure([cloud, { ...local, model: 'other' }]);
      expect(sut.get('local')).not.toBe(before);
      expect(() => sut.get('never')).toThrow('Configured: cloud, local.');
    });

    const pool = (name: string): PoolPolicy => ({ name, slots: 3, maxWaiting: 9, maxWaitMs: 1_000 });

    it('knows the pool of the address that it leads to, and of what was taken away the last one', () => {
      const sut = new LlmRegistry([cloud, local], { local: pool('a') });
      expect([sut.pool('local'), sut.pool('cloud'), sut.pool('constructor')]).toEqual([
        pool('a'),
        undefined,
        undefined,
      ]);
      const before = sut.get('local');
      sut.configure([cloud, local], { local: { ...pool('a'), slots: 1 }, cloud: pool('own') });
      expect([sut.pool('local')?.slots, sut.pool('cloud')]).toEqual([1, pool('own')]);
      expect(sut.get('local')).toBe(before);
      sut.configure([cloud, { ...local, baseUrl: 'http://b' }], { local: pool('b') });
      expect([sut.pool('local'), sut.pool('cloud')]).toEqual([pool('b'), undefined]);
      sut.configure([cloud], {});
      expect(sut.pool('local')).toEqual(pool('b'));
    });

    it('closes what it replaced with the rest', async () => {
      const sut = new LlmRegistry([cloud, local]);
      const closes = ['cloud', 'local'].map((name) => jest.spyOn(sut.get(name), 'close'));
      sut.configure([{ ...cloud, model: 'other' }, local]);
      expect(closes.map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
      await sut.close();
      expect(closes.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    });
  });

  it('tells the model that is configured, or that the endpoint chooses, and no address or key', async () => {
    const sut = new LlmRegistry([
      config({ name: 'named', type: 'deepseek', model: 'm', apiKey: 'secret' }),
      config({ name: 'first', type: 'openai-compatible', baseUrl: `${fake.url}/v1` }),
      config({ name: 'down', type: 'ollama', baseUrl: await closedUrl() }),
      config({ name: 'bad', type: 'embedded' }),
    ]);
    expect(await sut.describe()).toEqual([
      { name: 'named', type: 'deepseek', model: 'm' },
      { name: 'first', type: 'openai-compatible', model: 'fake-model' },
      { name: 'down', type: 'ollama', model: null },
      { name: 'bad', type: 'embedded', model: null },
    ]);
  });

  it('tells what is known of a model, and never fails', async () => {
    const sut = new LlmRegistry([
      config({
        name: 'vectors',
        type: 'openai-compatible',
        baseUrl: `${fake.url}/v1`,
        model: 'fake-model',
        contextLength: 512,
        capabilities: ['embeddings'],
      }),
      config({ name: 'down', type: 'deepseek', baseUrl: await closedUrl() }),
      config({ name: 'nowhere', type: 'openai-compatible' }),
    ]);
    const all = ['vectors', 'down', 'nowhere', 'never'].map((name) => sut.facts(name));
    expect(await Promise.all(all)).toEqual([
      { model: 'fake-model', contextLength: 512, maxTokens: 100, capabilities: ['embeddings'], lacks: [] },
      expect.objectContaining({ model: null, contextLength: null, capabilities: ['completion', 'tools'] }),
      undefined,
      undefined,
    ]);
    sut.configure([]);
    expect(await sut.facts('vectors')).toBeUndefined();
  });
});

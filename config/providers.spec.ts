import { describe, expect, it } from '@jest/globals';
import type { Env } from './env.js';
import type { ProfileProvider } from './profile-schema.js';
import { configureProvider, environmentProviders, type ConfiguredProvider } from './providers.js';

const env = (part: Partial<Env> = {}): Env => part as Env;

const OFFERS = {
  OLLAMA_BASE_URL: 'http://ollama:11434',
  OPENAI_API_KEY: 'sk-openai',
  OPENAI_BASE_URL: 'http://gateway/v1',
  DEEPSEEK_API_KEY: 'sk-deepseek',
} as const;
type Offer = keyof typeof OFFERS;

/** Every combination of the variables that offer a provider. */
const COMBINATIONS = Array.from({ length: 2 ** 4 }, (_, bits) =>
  (Object.keys(OFFERS) as Offer[]).filter((_name, index) => (bits >> index) & 1),
);

const configure = (
  type: ProfileProvider['type'],
  config: ProfileProvider['config'] = {},
  part: Partial<Env> = {},
  secrets: NodeJS.ProcessEnv = {},
): ConfiguredProvider => configureProvider({ name: 'p', type, config }, env(part), secrets);

describe('environmentProviders', () => {
  it.each(COMBINATIONS.map((offers) => [offers] as const))('keeps the order for %j', (offers) => {
    const set = (name: Offer): boolean => offers.includes(name);
    const offered = environmentProviders(env(Object.fromEntries(offers.map((name) => [name, OFFERS[name]]))));
    expect(offered.map(({ name, type }) => [name, type])).toEqual([
      ...(set('OLLAMA_BASE_URL') ? [['ollama', 'ollama']] : []),
      ...(set('OPENAI_API_KEY') || set('OPENAI_BASE_URL') ? [['openai', 'openai']] : []),
      ...(set('DEEPSEEK_API_KEY') ? [['deepseek', 'deepseek']] : []),
      ['embedded', 'embedded'],
    ]);
  });
});

describe('configureProvider', () => {
  it('takes address, key and model from the environment where the profile says nothing', () => {
    expect(configure('ollama', {}, { OLLAMA_BASE_URL: 'http://o:1', OLLAMA_MODEL: 'qwen3:8b' }).config).toMatchObject({
      baseUrl: 'http://o:1',
      model: 'qwen3:8b',
    });
    const openai = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://a/v1', OPENAI_MODEL: 'm' };
    expect(configure('openai', {}, openai).config).toMatchObject({ apiKey: 'k', baseUrl: 'http://a/v1', model: 'm' });
    const deepseek = { DEEPSEEK_API_KEY: 'd', DEEPSEEK_BASE_URL: 'http://d/v1' };
    expect(configure('deepseek', {}, deepseek).config).toMatchObject({ apiKey: 'd', baseUrl: 'http://d/v1' });
    expect(configure('embedded', {}, { EMBEDDED_MODEL: '/m.gguf' }).config).toMatchObject({ modelPath: '/m.gguf' });
  });

  it('knows where a provider usually is', () => {
    expect(configure('ollama').config.baseUrl).toBe('http://127.0.0.1:11434');
    expect(configure('deepseek').config.baseUrl).toBe('https://api.deepseek.com/v1');
    expect(configure('openai').config.baseUrl).toBe('https://api.openai.com/v1');
  });

  it('gives no provider the address or the key of another', () => {
    const all = { ...OFFERS, EMBEDDED_MODEL: '/m.gguf' };
    expect(configure('openai-compatible', {}, all).config).not.toHaveProperty('apiKey');
    expect(configure('ollama', {}, all).config).not.toHaveProperty('apiKey');
    expect(configure('ollama', {}, all).config).not.toHaveProperty('modelPath');
    expect(configure('embedded', {}, all).config).not.toHaveProperty('baseUrl');
  });

  it('prefers what the profile says', () => {
    const said = { base_url: 'http://mine/v1', model: 'mine', api_key_env: 'MY_KEY' };
    expect(configure('openai', said, { ...OFFERS, OPENAI_MODEL: 'theirs' }, { MY_KEY: 'secret' }).config).toMatchObject(
      {
        baseUrl: 'http://mine/v1',
        model: 'mine',
        apiKey: 'secret',
      },
    );
  });

  it('sends no key but the one that the profile names, and says so if it is not set', () => {
    const { config, warnings } = configure('openai', { api_key_env: 'MY_KEY' }, OFFERS);
    expect(config).not.toHaveProperty('apiKey');
    expect(warnings).toEqual([
      { path: ['config', 'api_key_env'], reason: 'the variable MY_KEY is not set: no key is sent' },
    ]);
    expect(configure('openai', { api_key_env: 'MY_KEY' }, OFFERS, { MY_KEY: 'k' }).warnings).toEqual([]);
  });

  it("sends a vendor's key to no address but its own", () => {
    const key = { OPENAI_API_KEY: 'k' };
    const foreign = configure('openai', { base_url: 'https://elsewhere.example/v1' }, key);
    expect(foreign.config).not.toHaveProperty('apiKey');
    expect(foreign.warnings).toEqual([
      { path: ['config', 'base_url'], reason: expect.stringContaining('name one with api_key_env') },
    ]);
    expect(configure('openai', { base_url: 'https://api.openai.com/v2' }, key).config.apiKey).toBe('k');
    expect(configure('openai', { base_url: 'http://gateway/other' }, OFFERS).config.apiKey).toBe('sk-openai');
    expect(configure('openai', { base_url: 'https://api.openai.com/v1' }, OFFERS).config).not.toHaveProperty('apiKey');
  });

  it('always limits the tokens and the time, the small model more than the others', () => {
    expect(configure('openai').policy).toMatchObject({
      maxTokens: 512,
      timeoutMs: 60_000,
      maxAttempts: 2,
      retryDelayMs: 1_000,
    });
    expect(configure('embedded').policy.maxTokens).toBe(160);
    expect(configure('embedded').config).toMatchObject({ temperature: 0.2, topP: 1, maxTokens: 160 });
  });

  it('tells the endpoint and the workflow the same limits', () => {
    const said = { max_tokens: 7, timeout_ms: 8, max_attempts: 3, retry_delay_ms: 9, temperature: 0, top_p: 0.5 };
    const limits = { maxTokens: 7, timeoutMs: 8, maxAttempts: 3, retryDelayMs: 9 };
    const { config, policy } = configure('ollama', said);
    expect(policy).toMatchObject(limits);
    expect(config).toMatchObject({ ...limits, temperature: 0, topP: 0.5 });
  });

  it('sends calls to Ollama to their own queue, unless the profile says otherwise', () => {
    expect(configure('ollama').policy).toMatchObject({ shape: 'queue', queue: 'llm-ollama' });
    expect(configure('ollama', { shape: 'local' }).policy).toMatchObject({ shape: 'local', queue: 'orchestrator' });
    expect(configure('openai').policy).toMatchObject({ shape: 'eager', queue: 'orchestrator' });
  });

  it('passes on what the profile says of a model, and nothing where it says nothing', () => {
    const said = { context_length: 8_192, capabilities: ['completion' as const, 'tools' as const] };
    expect(configure('ollama', said).config).toMatchObject({
      contextLength: 8_192,
      capabilities: ['completion', 'tools'],
    });
    expect(configure('ollama').config).not.toHaveProperty('contextLength');
    expect(configure('ollama').config).not.toHaveProperty('capabilities');
  });
});

import type { WireFake } from '../../fakes/wire-fake.js';

/** The key with which the product asks the model; nobody is ever to see it. */
export const PROVIDER_KEY = 'canary-of-the-provider-key-5d1c3c60';
const PROVIDER_KEY_NAME = 'ATTACKS_PROVIDER_KEY';

/** The environment of the product: a key, and something that programs must not find. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  [PROVIDER_KEY_NAME]: PROVIDER_KEY,
  ATTACKS_CANARY: 'canary-of-the-environment-0f6f2b1e',
};

/** A profile that leads everything to the obeying model, which can call tools and hold to a schema. */
export const profileFor = ({ url }: Pick<WireFake, 'url'>): object => ({
  version: '1',
  environment: 'development',
  llm_providers: [
    {
      name: 'obeying',
      type: 'openai-compatible',
      config: {
        ...{ base_url: `${url}/v1`, model: 'fake-model', max_tokens: 1_500, retry_delay_ms: 50 },
        ...{ api_key_env: PROVIDER_KEY_NAME, capabilities: ['completion', 'tools', 'json_schema'] },
      },
    },
  ],
  routing_rules: [{ name: 'chat', conditions: { mode: 'chat' }, use_provider: 'obeying' }],
  limits: { request_timeout_ms: 30_000 },
});

/** Settings of the model: it asks for the key, forgets nothing that it was told, and obeys as soon as there are orders. */
export const FAKE_SETTINGS = { apiKey: PROVIDER_KEY, keptBodies: 100_000, obeys: {} };

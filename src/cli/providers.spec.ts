import { describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { providers } from './providers.js';

const provider = (name: string, changes: object = {}): object => ({
  name,
  type: 'ollama',
  model: 'm',
  state: 'ok',
  cooldown: null,
  pool: null,
  in_flight: 0,
  calls: 0,
  success_rate: null,
  p50_ms: null,
  p95_ms: null,
  price: null,
  ...changes,
});

describe(providers.name, () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;

  it('prints a line for each', async () => {
    const pool = { name: 'p', slots: 3, running: 3, waiting: 4, expected_wait_ms: 5_230 };
    const cooldown = { until: '2026-11-25T03:04:05.678Z', failures: 3, reason: 'ProviderTimeout' };
    json.mockResolvedValue({
      ok: true,
      providers: [
        provider('busy', { pool, in_flight: 7, calls: 40, success_rate: 0.975, p50_ms: 812, p95_ms: 3_400 }),
        provider('resting', { state: 'cooling', cooldown, model: null, pool: { ...pool, running: 0, waiting: 0 } }),
        provider('trying', { state: 'probing', cooldown, type: 'openai' }),
      ],
    });
    expect((await providers(client)).split('\n')).toEqual([
      'provider  model       state    in flight  slots   queue      calls  success  p50     p95    cooldown',
      'busy      m (ollama)  ok       7          3 of 3  4 (5.2 s)  40     97.5 %   812 ms  3.4 s',
      'resting   ? (ollama)  cooling  0          0 of 3  0          0      -        -       -      until 03:04:05 UTC, 3 × ProviderTimeout',
      'trying    m (openai)  probing  0          -       -          0      -        -       -      3 × ProviderTimeout',
      '',
    ]);
    expect(json).toHaveBeenLastCalledWith('GET', '/providers');
  });

  it('looks from the DAO that is named', async () => {
    json.mockResolvedValue({ ok: true, providers: [] });
    await providers(client, { dao: 'a b' });
    expect(json).toHaveBeenLastCalledWith('GET', '/providers?dao_id=a+b');
  });

  it('refuses an answer that it does not know', async () => {
    json.mockResolvedValue({ ok: true, providers: [{ name: 'x' }] });
    await expect(providers(client)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });
});

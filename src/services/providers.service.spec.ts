import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import type { Admission } from '../contracts/admission.js';
import type { PoolPolicy } from '../contracts/request.js';
import type { LlmRegistry } from '../adapters/llm/registry.js';
import type { ProviderFiguresRepository } from '../adapters/store/provider-figures.repository.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService } from './access.service.js';
import type { ProviderStatesService } from './provider-states.service.js';
import { ProvidersService } from './providers.service.js';

const key = aCaller({ id: 'k', daoId: 'a-dao', principal: 'tg:1', gateway: false });
const POOL: PoolPolicy = { name: 'ollama:http://127.0.0.1:11434', slots: 3, maxWaiting: 10, maxWaitMs: 60_000 };
const RESTING = {
  state: 'cooling',
  cooldown: { until: '2026-11-25T00:00:05.000Z', failures: 3, reason: 'ProviderTimeout' },
} as const;

describe('ProvidersService', () => {
  const describeAll = jest.fn<LlmRegistry['describe']>();
  const stateOf = jest.fn<ProviderStatesService['describe']>();
  const pools = jest.fn<Admission['pools']>();
  const inFlight = jest.fn<ProviderFiguresRepository['inFlight']>();
  const recent = jest.fn<ProviderFiguresRepository['recent']>();
  const figures = jest.fn<ProviderFiguresRepository['figures']>();
  const requireAnywhere = jest.fn<AccessService['requireAnywhere']>();
  let sut: ProvidersService;

  beforeEach(() => {
    jest.resetAllMocks();
    requireAnywhere.mockResolvedValue({ actor: 'tg:1', sees: 'a-dao' });
    describeAll.mockResolvedValue([
      { name: 'local', type: 'ollama', model: 'm' },
      { name: 'cloud', type: 'openai', model: null },
      { name: 'idle', type: 'ollama', model: 'm' },
      { name: 'twin', type: 'ollama', model: 'm' },
    ]);
    stateOf.mockImplementation((name) => Promise.resolve(name === 'cloud' ? RESTING : { state: 'ok', cooldown: null }));
    pools.mockResolvedValue([{ name: POOL.name, slots: 3, running: 2, waiting: 1, expectedWaitMs: 1_234.5 }]);
    inFlight.mockResolvedValue(new Map([['local', 2]]));
    recent.mockResolvedValue([
      { provider: 'local', calls: 3, answered: 2, p50Ms: 100.4, p95Ms: 249.5 },
      { provider: 'cloud', calls: 4, answered: 0, p50Ms: null, p95Ms: null },
      { provider: 'gone', calls: 9, answered: 9, p50Ms: 1, p95Ms: 1 },
    ]);
    const recorded = { inFlight, recent, figures } as unknown as ProviderFiguresRepository;
    const access = { requireAnywhere } as unknown as AccessService;
    sut = new ProvidersService({ describe: describeAll }, { describe: stateOf }, { pools }, recorded, access, () => ({
      local: { pool: POOL },
      cloud: { price: { prompt: 1, completion: 2 } },
      idle: { pool: { ...POOL, name: 'another' } },
      twin: { pool: POOL },
    }));
  });

  it('tells of every configured provider, in their order, what is known', async () => {
    const idle = { in_flight: 0, calls: 0, success_rate: null, p50_ms: null, p95_ms: null };
    expect(await sut.list(key, { daoId: 'a-dao' })).toEqual([
      {
        ...{ name: 'local', type: 'ollama', model: 'm', state: 'ok', cooldown: null },
        pool: { name: 'local', slots: 3, running: 2, waiting: 1, expected_wait_ms: 1_235 },
        ...{ in_flight: 2, calls: 3, success_rate: 0.6667, p50_ms: 100, p95_ms: 250, price: null },
      },
      {
        ...{ name: 'cloud', type: 'openai', model: null, ...RESTING, pool: null },
        ...{ ...idle, calls: 4, success_rate: 0, price: { prompt: 1, completion: 2 } },
      },
      {
        ...{ name: 'idle', type: 'ollama', model: 'm', state: 'ok', cooldown: null, ...idle, price: null },
        pool: { name: 'idle', slots: 3, running: 0, waiting: 0, expected_wait_ms: 0 },
      },
      {
        ...{ name: 'twin', type: 'ollama', model: 'm', state: 'ok', cooldown: null, ...idle, price: null },
        pool: { name: 'local', slots: 3, running: 2, waiting: 1, expected_wait_ms: 1_235 },
      },
    ]);
    expect(requireAnywhere).toHaveBeenCalledWith(key, { daoId: 'a-dao' }, 'ops.read');
    expect(Math.abs(Date.now() - 3_600_000 - (recent.mock.calls[0]?.[1].getTime() ?? 0))).toBeLessThan(5_000);
    expect([recent.mock.calls[0]?.[0], inFlight.mock.calls[0]?.[0]]).toEqual(['a-dao', 'a-dao']);
  });

  it('asks nothing for whoever may not see it', async () => {
    requireAnywhere.mockRejectedValue(new AppError('RBAC_PERMISSION_DENIED'));
    await expect(sut.list(key, {})).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    for (const asked of [describeAll, stateOf, pools, inFlight, recent]) expect(asked).not.toHaveBeenCalled();
  });

  it('hands on what answers took and used', async () => {
    const figure = { provider: 'local', calls: 1, p50Ms: 1, promptTokens: 2, completionTokens: 3 };
    figures.mockResolvedValue([figure]);
    expect(await sut.figures(new Date(7))).toEqual([figure]);
    expect(figures).toHaveBeenCalledWith(new Date(7));
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import type { CallerKey } from '../contracts/access.js';
import type { UsageRepository } from '../adapters/store/usage.repository.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService } from './access.service.js';
import { UsageService } from './usage.service.js';

const everywhere = aCaller();
const ofOneDao: CallerKey = { ...everywhere, daoId: 'home' };

describe(UsageService.name, () => {
  const report = jest.fn<UsageRepository['report']>();
  const access = jest.fn<AccessService['require']>();
  const platform = jest.fn<AccessService['requirePlatform']>();
  let usage: UsageService;

  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-11-30T23:30:00Z') });
    report.mockReset().mockResolvedValue([]);
    access.mockReset().mockImplementation((_key, { daoId }) => Promise.resolve({ daoId: daoId ?? 'home' } as never));
    const repository = { report } as unknown as UsageRepository;
    platform.mockReset().mockResolvedValue({ actor: 'api:admin' });
    usage = new UsageService(repository, { require: access, requirePlatform: platform } as unknown as AccessService);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('asks for a DAO’s usage only when the caller may see it there', async () => {
    await usage.report(ofOneDao, { userId: 'tg:1' });
    await usage.report(everywhere, { daoId: 'named', by: 'provider' });
    expect(access.mock.calls).toEqual([
      [ofOneDao, { userId: 'tg:1' }, 'ops.read'],
      [everywhere, { daoId: 'named' }, 'ops.read'],
    ]);
    expect(report.mock.calls.map(([{ daoId, by }]) => [daoId, by])).toEqual([
      ['home', 'day'],
      ['named', 'provider'],
    ]);
    access.mockRejectedValue(new AppError('RBAC_PERMISSION_DENIED'));
    await expect(usage.report(ofOneDao, {})).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    expect(report).toHaveBeenCalledTimes(2);
  });

  it('asks for that of all DAOs only for the platform’s administrator', async () => {
    expect(await usage.report(everywhere, { userId: 'tg:1' })).toMatchObject({ dao_id: null, by: 'dao' });
    expect(platform.mock.calls).toEqual([[everywhere, 'tg:1']]);
    expect(access).not.toHaveBeenCalled();
    expect(report.mock.calls[0]?.[0].daoId).toBeUndefined();
    platform.mockRejectedValue(new AppError('RBAC_PERMISSION_DENIED'));
    await expect(usage.report(everywhere, {})).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    expect(report).toHaveBeenCalledTimes(1);
  });

  it('takes the last 30 days, today among them', async () => {
    expect(await usage.report(ofOneDao, {})).toMatchObject({ from: '2026-11-01', to: '2026-11-30' });
    expect(await usage.report(ofOneDao, { to: '2024-03-01' })).toMatchObject({ from: '2024-02-01', to: '2024-03-01' });
    expect(await usage.report(ofOneDao, { from: '2026-11-30' })).toMatchObject({
      from: '2026-11-30',
      to: '2026-11-30',
    });
    expect(report.mock.calls.map(([{ from }]) => from)).toEqual(['2026-11-01', '2024-02-01', '2026-11-30']);
  });

  it.each([{ from: '2026-11-02', to: '2026-11-01' }, { from: '2026-12-01' }, { from: '2010-01-01', to: '2026-11-01' }])(
    'refuses the range %j before it asks anybody',
    async (range) => {
      await expect(usage.report(ofOneDao, range)).rejects.toMatchObject({ code: 'QUERY_INVALID', status: 400 });
      expect(access).not.toHaveBeenCalled();
      expect(report).not.toHaveBeenCalled();
    },
  );

  it('tells no cost of tokens that had no price, and none at all where nothing was used', async () => {
    const none = { promptTokens: 0, completionTokens: 0, costUsd: 0 };
    report.mockResolvedValue([
      { name: 'local', requests: 2, promptTokens: 10, completionTokens: 5, costUsd: 0 },
      { name: 'cache', requests: 1, ...none },
    ]);
    const told = await usage.report(ofOneDao, { by: 'provider' });
    expect(told.rows.map(({ cost_usd }) => cost_usd)).toEqual([null, 0]);
    expect(told.totals.cost_usd).toBeNull();
    report.mockResolvedValue([{ name: 'cache', requests: 1, ...none }]);
    expect((await usage.report(ofOneDao, {})).totals.cost_usd).toBe(0);
    report.mockResolvedValue([
      { name: 'local', requests: 2, promptTokens: 10, completionTokens: 5, costUsd: 0 },
      { name: 'cloud', requests: 2, promptTokens: 10, completionTokens: 5, costUsd: 0.25 },
    ]);
    expect((await usage.report(ofOneDao, {})).totals.cost_usd).toBe(0.25);
  });

  it('adds the rows up, without dust', async () => {
    report.mockResolvedValue([
      { name: 'one', requests: 2, promptTokens: 10, completionTokens: 5, costUsd: 0.1 },
      { name: 'two', requests: 1, promptTokens: 1, completionTokens: 2, costUsd: 0.2 },
    ]);
    expect(await usage.report(ofOneDao, { by: 'key' })).toEqual({
      dao_id: 'home',
      from: '2026-11-01',
      to: '2026-11-30',
      by: 'key',
      totals: { requests: 3, prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, cost_usd: 0.3 },
      rows: [
        { key: 'one', requests: 2, prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost_usd: 0.1 },
        { key: 'two', requests: 1, prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost_usd: 0.2 },
      ],
    });
  });
});

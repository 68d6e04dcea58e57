import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { StrangersRepository } from '../../adapters/store/strangers.repository.js';
import { BotWarnings } from './bot-warnings.js';

describe(BotWarnings, () => {
  const lacking = jest.fn<StrangersRepository['lacking']>();
  const warned = (hasBot = true, dao?: string): Promise<string[]> =>
    new BotWarnings({
      ...{ strangers: { lacking }, hasBot, defaultDao: () => dao },
      log: pino({ level: 'silent' }),
    }).now();

  beforeEach(() => {
    lacking.mockReset();
  });

  it('should tell of a bot for which there is no DAO, or none for those who write', async () => {
    lacking.mockResolvedValueOnce({ hasDao: false, hasStrangers: false });
    expect(await warned()).toEqual([expect.stringContaining('there is no DAO')]);
    lacking.mockResolvedValueOnce({ hasDao: true, hasStrangers: true });
    expect(await warned()).toEqual([expect.stringContaining('DAGI_DEFAULT_DAO')]);
    lacking.mockResolvedValueOnce({ hasDao: true, hasStrangers: false });
    expect(await warned()).toEqual([]);
  });

  it('should ask nobody where there is no bot, or a usual DAO; and fail nobody', async () => {
    expect([await warned(false), await warned(true, 'greenfood-dao')]).toEqual([[], []]);
    expect(lacking).not.toHaveBeenCalled();
    lacking.mockRejectedValue(new Error('away'));
    expect(await warned()).toEqual([]);
  });
});

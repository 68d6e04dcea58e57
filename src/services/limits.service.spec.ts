import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { RequestCounter } from '../adapters/limits/request-counter.js';
import type { UsageRepository } from '../adapters/store/usage.repository.js';
import { BOTS_KEY_ID } from '../contracts/ids.js';
import type { LimitRules } from '../domain/limits.js';
import { AppError } from '../errors/app-error.js';
import { LimitsService } from './limits.service.js';

const NONE: LimitRules = { requestsPerMinute: {}, tokensPerMonth: {}, daos: {} };
const log = pino({ level: 'silent' });

describe(LimitsService.name, () => {
  const monthTokens = jest.fn<UsageRepository['monthTokens']>();
  let rules: LimitRules;
  let limits: LimitsService;

  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-11-30T23:00:00Z') });
    monthTokens.mockReset().mockImplementation(() => {
      throw new Error('nobody may ask for tokens');
    });
    rules = NONE;
    const usage = { monthTokens } as unknown as UsageRepository;
    limits = new LimitsService(RequestCounter.inMemory(log), usage, () => rules, log);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const refusal = async (keyId: string, daoId: string): Promise<AppError> => {
    const outcome = await limits.admit(keyId, daoId).catch((error: unknown) => error);
    if (!(outcome instanceof AppError)) throw new Error(`it was let in: ${JSON.stringify(outcome)}`);
    return outcome;
  };

  describe('without limits', () => {
    it('lets everybody in, and asks nobody', async () => {
      for (let request = 0; request < 100; request += 1) expect(await limits.admit('key', 'dao')).toEqual([]);
      expect(monthTokens).not.toHaveBeenCalled();
    });
  });

  describe('rates', () => {
    it('hold for each key and each DAO', async () => {
      rules = { ...NONE, requestsPerMinute: { key: 2, dao: 3 } };
      expect(await limits.admit('a', 'dao')).toEqual([
        { limit: 'key', unit: 'requests', quota: 2, windowSeconds: 60, remaining: 1, resetSeconds: 60 },
        { limit: 'dao', unit: 'requests', quota: 3, windowSeconds: 60, remaining: 2, resetSeconds: 60 },
      ]);
      await limits.admit('a', 'dao');
      expect(await refusal('a', 'dao')).toMatchObject({ code: 'RATE_LIMITED', detail: { limit: 'key' } });
      await limits.admit('b', 'dao');
      expect(await refusal('c', 'dao')).toMatchObject({ code: 'RATE_LIMITED', detail: { limit: 'dao' } });
      await limits.admit('c', 'other');
    });

    it('hold for no key of the bots, with which everybody acts who writes to one; the DAO has its own', async () => {
      rules = { ...NONE, requestsPerMinute: { key: 1, dao: 3 }, tokensPerMonth: { key: 1 } };
      for (let request = 0; request < 3; request += 1) {
        expect(await limits.admit(BOTS_KEY_ID, 'dao')).toMatchObject([{ limit: 'dao', remaining: 2 - request }]);
      }
      expect(await refusal(BOTS_KEY_ID, 'dao')).toMatchObject({ code: 'RATE_LIMITED', detail: { limit: 'dao' } });
      await limits.admit(BOTS_KEY_ID, 'other');
      expect(await limits.exhausted(BOTS_KEY_ID, 'dao')).toBeUndefined();
    });

    it('are those that the platform gave to the DAO, where it did', async () => {
      rules = { ...NONE, requestsPerMinute: { dao: 100 } };
      const given = { requests_per_minute: 1 };
      await limits.admit('a', 'dao', given);
      await limits.giveBack('dao', given);
      await limits.admit('b', 'dao', given);
      await expect(limits.admit('c', 'dao', given)).rejects.toMatchObject({ detail: { requests_per_minute: 1 } });
      rules = NONE;
      await expect(limits.admit('c', 'dao', given)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
      expect(await limits.admit('c', 'dao')).toEqual([]);
    });

    it('tell a refused caller when to come back, and what is left', async () => {
      rules = { ...NONE, requestsPerMinute: { key: 1 } };
      await limits.admit('a', 'dao');
      jest.advanceTimersByTime(17_400);
      const error = await refusal('a', 'dao');
      expect(error).toMatchObject({
        status: 429,
        retryAfterSeconds: 43,
        detail: { limit: 'key', requests_per_minute: 1 },
      });
      expect(error.headers).toEqual({ 'ratelimit-policy': '"key";q=1;w=60', ratelimit: '"key";r=0;t=43' });
      jest.advanceTimersByTime(43_000);
      await limits.admit('a', 'dao');
    });

    it('count a request in neither place that is refused in one', async () => {
      rules = { ...NONE, requestsPerMinute: { key: 2, dao: 1 } };
      await limits.admit('first', 'dao');
      for (let request = 0; request < 5; request += 1) {
        const error = await refusal('a', 'dao');
        expect(error.headers.ratelimit).toBe('"key";r=2;t=60, "dao";r=0;t=60');
      }
      expect(await limits.admit('a', 'other')).toMatchObject([{ remaining: 1 }, { remaining: 0 }]);
      expect(await refusal('a', 'other')).toMatchObject({ detail: { limit: 'dao' } });
      expect(await limits.admit('a', 'third')).toMatchObject([{ remaining: 0 }, { remaining: 0 }]);
      expect(await refusal('a', 'fourth')).toMatchObject({ detail: { limit: 'key' } });
      expect(await limits.admit('b', 'fourth')).toMatchObject([{ remaining: 1 }, { remaining: 0 }]);
    });

    it('are those of the profile as it is now', async () => {
      rules = { ...NONE, requestsPerMinute: { key: 1 } };
      await limits.admit('a', 'dao');
      await refusal('a', 'dao');
      rules = { ...NONE, requestsPerMinute: { key: 9 }, daos: { dao: { requestsPerMinute: 1 } } };
      await limits.admit('a', 'dao');
      expect(await refusal('a', 'dao')).toMatchObject({ detail: { limit: 'dao', requests_per_minute: 1 } });
      rules = NONE;
      await limits.admit('a', 'dao');
    });
  });

  describe('budgets', () => {
    it('let in until the tokens are used up, and tell when the next month begins', async () => {
      rules = { ...NONE, tokensPerMonth: { key: 100, dao: 1_000 } };
      monthTokens.mockResolvedValue({ key: 99, dao: 400 });
      expect(await limits.admit('a', 'dao')).toEqual([
        { limit: 'key', unit: 'tokens', quota: 100, windowSeconds: 2_592_000, remaining: 1, resetSeconds: 3_600 },
        { limit: 'dao', unit: 'tokens', quota: 1_000, windowSeconds: 2_592_000, remaining: 600, resetSeconds: 3_600 },
      ]);
      monthTokens.mockResolvedValue({ key: 100, dao: 400 });
      jest.advanceTimersByTime(10_000);
      const error = await refusal('a', 'dao');
      expect(error).toMatchObject({
        code: 'BUDGET_EXHAUSTED',
        status: 429,
        retryAfterSeconds: 3_590,
        detail: { limit: 'key', tokens_per_month: 100 },
      });
      expect(error.headers.ratelimit).toBe('"key-tokens";r=0;t=3590, "dao-tokens";r=600;t=3590');
      monthTokens.mockResolvedValue({ key: 0, dao: 1_001 });
      expect(await refusal('b', 'dao')).toMatchObject({ detail: { limit: 'dao', tokens_per_month: 1_000 } });
    });

    it('are looked up at most once in three seconds', async () => {
      rules = { ...NONE, tokensPerMonth: { key: 100 } };
      monthTokens.mockResolvedValue({ key: 1, dao: 0 });
      await Promise.all(Array.from({ length: 50 }, () => limits.admit('a', 'dao')));
      jest.advanceTimersByTime(2_900);
      await limits.admit('a', 'dao');
      expect(monthTokens.mock.calls).toEqual([['a', 'dao']]);
      jest.advanceTimersByTime(200);
      await limits.admit('a', 'dao');
      expect(monthTokens).toHaveBeenCalledTimes(2);
      await limits.admit('a', 'other');
      expect(monthTokens).toHaveBeenLastCalledWith('a', 'other');
    });

    it('change no rate when they refuse', async () => {
      rules = { ...NONE, requestsPerMinute: { key: 1 }, tokensPerMonth: { dao: 10 } };
      monthTokens.mockResolvedValueOnce({ key: 0, dao: 10 });
      await refusal('a', 'dao');
      monthTokens.mockResolvedValue({ key: 0, dao: 9 });
      jest.advanceTimersByTime(4_000);
      expect(await limits.admit('a', 'dao')).toMatchObject([
        { limit: 'key', unit: 'requests', remaining: 0, resetSeconds: 60 },
        { limit: 'dao', unit: 'tokens', remaining: 1 },
      ]);
    });

    it('refuse nobody for a database that is away, but by what was known last', async () => {
      rules = { ...NONE, tokensPerMonth: { key: 100 } };
      monthTokens.mockRejectedValue(new AppError('STORE_UNAVAILABLE'));
      expect(await limits.admit('a', 'dao')).toEqual([]);
      monthTokens.mockResolvedValueOnce({ key: 100, dao: 0 });
      await refusal('a', 'dao');
      jest.advanceTimersByTime(10_000);
      expect(await refusal('a', 'dao')).toMatchObject({ code: 'BUDGET_EXHAUSTED' });
      expect(monthTokens).toHaveBeenCalledTimes(3);
    });

    it('do not hide a fault of our own', async () => {
      rules = { ...NONE, tokensPerMonth: { key: 100 } };
      monthTokens.mockRejectedValue(new Error('no such column'));
      await expect(limits.admit('a', 'dao')).rejects.toThrow('no such column');
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { monthAt, quotasOf, rateHeaders, type LimitReading, type LimitRules } from './limits.js';

const RULES: LimitRules = {
  requestsPerMinute: { key: 60, dao: 600 },
  tokensPerMonth: { dao: 1_000_000 },
  daos: {
    small: { requestsPerMinute: 6 },
    rich: { tokensPerMonth: 9 },
    both: { requestsPerMinute: 1, tokensPerMonth: 2 },
  },
};

describe(quotasOf.name, () => {
  it.each([
    ['other', { key: 60, dao: 600 }, { dao: 1_000_000 }],
    ['small', { key: 60, dao: 6 }, { dao: 1_000_000 }],
    ['rich', { key: 60, dao: 600 }, { dao: 9 }],
    ['both', { key: 60, dao: 1 }, { dao: 2 }],
    ['constructor', { key: 60, dao: 600 }, { dao: 1_000_000 }],
  ])('gives the DAO %s its own numbers where it has some', (daoId, requests, tokens) => {
    expect(quotasOf(RULES, daoId)).toEqual({ requests, tokens });
  });

  it('puts what the platform gave to the DAO before all that the profile says', () => {
    const given = { requests_per_minute: 0, tokens_per_month: 7, weight: 3 };
    expect(quotasOf(RULES, 'both', given)).toEqual({ requests: { key: 60, dao: 0 }, tokens: { dao: 7 } });
    expect(quotasOf(RULES, 'both', { weight: 3 })).toEqual(quotasOf(RULES, 'both'));
  });

  it('gives none where the profile names none', () => {
    expect(quotasOf({ requestsPerMinute: {}, tokensPerMonth: {}, daos: {} }, 'any')).toEqual({
      requests: {},
      tokens: {},
    });
  });
});

describe(monthAt.name, () => {
  it.each([
    ['2026-11-01T00:00:00.000Z', 30, 30 * 86_400],
    ['2026-11-30T23:59:59.001Z', 30, 1],
    ['2026-12-31T23:00:00.000Z', 31, 3_600],
    ['2028-02-29T00:00:00.000Z', 29, 86_400],
    ['2027-02-01T00:00:00.000Z', 28, 28 * 86_400],
  ])('%s is in a month of %d days with %d seconds left', (at, days, left) => {
    expect(monthAt(Date.parse(at))).toEqual({ seconds: days * 86_400, left });
  });

  it('always has something left, and never more than itself', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        (date) => {
          const { seconds, left } = monthAt(date.getTime());
          expect(left).toBeGreaterThan(0);
          expect(left).toBeLessThanOrEqual(seconds);
          const end = new Date(date.getTime() + left * 1_000);
          expect(end.getUTCMonth()).toBe((date.getUTCMonth() + 1) % 12);
          expect(end.getUTCDate()).toBe(1);
        },
      ),
    );
  });
});

describe(rateHeaders.name, () => {
  const reading: LimitReading = {
    limit: 'key',
    unit: 'requests',
    quota: 60,
    windowSeconds: 60,
    remaining: 59,
    resetSeconds: 42,
  };

  it('tells each limit as a structured field', () => {
    const budget: LimitReading = {
      limit: 'dao',
      unit: 'tokens',
      quota: 1_000_000,
      windowSeconds: 2_592_000,
      remaining: 0,
      resetSeconds: 5,
    };
    expect(rateHeaders([reading, { ...reading, limit: 'dao', quota: 600, remaining: 7 }, budget])).toEqual({
      'ratelimit-policy': '"key";q=60;w=60, "dao";q=600;w=60, "dao-tokens";q=1000000;qu="tokens";w=2592000',
      ratelimit: '"key";r=59;t=42, "dao";r=7;t=42, "dao-tokens";r=0;t=5',
    });
  });

  it('tells no more than fits into a structured field', () => {
    const huge = { ...reading, quota: Number.MAX_SAFE_INTEGER, remaining: Number.MAX_SAFE_INTEGER - 1 };
    expect(rateHeaders([huge])).toEqual({
      'ratelimit-policy': '"key";q=999999999999999;w=60',
      ratelimit: '"key";r=999999999999999;t=42',
    });
  });

  it('says nothing where there is no limit', () => {
    expect(rateHeaders([])).toEqual({});
  });
});

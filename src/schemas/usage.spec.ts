import { describe, expect, it } from '@jest/globals';
import { UsageQuerySchema } from './usage.js';

describe('UsageQuerySchema', () => {
  it.each([
    {},
    { dao_id: 'd', user_id: 'tg:1', from: '2026-02-28', to: '2026-03-01', by: 'provider' },
    { from: '2024-02-29' },
  ])('takes %j', (query) => {
    expect(UsageQuerySchema.parse(query)).toEqual(query);
  });

  it.each(['2026-02-29', 'yesterday', ''])('says of the day %j once that it is none', (from) => {
    const { error } = UsageQuerySchema.safeParse({ from });
    expect(error?.issues.map(({ message }) => message)).toEqual(['is no day, such as 2026-11-01']);
  });

  it.each([
    { from: '2026-02-29' },
    { to: '2026-13-01' },
    { from: '0000-01-01' },
    { from: '1999-12-31' },
    { to: '2026-11-01T00:00:00Z' },
    { to: '' },
    { by: 'member' },
    { dao: 'd' },
    { dao_id: '' },
    { from: ['2026-01-01', '2026-01-02'] },
  ])('refuses %j', (query) => {
    expect(UsageQuerySchema.safeParse(query).success).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import { NewKeySchema, RotateKeySchema, RotateQuerySchema } from './keys.js';

describe('NewKeySchema', () => {
  it('needs a name and takes DAO, principal and scopes', () => {
    const key = { name: 'bot', dao_id: 'd', principal: 'tg:1', scopes: ['chat.read'] };
    expect(NewKeySchema.parse(key)).toEqual(key);
    expect(NewKeySchema.parse({ name: 'bot' })).toEqual({ name: 'bot' });
  });

  it.each([
    {},
    { name: '' },
    { name: 'x'.repeat(101) },
    { name: 'bot', gateway: true },
    { name: 'bot', dao_id: null },
    { name: 'bot', owner: 'platform' },
    { name: 'bot', scopes: null },
    { name: 'bot', scopes: [] },
    { name: 'bot', scopes: ['everything'] },
  ])('refuses %j', (body) => {
    expect(NewKeySchema.safeParse(body).success).toBe(false);
  });
});

describe('RotateKeySchema', () => {
  it('lets the former key work for a day, unless something else is said, and never longer than a week', () => {
    expect(RotateKeySchema.parse({})).toEqual({ overlap_seconds: 86_400 });
    for (const overlap_seconds of [0, 604_800]) {
      expect(RotateKeySchema.parse({ overlap_seconds })).toEqual({ overlap_seconds });
    }
    for (const overlap_seconds of [-1, 604_801, 0.5, '60', null]) {
      expect(RotateKeySchema.safeParse({ overlap_seconds }).success).toBe(false);
    }
  });

  it('names no user', () => {
    expect(RotateQuerySchema.parse({ dao_id: 'd' })).toEqual({ dao_id: 'd' });
    expect(RotateQuerySchema.safeParse({ user_id: 'tg:1' }).success).toBe(false);
  });
});

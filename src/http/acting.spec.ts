import { describe, expect, it } from '@jest/globals';
import { actingIn } from './acting.js';

describe(actingIn.name, () => {
  it('should read who acts from the address or the body', () => {
    expect(actingIn({ user_id: 'tg:1' }, { dao_id: 'a' })).toEqual({ daoId: 'a', userId: 'tg:1' });
    expect(actingIn({ user_id: 'tg:1' }, { user_id: 'tg:1' })).toEqual({ daoId: undefined, userId: 'tg:1' });
    expect(actingIn({})).toEqual({ daoId: undefined, userId: undefined });
  });

  it('should not choose between two', () => {
    expect(() => actingIn({ user_id: 'tg:1' }, { user_id: 'tg:2' })).toThrow(/user_id is one thing/);
    expect(() => actingIn({ dao_id: 'a' }, { dao_id: 'b' })).toThrow(/dao_id is one thing/);
  });
});

import { describe, expect, it } from '@jest/globals';
import { MemberChangesSchema, NewIdSchema, NewInvitationSchema, NewMemberSchema, RedeemSchema } from './members.js';

const fits = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

describe('bodies about members', () => {
  it('name roles, each once', () => {
    expect(NewMemberSchema.parse({ user_id: 'tg:1', roles: ['a', 'b', 'a'] }).roles).toEqual(['a', 'b']);
    for (const roles of [[], [''], 'admin', Array.from({ length: 21 }, (_, at) => `r${at}`)]) {
      expect(fits(NewMemberSchema, { user_id: 'tg:1', roles })).toBe(false);
    }
    expect(fits(NewMemberSchema, { user_id: '\0', roles: ['a'] })).toBe(false);
  });

  it('change something, and nothing that is unknown', () => {
    expect(fits(MemberChangesSchema, {})).toBe(false);
    expect(fits(MemberChangesSchema, { name: null })).toBe(true);
    expect(fits(MemberChangesSchema, { name: ' ' })).toBe(false);
    expect(fits(MemberChangesSchema, { roles: ['a'], user_id: 'tg:1' })).toBe(false);
  });

  it('invite for a while, and a named user once', () => {
    expect(NewInvitationSchema.parse({ roles: ['a'] })).toEqual({ roles: ['a'], uses: 1, expires_in_hours: 168 });
    for (const part of [
      { uses: 0 },
      { uses: 1.5 },
      { uses: 1_001 },
      { expires_in_hours: 0 },
      { expires_in_hours: 2_161 },
    ]) {
      expect(fits(NewInvitationSchema, { roles: ['a'], ...part })).toBe(false);
    }
    expect(fits(NewInvitationSchema, { roles: ['a'], user_id: 'tg:1', uses: 2 })).toBe(false);
  });

  it.each(['api:k1', 'p_1', 'x_1', ' tg:1', 'tg:\u200b1'])('make nobody a member by %j', (user_id) => {
    const roles = ['a'];
    expect(fits(NewMemberSchema, { user_id, roles })).toBe(false);
    expect(fits(NewInvitationSchema, { user_id, roles })).toBe(false);
    expect(fits(NewIdSchema, { user_id })).toBe(false);
    expect(fits(RedeemSchema, { user_id, dao_id: 'x' })).toBe(false);
  });

  it('redeem one thing', () => {
    expect(fits(RedeemSchema, { secret: 'x' })).toBe(true);
    expect(fits(RedeemSchema, { dao_id: 'x', user_id: 'tg:1' })).toBe(true);
    for (const body of [{}, { user_id: 'tg:1' }, { secret: 'x', dao_id: 'y' }])
      expect(fits(RedeemSchema, body)).toBe(false);
  });
});

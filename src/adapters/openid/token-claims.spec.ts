import { describe, expect, it } from '@jest/globals';
import { isAccessToken, scopesOf } from './token-claims.js';

describe('scopesOf', () => {
  it.each([
    ['text, as most have it', { scope: 'openid chat.write chat.read' }],
    ['a list, as Okta has it', { scp: ['chat.read', 'offline_access', 'chat.write'] }],
    ['text of another name, as Entra has it', { scp: 'chat.read chat.write' }],
    ['permissions, as Auth0 has them', { scope: 'openid', permissions: ['chat.write', 'chat.read'] }],
    ['several at once', { scope: 'chat.read', permissions: ['chat.write'] }],
  ])('reads %s', (_what, claims) => {
    expect(scopesOf(claims)).toEqual(['chat.read', 'chat.write']);
  });

  it('takes what is no name of an entitlement, or is no text, for nothing', () => {
    expect(scopesOf({})).toEqual([]);
    expect(
      scopesOf({ scope: 'CHAT.READ chat.read,chat.write admin *', scp: 7, permissions: [{ chat: 'read' }] }),
    ).toEqual([]);
  });
});

describe('isAccessToken', () => {
  it('goes by the type where it says, and by what only ID tokens have where it does not', () => {
    expect(isAccessToken('AT+JWT', { nonce: 'n' })).toBe(true);
    expect(isAccessToken('JWT', { typ: 'Bearer' })).toBe(true);
    expect(isAccessToken('JWT', { c_hash: 'x' })).toBe(false);
    expect(isAccessToken(undefined, { typ: 'ID' })).toBe(false);
    expect(isAccessToken('id+jwt', {})).toBe(false);
  });
});

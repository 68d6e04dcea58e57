import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DagiClient } from './client.js';
import { createKey, listKeys, revokeKey, rotateKey } from './keys.js';
import { resolveUser } from './resolve.js';

const KEY = {
  ...{ id: 'k1', name: 'laptop', dao_id: 'orchard', principal: 'tg:5', gateway: false, owner: 'p_1' },
  ...{ scopes: ['chat.read', 'chat.write'], expires_at: null, last_used_at: null, revoked_at: null },
};

describe('keys, and what they open', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;

  beforeEach(() => {
    json.mockReset();
  });

  it('create has the key in the first line, and what it lets through', async () => {
    json.mockResolvedValue({ ok: true, ...KEY, key: 'dagi_x' });
    const { text } = await createKey(client, {
      dao: 'orchard',
      principal: 'tg:5',
      scopes: ['chat.read', 'chat.write'],
    });
    expect(text).toBe('dagi_x\n(shown this once: keep it now)\nid k1, lets through chat.read, chat.write\n');
    expect(json.mock.calls).toEqual([
      [
        'POST',
        '/keys',
        {
          body: {
            ...{ dao_id: 'orchard', principal: 'tg:5', scopes: ['chat.read', 'chat.write'] },
            name: 'made by dagi keys create',
          },
        },
      ],
    ]);
  });

  it('list tells owner, scopes, end and state', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    const keys = [
      KEY,
      {
        ...KEY,
        id: 'k2',
        gateway: true,
        dao_id: null,
        owner: 'platform',
        scopes: null,
        revoked_at: at,
        expires_at: at,
      },
      { ...KEY, id: 'k3', expires_at: at },
      { ...KEY, id: 'k4', expires_at: '2999-01-01T00:00:00.000Z' },
    ];
    json.mockResolvedValue({ ok: true, keys, next: null });
    const { text } = await listKeys(client, { dao: 'orchard', limit: 5 });
    const cells = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(cells).toEqual([
      ['id', 'name', 'dao', 'principal', 'owner', 'lets through', 'expires', 'last used', 'state'],
      ['k1', 'laptop', 'orchard', 'tg:5', 'p_1', 'chat.read, chat.write', 'never', 'never', 'active'],
      ['k2', 'laptop', 'all', 'tg:5 (gateway)', 'platform', 'what its owner may', at, 'never', 'revoked'],
      ['k3', 'laptop', 'orchard', 'tg:5', 'p_1', 'chat.read, chat.write', at, 'never', 'expired'],
      ['k4', 'laptop', 'orchard', 'tg:5', 'p_1', 'chat.read, chat.write', expect.any(String), 'never', 'active'],
    ]);
    expect(json).toHaveBeenCalledWith('GET', '/keys?dao_id=orchard&limit=5&after=', {});
  });

  it('rotate says which key goes out of use', async () => {
    json.mockResolvedValue({ ok: true, ...KEY, id: 'k9', key: 'dagi_y' });
    const { text } = await rotateKey(client, 'k1', { overlap: 3_600_000, dao: 'orchard' });
    expect(text).toMatch(/^dagi_y\n\(shown this once: keep it now\)\nid k9 takes the place of k1; /);
    await rotateKey(client, 'k1');
    expect(json.mock.calls).toEqual([
      ['POST', '/keys/k1/rotate?dao_id=orchard', { body: { overlap_seconds: 3_600 } }],
      ['POST', '/keys/k1/rotate', { body: {} }],
    ]);
  });

  it('revoke names one key', async () => {
    json.mockResolvedValue({ ok: true, id: 'a/b' });
    expect((await revokeKey(client, 'a/b')).text).toBe('revoked a/b\n');
    expect(json.mock.calls).toEqual([['DELETE', '/keys/a%2Fb', {}]]);
  });

  it('resolve tells what somebody is and may do', async () => {
    const rights = { dao_id: 'orchard', user_id: 'tg:5', member: null, roles: ['guest'], entitlements: ['chat.read'] };
    json.mockResolvedValue({ ok: true, ...rights });
    expect((await resolveUser(client, 'tg:5', { dao: 'orchard' })).text).toBe(
      'tg:5 in orchard\nmember  no\nroles   guest\nmay     chat.read\n',
    );
    expect(json).toHaveBeenLastCalledWith('GET', '/rbac/resolve?dao_id=orchard&user_id=tg%3A5', {});
    json.mockResolvedValue({ ok: true, ...rights, member: 'p_1', roles: [], entitlements: [] });
    expect((await resolveUser(client, undefined)).text).toContain('member  p_1\nroles   none\nmay     nothing\n');
  });
});

import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import { anAccess } from '../../test/factories/routing.js';
import type { AccessRepository } from '../adapters/store/access.repository.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { CallerKey } from '../contracts/access.js';
import { resolveRights } from '../domain/access.js';
import { AccessService, type Acting, type Named } from './access.service.js';

const admin = aCaller({ id: 'admin', principal: 'api:admin' });

describe('AccessService: the whole installation', () => {
  const hasPlatformGrant = jest.fn<AccessRepository['hasPlatformGrant']>();
  const append = jest.fn<AuditRepository['append']>();
  let sut: AccessService;

  beforeEach(() => {
    hasPlatformGrant.mockReset().mockImplementation((principal) => Promise.resolve(principal === 'api:admin'));
    append.mockReset().mockResolvedValue('x_0');
    const access = { hasPlatformGrant } as unknown as AccessRepository;
    sut = new AccessService(access, { append } as unknown as AuditRepository, () => undefined);
  });

  it('is open to the grant of the key’s own principal, without any DAO', async () => {
    expect(await sut.requirePlatform(admin)).toEqual({ actor: 'api:admin' });
    expect(await sut.requirePlatform(admin, 'api:admin')).toEqual({ actor: 'api:admin' });
    expect(append).not.toHaveBeenCalled();
  });

  it.each<[string, CallerKey, string | undefined, string]>([
    ['a principal without the grant', { ...admin, principal: 'api:other' }, undefined, 'api:other'],
    ['a user that the key names', admin, 'tg:1', 'tg:1'],
    ['a key of one DAO, even of such a principal', { ...admin, daoId: 'a-dao' }, undefined, 'api:admin'],
  ])('is closed, on the record, to %s', async (_who, key, userId, actor) => {
    const detail = { required_entitlement: 'platform.admin', roles: [] };
    await expect(sut.requirePlatform(key, userId)).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED', detail });
    const event = { actor, action: 'access.denied', subject: { user: actor }, detail };
    expect(append.mock.calls).toEqual([[{ daoId: key.daoId, key }, event]]);
  });

  it('may be looked at by whoever rules over all, where no DAO is named', async () => {
    expect(await sut.requireAnywhere(admin, {}, 'ops.read')).toEqual({ actor: 'api:admin', sees: null });
    const denied = sut.requireAnywhere(admin, { userId: 'tg:1' }, 'ops.read');
    await expect(denied).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
  });

  it('may be looked at from the DAO that is named or meant, with its entitlement', async () => {
    const named = jest.spyOn(sut, 'require').mockResolvedValue({
      actor: 'tg:1',
      daoId: 'a-dao',
      rights: { roles: ['admin'], entitlements: ['ops.read'] },
    } as never);
    const ofDao = { ...admin, daoId: 'a-dao' };
    expect(await sut.requireAnywhere(admin, { daoId: 'a-dao' }, 'ops.read')).toEqual({ actor: 'tg:1', sees: 'a-dao' });
    expect(await sut.requireAnywhere(ofDao, {}, 'ops.read')).toEqual({ actor: 'tg:1', sees: 'a-dao' });
    expect(named.mock.calls).toEqual([
      [admin, { daoId: 'a-dao' }, 'ops.read'],
      [ofDao, {}, 'ops.read'],
    ]);
    expect(hasPlatformGrant).not.toHaveBeenCalled();
  });

  it('lets nobody act as the administrator by name', async () => {
    const other = { ...admin, principal: 'api:other' };
    await expect(sut.requirePlatform(other, 'api:admin')).rejects.toMatchObject({ code: 'ACTING_NOT_ALLOWED' });
    expect(hasPlatformGrant).not.toHaveBeenCalled();
  });

  it.each<[string, CallerKey, Named, string]>([
    [
      'another’s name',
      aCaller({ daoId: 'a-dao', principal: 'tg:1', gateway: false }),
      { userId: 'tg:2' },
      'ACTING_NOT_ALLOWED',
    ],
    ['the name of a key', admin, { userId: 'api:other' }, 'ACTING_NOT_ALLOWED'],
    ['another DAO', aCaller({ daoId: 'a-dao' }), { daoId: 'other-dao' }, 'DAO_FORBIDDEN'],
  ])('puts a key that takes %s on the record of its own DAO, and not what it took', async (_what, key, named, code) => {
    for (let times = 0; times < 3; times += 1) await expect(sut.resolve(key, named)).rejects.toMatchObject({ code });
    const { daoId, principal: actor } = key;
    const event = { actor, action: 'access.denied', subject: { user: actor }, detail: { code } };
    expect(append.mock.calls).toEqual([[{ daoId, key }, event]]);
  });

  it('puts nothing on the record where only the DAO was left out', async () => {
    await expect(sut.resolve(admin, {})).rejects.toMatchObject({ code: 'DAO_REQUIRED' });
    expect(append).not.toHaveBeenCalled();
  });

  it('refuses, on the record, what is for people themselves to a key that somebody else answers for', async () => {
    const facts = anAccess(['member'], { member: 'p_1' });
    const by = (owner: string): Acting => ({
      ...{ actor: 'tg:1', daoId: 'a-dao', facts, rights: resolveRights(facts) },
      key: aCaller({ owner }),
    });
    await sut.requireOwnKey(by('platform'));
    await sut.requireOwnKey(by('p_1'));
    expect(append).not.toHaveBeenCalled();
    await expect(sut.requireOwnKey(by('p_2'))).rejects.toMatchObject({ code: 'ACTING_NOT_ALLOWED' });
    const [[place, event] = []] = append.mock.calls;
    expect(place).toMatchObject({ daoId: 'a-dao', key: { owner: 'p_2' } });
    expect(event).toMatchObject({ actor: 'tg:1', detail: { code: 'ACTING_NOT_ALLOWED' } });
  });

  it.each<[string, readonly string[], object]>([
    ['the key, where the roles would be enough', ['chat.read', 'chat.write'], { narrowed_by: 'key' }],
    ['the roles, where they would not', ['chat.read'], {}],
  ])('lays a refusal to %s', async (_what, entitlements, narrowed) => {
    const person = {
      dao: { id: 'a-dao', name: 'A' },
      limits: {},
      member: 'p_1',
      roles: [{ name: 'member', entitlements }],
    };
    const access = { byUser: () => Promise.resolve(person) } as unknown as AccessRepository;
    const asked = new AccessService(access, { append } as unknown as AuditRepository, () => 'a-dao');
    const refused = asked.require(aCaller({ daoId: 'a-dao', scopes: ['chat.read'] }), {}, 'chat.write');
    const detail = { required_entitlement: 'chat.write', roles: ['member'], ...narrowed };
    await expect(refused).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED', detail });
    await expect(refused).rejects.toThrow('narrowed_by' in narrowed ? /^The key/ : /^The roles/);
  });
});

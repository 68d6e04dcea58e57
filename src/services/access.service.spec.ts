import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import type { AccessRepository } from '../adapters/store/access.repository.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { CallerKey } from '../contracts/access.js';
import { AccessService } from './access.service.js';

const admin = aCaller({ id: 'admin', principal: 'api:admin' });

describe('AccessService: the whole installation', () => {
  const hasPlatformGrant = jest.fn<AccessRepository['hasPlatformGrant']>();
  const append = jest.fn<AuditRepository['append']>();
  let sut: AccessService;

  beforeEach(() => {
    hasPlatformGrant.mockReset().mockImplementation((principal) => Promise.resolve(principal === 'api:admin'));
    append.mockReset().mockResolvedValue();
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
    expect(append.mock.calls).toEqual([[key.daoId, event]]);
  });

  it('may be looked at by whoever rules over all, where no DAO is named', async () => {
    expect(await sut.requireAnywhere(admin, {}, 'ops.read')).toEqual({ actor: 'api:admin' });
    const denied = sut.requireAnywhere(admin, { userId: 'tg:1' }, 'ops.read');
    await expect(denied).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
  });

  it('may be looked at from the DAO that is named or meant, with its entitlement', async () => {
    const named = jest.spyOn(sut, 'require').mockResolvedValue({ actor: 'tg:1' } as never);
    const ofDao = { ...admin, daoId: 'a-dao' };
    expect(await sut.requireAnywhere(admin, { daoId: 'a-dao' }, 'ops.read')).toEqual({ actor: 'tg:1' });
    expect(await sut.requireAnywhere(ofDao, {}, 'ops.read')).toEqual({ actor: 'tg:1' });
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
});

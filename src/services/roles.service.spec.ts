import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { aCaller } from '../../test/factories/access.js';
import { anAccess } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { RolesRepository } from '../adapters/store/roles.repository.js';
import { resolveRights } from '../domain/access.js';
import type { AccessService, Acting } from './access.service.js';
import type { ChangesService } from './changes.service.js';
import type { RoleGuard } from './role-guard.js';
import { confirmationOf, RolesService } from './roles.service.js';

const DAO = 'greenfood-dao';
const key = aCaller();

describe('confirmationOf', () => {
  it('is that of one DAO, role, version and list of entitlements alone', () => {
    const part = fc.string();
    const change = fc.tuple(part, part, fc.option(part), fc.array(part));
    fc.assert(
      fc.property(change, change, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(confirmationOf(...one) === confirmationOf(...other)).toBe(same);
      }),
    );
    expect(confirmationOf('d', 'r', '1', [])).toMatch(/^[0-9a-f]{16}$/);
    expect(confirmationOf('d', 'r', '1', [])).toBe(confirmationOf('d', 'r', '1', []));
  });
});

describe('RolesService: what is asked before anything is written', () => {
  const require = jest.fn<AccessService['require']>();
  const denied = jest.fn<AccessService['denied']>();
  const find = jest.fn<RolesRepository['find']>();
  const page = jest.fn<RolesRepository['page']>();
  const holders = jest.fn<RolesRepository['holders']>();
  const holdersOf = jest.fn<RolesRepository['holdersOf']>();
  const objection = jest.fn<RoleGuard['objection']>();
  const within = jest.fn<(acting: Acting) => Promise<unknown>>();
  const sut = new RolesService({
    roles: strict<RolesRepository>('roles', { find, page, holders, holdersOf }),
    access: strict<AccessService>('access', { require, denied }),
    changes: strict<ChangesService>('changes', { within: (acting) => within(acting) as Promise<never> }),
    guard: strict<RoleGuard>('guard', { objection }),
  });
  const role = { name: 'keeper', entitlements: ['chat.read'], version: '3' };
  const put = (entitlements: string[], where: { expected?: string[]; confirm?: string } = {}) =>
    sut.put(key, 'keeper', { entitlements, confirm: where.confirm }, { daoId: DAO, expected: where.expected });

  beforeEach(() => {
    const facts = anAccess(['admin'], { within: ['chat.read', 'chat.write', 'config.update'] });
    const acting: Acting = { actor: 'tg:1', daoId: DAO, key, facts, rights: resolveRights(facts) };
    require.mockReset().mockResolvedValue(acting);
    denied.mockReset().mockResolvedValue();
    find.mockReset().mockResolvedValue(role);
    objection.mockReset().mockResolvedValue(undefined);
    within.mockReset().mockResolvedValue(role);
    page.mockReset().mockResolvedValue([role]);
    holders.mockReset().mockResolvedValue(new Map([['keeper', 4]]));
    holdersOf.mockReset().mockResolvedValue(4);
  });

  it('is whether the caller may, and has all that is given, before the guard finds anything out', async () => {
    await expect(put(['chat.read', 'audit.read'])).rejects.toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
      detail: { required_entitlement: 'audit.read' },
    });
    expect(denied).toHaveBeenCalledTimes(1);
    expect(require.mock.calls).toEqual([[key, { daoId: DAO }, 'config.update']]);
    for (const mock of [find, objection, within]) expect(mock).not.toHaveBeenCalled();
  });

  it('is whether the caller has all that is taken, too', async () => {
    find.mockResolvedValue({ ...role, entitlements: ['chat.read', 'audit.read', 'no.such'] });
    await expect(put(['chat.read'])).rejects.toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
      detail: { required_entitlement: 'audit.read' },
    });
    expect(denied).toHaveBeenCalledTimes(1);
    for (const mock of [objection, within]) expect(mock).not.toHaveBeenCalled();
    // Of what roles can give no longer, nobody has anything.
    find.mockResolvedValue({ ...role, entitlements: ['chat.read', 'no.such'] });
    expect(await put(['chat.read'])).toMatchObject({ created: false });
  });

  it('is which version is meant', async () => {
    await expect(put(['chat.write'], { expected: ['2'] })).rejects.toMatchObject({ code: 'VERSION_CHANGED' });
    find.mockResolvedValue(undefined);
    await expect(put(['chat.write'], { expected: ['3'] })).rejects.toMatchObject({
      code: 'VERSION_CHANGED',
      detail: { version: null },
    });
    expect(objection).not.toHaveBeenCalled();
    expect(within).not.toHaveBeenCalled();
  });

  it('is nothing more where nothing would change', async () => {
    expect(await put(['chat.read'], { expected: ['3'] })).toEqual({ role: { ...role, holders: 4 }, created: false });
    expect(objection).not.toHaveBeenCalled();
    expect(within).not.toHaveBeenCalled();
  });

  it('is the guard, for a role that is there', async () => {
    await put(['chat.write']);
    const edit = { daoId: DAO, role: 'keeper', from: ['chat.read'], to: ['chat.write'] };
    expect(objection.mock.calls).toEqual([[edit]]);
    find.mockResolvedValue(undefined);
    expect(await put(['chat.write'])).toMatchObject({ created: true });
    expect(objection).toHaveBeenCalledTimes(1);
  });

  it('is the guard for guests, whom everybody is, even where there is no such role', async () => {
    find.mockResolvedValue(undefined);
    await sut.put(key, 'guest', { entitlements: ['chat.read'] }, { daoId: DAO });
    expect(objection.mock.calls).toEqual([[{ daoId: DAO, role: 'guest', from: [], to: ['chat.read'] }]]);
  });

  it('is whether the caller may see members, before they are counted', async () => {
    const PART = { after: '', limit: 50 };
    const list = async () => (await sut.list(key, { daoId: DAO }, PART)).items;
    expect(await list()).toEqual([{ ...role, holders: 4 }]);
    holders.mockResolvedValue(new Map());
    expect(await list()).toEqual([{ ...role, holders: 0 }]);
    const facts = anAccess(['admin'], { within: ['chat.read', 'config.update'] });
    require.mockResolvedValue({ actor: 'tg:1', daoId: DAO, key, facts, rights: resolveRights(facts) });
    holders.mockClear();
    expect(await list()).toEqual([role]);
    expect(await put(['chat.read'])).toEqual({ role, created: false });
    for (const mock of [holders, holdersOf]) expect(mock).not.toHaveBeenCalled();
  });

  it('is a confirmation of just that, where the guard objects', async () => {
    const held = { reasons: ['because'], report: { requests: 1 } as never };
    objection.mockResolvedValue(held);
    const confirm = confirmationOf(DAO, 'keeper', '3', ['chat.write']);
    for (const wrong of [undefined, confirmationOf(DAO, 'keeper', '2', ['chat.write'])]) {
      const attempt = put(['chat.write'], wrong === undefined ? {} : { confirm: wrong });
      await expect(attempt).rejects.toMatchObject({ code: 'ROLE_CHANGE_HELD', detail: { ...held, confirm } });
    }
    expect(within).not.toHaveBeenCalled();
    await put(['chat.write'], { confirm });
    expect(within).toHaveBeenCalledTimes(1);
  });
});

import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import { anAccess } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { MembersRepository } from '../adapters/store/members.repository.js';
import { resolveRights } from '../domain/access.js';
import type { AccessService } from './access.service.js';
import { MicrodaoService, type ProposalPages } from './microdao.service.js';
import type { RolesService } from './roles.service.js';

const DAO = 'greenfood-dao';
const key = aCaller();
const PART = { after: '', limit: 2 };
const NAMED = { daoId: DAO, userId: 'tg:5' };
const asked = { dao_id: DAO, user_id: 'tg:5', ...PART };

const aMember = (id: string) => ({
  ...{ id, name: null, roles: ['member'], user_ids: [`tg:${id}`], version: '1' },
  created_at: new Date(),
});

describe('MicrodaoService', () => {
  const require = jest.fn<AccessService['require']>();
  const rolesPage = jest.fn<RolesService['page']>();
  const membersPage = jest.fn<MembersRepository['page']>();
  const proposalsPage = jest.fn<ProposalPages['page']>();
  const parts = {
    access: strict<AccessService>('access', { require }),
    roles: strict<RolesService>('roles', { page: rolesPage }),
    members: strict<MembersRepository>('members', { page: membersPage }),
  };
  const sut = new MicrodaoService({ ...parts, proposals: { page: proposalsPage } });

  const asks = (role: string): void => {
    const facts = anAccess([role]);
    require.mockResolvedValue({ actor: 'tg:5', daoId: DAO, key, facts, rights: resolveRights(facts) });
  };

  beforeEach(() => {
    for (const mock of [require, rolesPage, membersPage, proposalsPage]) mock.mockReset();
    asks('member');
  });

  it('lists roles', async () => {
    const page = { items: [{ name: 'admin', entitlements: [], version: '1', holders: 1 }], next: 'admin' };
    rolesPage.mockResolvedValue(page);
    const answer = await sut.query(key, { query_type: 'roles', ...asked });
    expect(answer).toEqual({ dao_id: DAO, query_type: 'roles', roles: page.items, next: 'admin' });
    expect(require.mock.calls).toEqual([[key, NAMED, 'chat.read']]);
    expect(rolesPage.mock.calls).toEqual([[expect.objectContaining({ daoId: DAO }), PART]]);
  });

  it('lists members for those who are more than guests, without the ids of platforms', async () => {
    membersPage.mockResolvedValue(['p_1', 'p_2', 'p_3'].map(aMember));
    const answer = await sut.query(key, { query_type: 'members', role: 'member', ...asked });
    const shown = ['p_1', 'p_2'].map((id) => ({ id, name: null, roles: ['member'] }));
    expect(answer).toEqual({ dao_id: DAO, query_type: 'members', members: shown, next: 'p_2' });
    expect(require.mock.calls).toEqual([[key, NAMED, 'chat.write']]);
    expect(membersPage.mock.calls).toEqual([[DAO, { after: '', limit: 3, role: 'member' }]]);
  });

  it('shows the ids of platforms to those who administer', async () => {
    asks('admin');
    membersPage.mockResolvedValue([aMember('p_1')]);
    const answer = await sut.query(key, { query_type: 'members', ...asked });
    expect(answer).toMatchObject({ members: [{ id: 'p_1', user_ids: ['tg:p_1'] }], next: null });
  });

  it('hands queries for proposals on, where something serves them', async () => {
    proposalsPage.mockResolvedValue({ items: [{ n: 1 }], next: '1' });
    const query = { query_type: 'proposals' as const, stage: 'open', ...asked };
    expect(await sut.query(key, query)).toEqual({
      ...{ dao_id: DAO, query_type: 'proposals', proposals: [{ n: 1 }], next: '1' },
    });
    expect(proposalsPage.mock.calls).toEqual([[DAO, { ...PART, stage: 'open' }]]);
    await expect(new MicrodaoService(parts).query(key, query)).rejects.toMatchObject({ code: 'QUERY_UNAVAILABLE' });
  });

  it('reads nothing for whoever may not', async () => {
    require.mockRejectedValue(new Error('denied'));
    for (const query_type of ['roles', 'members', 'proposals'] as const) {
      await expect(sut.query(key, { query_type, ...asked })).rejects.toThrow('denied');
    }
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { removeMember, updateMember } from '../../src/adapters/store/members.repository.js';
import type { AccessService } from '../../src/services/access.service.js';
import { Assembly } from '../factories/proposals.js';
import { DATABASES, type Fresh } from './databases.js';

const DRAFT = { title: 'One', text: 'First.', actions: [], open: false };

describe.each(DATABASES)('rights that are gone when it is one’s turn, on %s', (_name, open) => {
  let fresh: Fresh;
  let dao: Assembly;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    dao = new Assembly(fresh.database, `dao-${(count += 1)}`);
    await dao.found({ 'tg:1': ['admin'], 'tg:2': ['member'], 'tg:3': ['member'] }, { voting_hours: 1, veto_hours: 1 });
    await dao.proposals.create(dao.key('tg:2'), {}, DRAFT);
  });

  /** Lets something happen between the question whether somebody may, and the lock. */
  function meanwhile(happens: () => Promise<void>): void {
    const { access } = dao;
    const asked = access.require.bind(access);
    const late: AccessService['require'] = async (...about) => {
      const acting = await asked(...about);
      await happens();
      return acting;
    };
    Object.assign(access, { require: late });
  }

  const leaves = async (): Promise<void> => {
    const id = await dao.memberId('tg:2').catch(() => undefined);
    if (id !== undefined) await removeMember(fresh.database.of(dao.daoId), dao.daoId, id);
  };
  const hasRoles = (user: string, roles: string[]) => async (): Promise<void> =>
    updateMember(fresh.database.of(dao.daoId), dao.daoId, await dao.memberId(user), { roles });

  const actions: [string, () => Promise<unknown>][] = [
    ['delegate', () => dao.delegations.delegate(dao.key('tg:2'), {}, 'tg:3')],
    ['take back a delegation', () => dao.delegations.takeBack(dao.key('tg:2'), {})],
    ['make a proposal', () => dao.proposals.create(dao.key('tg:2'), {}, DRAFT)],
    ['edit one', () => dao.proposals.edit(dao.key('tg:2'), {}, 1, { title: 'Two' }, undefined)],
    ['open one', () => dao.proposals.open(dao.key('tg:2'), {}, 1)],
    ['withdraw one', () => dao.proposals.withdraw(dao.key('tg:2'), {}, 1)],
  ];

  it.each(actions)('should not let a member who has left %s', async (_what, attempt) => {
    meanwhile(leaves);
    await expect(attempt()).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    expect((await dao.recorded()).map(({ action }) => action)).toEqual(['proposal.create', 'access.denied']);
  });

  it.each(actions)('should not let a member who may no more %s', async (_what, attempt) => {
    meanwhile(hasRoles('tg:2', ['guest']));
    await expect(attempt()).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    expect(await dao.get('tg:1', 1)).toMatchObject({ stage: 'draft', title: 'One' });
  });

  it('should not let an admin veto who is none any more', async () => {
    meanwhile(hasRoles('tg:1', ['member']));
    await expect(dao.proposals.veto(dao.key('tg:1'), {}, 1, 'no')).rejects.toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
    });
  });
});

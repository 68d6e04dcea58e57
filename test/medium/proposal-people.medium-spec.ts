import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { linkIdentity } from '../../src/adapters/store/members.repository.js';
import { Assembly } from '../factories/proposals.js';
import { DATABASES, type Fresh } from './databases.js';

const MEMBERS = { 'tg:1': ['admin'], 'tg:2': ['member'], 'tg:3': ['member'] };

const code = (expected: string): unknown => expect.objectContaining({ name: 'AppError', code: expected });

describe.each(DATABASES)('who decides, and how often, on %s', (_name, open) => {
  let fresh: Fresh;
  let dao: Assembly;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    dao = new Assembly(fresh.database, `dao-${(count += 1)}`);
    await dao.found(MEMBERS, { voting_hours: 1, quorum: 0, veto_hours: 1 });
  });

  describe('a proposal', () => {
    it('should be written, opened and withdrawn with no key that somebody else answers for, on the record', async () => {
      const draft = { title: 'One', text: 'First.', actions: [], open: false };
      const { n } = await dao.proposals.create(dao.key('tg:2'), {}, draft);
      const owner = await dao.memberId('tg:1');
      const lent = { ...dao.key('tg:2'), owner };
      const gateway = { ...dao.key('api:bot'), gateway: true, owner };
      const named = { userId: 'tg:2' };
      for (const attempt of [
        () => dao.proposals.create(lent, {}, draft),
        () => dao.proposals.create(gateway, named, { ...draft, open: true }),
        () => dao.proposals.edit(gateway, named, n, { title: 'Two' }, undefined),
        () => dao.proposals.open(lent, {}, n),
        () => dao.proposals.withdraw(lent, {}, n),
      ]) {
        await expect(attempt()).rejects.toEqual(code('ACTING_NOT_ALLOWED'));
      }
      expect(await dao.get('tg:2', n)).toMatchObject({ stage: 'draft', title: 'One', version: '1' });
      expect((await dao.proposals.list(dao.key('tg:2'), {}, { limit: 9 })).items).toHaveLength(1);
      expect((await dao.recorded('access.denied')).map(({ detail }) => detail.code)).toContain('ACTING_NOT_ALLOWED');
      const own = { ...lent, owner: await dao.memberId('tg:2') };
      expect(await dao.proposals.open(own, {}, n)).toMatchObject({ stage: 'open' });
    });

    it('should open twenty times for an author at a time', async () => {
      for (let n = 1; n <= 20; n += 1) await dao.open('tg:2');
      await expect(dao.open('tg:2')).rejects.toEqual(code('PROPOSAL_LIMIT'));
      expect((await dao.open('tg:3')).stage).toBe('open');
      await dao.proposals.withdraw(dao.key('tg:2'), {}, 7);
      expect(await dao.open('tg:2')).toMatchObject({ stage: 'open' });
    });
  });

  describe('a ballot', () => {
    it('should need an id that an admin linked a week before the opening, or the member’s own code later', async () => {
      const db = fresh.database.of(dao.daoId);
      const sleeper = await dao.memberId('tg:3');
      await linkIdentity(db, dao.daoId, sleeper, 'dc:admin', 'admin');
      await linkIdentity(db, dao.daoId, sleeper, 'dc:code', 'code');
      const { n } = await dao.open('tg:2');
      await expect(dao.vote('dc:admin', n, 'yes')).rejects.toEqual(code('IDENTITY_TOO_NEW'));
      const to = await dao.memberId('tg:2');
      const delegate = () => dao.delegations.delegate(dao.key('dc:admin'), {}, to);
      await expect(delegate()).rejects.toEqual(code('IDENTITY_TOO_NEW'));
      await expect(dao.delegations.takeBack(dao.key('dc:admin'), {})).rejects.toEqual(code('IDENTITY_TOO_NEW'));
      expect(await dao.vote('dc:code', n, 'no')).toMatchObject({ voter: sleeper, choice: 'no' });
      await dao.delegations.delegate(dao.key('dc:code'), {}, to);
      const earlier = sql<Date>`linked_at - interval '7 days'`;
      await db.updateTable('identities').set({ linked_at: earlier }).where('user_id', '=', 'dc:admin').execute();
      expect(await dao.vote('dc:admin', n, 'yes')).toMatchObject({ voter: sleeper, revision: 2 });
      expect(await delegate()).toMatchObject({ to });
    });

    it('should be cast fifty times at most, and repeated ones are still answered', async () => {
      const { n } = await dao.open('tg:2');
      const first = await dao.vote('tg:3', n, 'yes', 'first');
      for (let at = 2; at <= 50; at += 1) await dao.vote('tg:3', n, at % 2 === 0 ? 'no' : 'yes');
      await expect(dao.vote('tg:3', n, 'yes')).rejects.toEqual(code('BALLOT_LIMIT'));
      expect(await dao.vote('tg:3', n, 'yes', 'first')).toEqual(first);
      expect(await dao.votes.tally(dao.key('tg:1'), {}, n)).toMatchObject({ yes: 0, no: 1 });
    });
  });
});

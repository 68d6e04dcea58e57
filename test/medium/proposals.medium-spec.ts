import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { linkIdentity, removeMember, updateMember } from '../../src/adapters/store/members.repository.js';
import type { Ballot, Choice, ProposalAction, ShownBallot } from '../../src/contracts/proposal.js';
import { commitmentOf, digestOfBallots } from '../../src/domain/ballot.js';
import { Assembly } from '../factories/proposals.js';
import { DATABASES, type Fresh } from './databases.js';

const MEMBERS = {
  'tg:1': ['admin'],
  'tg:2': ['member'],
  'tg:3': ['member'],
  'tg:4': ['member'],
  'tg:5': ['contributor'],
};
const HOUR = 3_600_000;
const ALL = { limit: 200 };

const code = (expected: string, detail: object = {}): unknown =>
  expect.objectContaining({ name: 'AppError', code: expected, detail: expect.objectContaining(detail) as unknown });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each(DATABASES)('proposals on %s', (_name, open) => {
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

  /** Opens a proposal, lets these vote, and lets its time pass. */
  async function decided(votes: Record<string, Choice>, actions: ProposalAction[] = []): Promise<number> {
    const { n } = await dao.open('tg:2', { actions });
    for (const [user, choice] of Object.entries(votes)) await dao.vote(user, n, choice);
    await dao.elapse(n, HOUR);
    await dao.advancing.advance(dao.daoId, n);
    return n;
  }

  /** The same, and lets the time for a veto pass too. */
  async function executed(actions: ProposalAction[]): Promise<number> {
    const n = await decided({ 'tg:2': 'yes' }, actions);
    await dao.elapse(n, HOUR);
    await dao.advancing.advance(dao.daoId, n);
    return n;
  }

  describe('a draft', () => {
    it('should be numbered, changed by its author alone, and take nobody’s change for another’s', async () => {
      const draft = { title: 'One', text: 'First.', actions: [], open: false };
      const first = await dao.proposals.create(dao.key('tg:5'), {}, draft);
      const second = await dao.proposals.create(dao.key('tg:2'), {}, { ...draft, title: 'Two' });
      expect([first.n, second.n]).toEqual([1, 2]);
      expect(first).toMatchObject({ stage: 'draft', author: await dao.memberId('tg:5'), rules: null, version: '1' });
      const edit = (user: string, changes: object, versions?: string[]) =>
        dao.proposals.edit(dao.key(user), {}, 1, changes, versions);
      expect(await edit('tg:5', { title: 'Better' }, ['1'])).toMatchObject({
        title: 'Better',
        text: 'First.',
        version: '2',
      });
      await expect(edit('tg:5', { title: 'Late' }, ['1'])).rejects.toEqual(code('VERSION_CHANGED', { version: '2' }));
      await expect(edit('tg:2', { title: 'Mine' })).rejects.toEqual(code('NOT_THE_AUTHOR'));
      await expect(edit('tg:9', { title: 'Mine' })).rejects.toEqual(code('RBAC_PERMISSION_DENIED'));
      expect(await dao.get('tg:9', 1)).toMatchObject({ title: 'Better' });
      const { items, next } = await dao.proposals.list(dao.key('tg:1'), {}, { limit: 1 });
      expect([items.map(({ n }) => n), next]).toEqual([[2], '2']);
      expect(await dao.proposals.list(dao.key('tg:1'), {}, { limit: 1, after: '2' })).toMatchObject({ next: null });
      expect((await dao.proposals.list(dao.key('tg:1'), {}, { limit: 9, stage: 'open' })).items).toEqual([]);
    });

    it('should be opened once, and be changed no more', async () => {
      const draft = { title: 'One', text: 'First.', actions: [], open: false };
      await dao.proposals.create(dao.key('tg:5'), {}, draft);
      const opened = await dao.proposals.open(dao.key('tg:5'), {}, 1);
      expect(opened).toMatchObject({ stage: 'open', rules: { voting_hours: 1, quorum: 0, sealed: false } });
      expect((opened.closes_at?.getTime() ?? 0) - (opened.opened_at?.getTime() ?? 0)).toBe(HOUR);
      const stage = code('PROPOSAL_STAGE', { stage: 'open' });
      await expect(dao.proposals.open(dao.key('tg:5'), {}, 1)).rejects.toEqual(stage);
      await expect(dao.proposals.edit(dao.key('tg:5'), {}, 1, { text: 'Other.' }, undefined)).rejects.toEqual(stage);
      await expect(dao.proposals.open(dao.key('tg:5'), {}, 2)).rejects.toEqual(code('PROPOSAL_NOT_FOUND'));
      expect(dao.told).toEqual([`${dao.daoId}/1`, `${dao.daoId}/1`]);
    });

    it('should be withdrawn by its author, and when it is open only before the first ballot', async () => {
      const { n } = await dao.open('tg:2');
      await expect(dao.proposals.withdraw(dao.key('tg:3'), {}, n)).rejects.toEqual(code('NOT_THE_AUTHOR'));
      expect(await dao.proposals.withdraw(dao.key('tg:2'), {}, n)).toMatchObject({ stage: 'withdrawn' });
      await expect(dao.vote('tg:3', n, 'yes')).rejects.toEqual(code('VOTING_NOT_OPEN'));
      const other = await dao.open('tg:2');
      await dao.vote('tg:3', other.n, 'yes');
      await expect(dao.proposals.withdraw(dao.key('tg:2'), {}, other.n)).rejects.toEqual(code('PROPOSAL_STAGE'));
    });

    it('should hold no action that cannot be done', async () => {
      const draft = (action: object) => dao.open('tg:2', { actions: [action as ProposalAction] });
      const invalid = (reason: string): unknown => code('ACTION_INVALID', { action: 0, reason });
      await expect(draft({ type: 'grant_role', user_id: 'tg:404', role: 'member' })).rejects.toEqual(
        invalid('MEMBER_NOT_FOUND'),
      );
      await expect(draft({ type: 'grant_role', user_id: 'tg:3', role: 'king' })).rejects.toEqual(
        invalid('ROLE_NOT_FOUND'),
      );
      await expect(draft({ type: 'invite', user_id: 'tg:3', roles: ['member'] })).rejects.toEqual(
        invalid('ALREADY_MEMBER'),
      );
      const { actions } = await draft({ type: 'grant_role', user_id: 'tg:3', role: 'contributor' });
      expect(actions).toEqual([{ type: 'grant_role', member: await dao.memberId('tg:3'), role: 'contributor' }]);
    });

    it('should not open where nobody could vote, nor below what the installation demands', async () => {
      await dao.settle({ member_weights: {} });
      await expect(dao.open('tg:2')).rejects.toEqual(code('ELECTORATE_EMPTY'));
      await dao.settle({ voting_hours: 0.001, quorum: 0, threshold: 0, veto_hours: 0 });
      dao.floors = { voting_hours: 2, quorum: 0.25, threshold: 0.5, veto_hours: 3 };
      expect((await dao.open('tg:2')).rules).toMatchObject(dao.floors);
    });
  });

  describe('a ballot', () => {
    it('should be cast by who could vote at the opening, whatever becomes of their roles', async () => {
      const { n } = await dao.open('tg:2');
      const db = fresh.database.of(dao.daoId);
      await updateMember(db, dao.daoId, await dao.memberId('tg:3'), { roles: ['guest'] });
      await updateMember(db, dao.daoId, await dao.memberId('tg:5'), { roles: ['member'] });
      expect(await dao.vote('tg:3', n, 'yes')).toMatchObject({ revision: 1, choice: 'yes', commitment: null });
      // Who is among the voters decides, so their own key is as good as the platform's.
      const own = { ...dao.key('tg:3'), owner: await dao.memberId('tg:3') };
      expect(await dao.votes.cast(own, {}, n, { choice: 'no' })).toMatchObject({ revision: 2, choice: 'no' });
      const narrow = { ...own, scopes: ['chat.read' as const] };
      await expect(dao.votes.cast(narrow, {}, n, { choice: 'yes' })).rejects.toEqual(code('RBAC_PERMISSION_DENIED'));
      await expect(dao.vote('tg:5', n, 'yes')).rejects.toEqual(code('NOT_IN_ELECTORATE'));
      await expect(dao.vote('tg:9', n, 'yes')).rejects.toEqual(code('RBAC_PERMISSION_DENIED'));
      await expect(dao.vote('tg:2', 99, 'yes')).rejects.toEqual(code('PROPOSAL_NOT_FOUND'));
      expect((await dao.votes.electors(dao.key('tg:2'), {}, n, ALL)).items).toHaveLength(4);
    });

    it('should not tell guests who belongs, only how it stands', async () => {
      const { n } = await dao.open('tg:2');
      const guest = dao.key('tg:9');
      const denied = code('RBAC_PERMISSION_DENIED');
      await expect(dao.votes.electors(guest, {}, n, ALL)).rejects.toEqual(denied);
      await expect(dao.votes.ballots(guest, {}, n, { ...ALL, changed: true })).rejects.toEqual(denied);
      await expect(dao.delegations.list(guest, {}, ALL)).rejects.toEqual(denied);
      expect(await dao.votes.tally(guest, {}, n)).toMatchObject({ total: 4, ballots: 0 });
    });

    it('should be refused, on the record, to a member who never had the right', async () => {
      const { n } = await dao.open('tg:2');
      await expect(dao.vote('tg:5', n, 'yes')).rejects.toEqual(code('RBAC_PERMISSION_DENIED'));
      expect(await dao.recorded('access.denied')).toHaveLength(1);
    });

    it('should not be cast with a key that does not let it through', async () => {
      const { n } = await dao.open('tg:2');
      const narrow = { ...dao.key('tg:3'), scopes: ['chat.read' as const] };
      await expect(dao.votes.cast(narrow, {}, n, { choice: 'yes' })).rejects.toEqual(code('RBAC_PERMISSION_DENIED'));
    });

    it('should be neither cast nor delegated with a key that somebody else answers for, on the record', async () => {
      const { n } = await dao.open('tg:2');
      const owner = await dao.memberId('tg:1');
      const lent = { ...dao.key('tg:3'), owner };
      const gateway = { ...dao.key('api:bot'), gateway: true, owner };
      const [named, own] = [{ userId: 'tg:3' }, { userId: 'tg:1' }];
      const no = { choice: 'no' as const };
      await expect(dao.votes.cast(lent, {}, n, no)).rejects.toEqual(code('ACTING_NOT_ALLOWED'));
      await expect(dao.votes.cast(gateway, named, n, no)).rejects.toEqual(code('ACTING_NOT_ALLOWED'));
      await expect(dao.delegations.delegate(lent, {}, owner)).rejects.toEqual(code('ACTING_NOT_ALLOWED'));
      await dao.delegations.delegate(dao.key('tg:3'), {}, await dao.memberId('tg:2'));
      await expect(dao.delegations.takeBack(gateway, named)).rejects.toEqual(code('ACTING_NOT_ALLOWED'));
      expect(await dao.votes.cast(gateway, own, n, no)).toMatchObject({ voter: owner, choice: 'no' });
      const [denied] = await dao.recorded('access.denied');
      expect(denied).toMatchObject({
        actor: await dao.memberId('tg:3'),
        detail: { code: 'ACTING_NOT_ALLOWED', key: { id: lent.id, owner } },
      });
      expect(await dao.recorded('vote.cast')).toHaveLength(1);
    });

    it('should need an id that was linked before the opening', async () => {
      const { n } = await dao.open('tg:2');
      await linkIdentity(fresh.database.of(dao.daoId), dao.daoId, await dao.memberId('tg:3'), 'dc:3');
      await expect(dao.vote('dc:3', n, 'yes')).rejects.toEqual(code('IDENTITY_TOO_NEW'));
      await dao.vote('tg:3', n, 'no');
      const later = await dao.open('tg:2');
      await dao.vote('dc:3', later.n, 'yes');
      expect(await dao.vote('tg:3', later.n, 'no')).toMatchObject({ revision: 2 });
      expect(await dao.votes.tally(dao.key('tg:1'), {}, later.n)).toMatchObject({ no: 1, yes: 0, ballots: 1 });
    });

    it('should be changed until the close, with every change kept', async () => {
      const { n } = await dao.open('tg:2');
      for (const choice of ['yes', 'no', 'abstain'] as const) await dao.vote('tg:3', n, choice);
      await dao.vote('tg:1', n, 'yes');
      expect(await dao.votes.tally(dao.key('tg:2'), {}, n)).toMatchObject({ yes: 1, no: 0, abstain: 1, final: false });
      const last = await dao.votes.ballots(dao.key('tg:2'), {}, n, { ...ALL, changed: false });
      expect(last.items.map(({ choice }) => choice).toSorted()).toEqual(['abstain', 'yes']);
      const seen: ShownBallot[] = [];
      for (let after: string | undefined; ;) {
        const part = await dao.votes.ballots(dao.key('tg:2'), {}, n, { after, limit: 1, changed: true });
        seen.push(...part.items);
        if (part.next === null) break;
        after = part.next;
      }
      expect(seen.map(({ choice }) => choice).toSorted()).toEqual(['abstain', 'no', 'yes', 'yes']);
      expect((await dao.recorded('vote.cast')).map(({ detail }) => detail.choice)).toEqual([
        'yes',
        'no',
        'abstain',
        'yes',
      ]);
    });

    it('should be answered as the first time when the client repeats it, after the close too', async () => {
      const { n } = await dao.open('tg:2');
      const first = await dao.vote('tg:3', n, 'yes', 'one');
      await dao.vote('tg:3', n, 'no', 'two');
      expect(await dao.vote('tg:3', n, 'yes', 'one')).toEqual(first);
      await expect(dao.vote('tg:3', n, 'no', 'one')).rejects.toEqual(code('IDEMPOTENCY_CONFLICT'));
      expect(await dao.vote('tg:4', n, 'yes', 'one')).toMatchObject({ revision: 1 });
      await dao.elapse(n, HOUR);
      await dao.advancing.advance(dao.daoId, n);
      expect(await dao.vote('tg:3', n, 'yes', 'one')).toEqual(first);
      await expect(dao.vote('tg:3', n, 'yes', 'three')).rejects.toEqual(code('VOTING_CLOSED'));
      expect((await dao.get('tg:3', n)).result).toMatchObject({ yes: 1, no: 1 });
    });

    it('should be refused from the closing time on, before anything has closed', async () => {
      const { n } = await dao.open('tg:2');
      await dao.elapse(n, HOUR);
      await expect(dao.vote('tg:3', n, 'yes')).rejects.toEqual(code('VOTING_CLOSED', { stage: 'open' }));
      await expect(dao.proposals.withdraw(dao.key('tg:2'), {}, n)).rejects.toEqual(code('PROPOSAL_STAGE'));
    });

    it('should say nothing before the close where ballots are sealed, and everything after it', async () => {
      await dao.settle({ voting_hours: 1, quorum: 0, sealed: true });
      const { n } = await dao.open('tg:2');
      const cast = await dao.vote('tg:3', n, 'yes');
      const changed = await dao.vote('tg:3', n, 'no');
      expect(cast).not.toHaveProperty('salt');
      const read = () => dao.votes.ballots(dao.key('tg:1'), {}, n, { ...ALL, changed: true });
      const sealed = (await read()).items;
      expect(sealed.map(({ commitment }) => commitment)).toEqual([cast.commitment, changed.commitment]);
      expect(sealed.flatMap(Object.keys)).not.toContain('choice');
      expect(sealed.flatMap(Object.keys)).not.toContain('salt');
      const { yes, no, ballots } = (await dao.votes.tally(dao.key('tg:1'), {}, n)) ?? {};
      expect({ yes, no, ballots }).toEqual({ yes: undefined, no: undefined, ballots: 1 });
      await dao.elapse(n, HOUR);
      await dao.advancing.advance(dao.daoId, n);
      const shown = (await read()).items;
      for (const { voter, revision, choice, salt, commitment } of shown) {
        const bound = { daoId: dao.daoId, n, voter, revision, choice: choice!, salt: salt! };
        expect(commitmentOf(sha256, bound)).toBe(commitment);
      }
      const recorded = (await dao.recorded('vote.cast')).map(({ detail }) => detail);
      expect(recorded).toEqual(shown.map(({ revision, commitment }) => ({ revision, commitment })));
      const [closing] = await dao.recorded('proposal.close');
      expect(closing?.detail.ballots_digest).toBe(digestOfBallots(sha256, shown as Ballot[]));
      expect(await dao.votes.tally(dao.key('tg:1'), {}, n)).toMatchObject({ yes: 0, no: 1, final: true });
    });
  });

  describe('weights and delegations', () => {
    const electorate = async (n: number): Promise<Record<string, [number, string | null]>> => {
      const { items } = await dao.votes.electors(dao.key('tg:1'), {}, n, ALL);
      const names = new Map<string, string>();
      for (const user of Object.keys(MEMBERS)) names.set(await dao.memberId(user), user);
      return Object.fromEntries(
        items.map(({ member, weight, delegate }) => [
          names.get(member) ?? member,
          [weight, delegate === null ? null : (names.get(delegate) ?? delegate)],
        ]),
      );
    };
    const delegate = (from: string, to: string) => dao.delegations.delegate(dao.key(from), {}, to);

    it('should come by role, the largest one, and stay as they were at the opening', async () => {
      const db = fresh.database.of(dao.daoId);
      await updateMember(db, dao.daoId, await dao.memberId('tg:4'), { roles: ['member', 'contributor'] });
      await dao.settle({ role_weights: { admin: 3, member: 0.5, contributor: 2 } });
      const { n, rules } = await dao.open('tg:2');
      expect(rules?.weights).toBe('by_role');
      const before = await electorate(n);
      expect(before).toEqual({ 'tg:1': [3, null], 'tg:2': [0.5, null], 'tg:3': [0.5, null], 'tg:4': [2, null] });
      await dao.settle({ role_weights: { admin: 0 } });
      await delegate('tg:3', 'tg:1');
      expect(await electorate(n)).toEqual(before);
    });

    it('should come from a table, in which who is not listed has no vote', async () => {
      const [two, five] = [await dao.memberId('tg:2'), await dao.memberId('tg:5')];
      await dao.settle({ role_weights: { admin: 9 }, member_weights: { [two]: 1.25, [five]: 7, p_gone: 3 } });
      const { n, rules } = await dao.open('tg:2');
      expect(rules?.weights).toBe('table');
      expect(await electorate(n)).toEqual({ 'tg:2': [1.25, null] });
    });

    it('should be given on to whoever is delegated to, unless that one may not vote', async () => {
      await delegate('tg:2', 'tg:3');
      await delegate('tg:3', await dao.memberId('tg:1'));
      await delegate('tg:4', 'tg:3');
      const db = fresh.database.of(dao.daoId);
      await updateMember(db, dao.daoId, await dao.memberId('tg:3'), { roles: ['contributor'] });
      const { n } = await dao.open('tg:2');
      expect(await electorate(n)).toEqual({ 'tg:1': [1, null], 'tg:2': [1, null], 'tg:4': [1, null] });
      await updateMember(db, dao.daoId, await dao.memberId('tg:3'), { roles: ['member'] });
      const later = await dao.open('tg:2');
      expect(await electorate(later.n)).toEqual({
        ...{ 'tg:1': [1, null], 'tg:2': [1, 'tg:3'], 'tg:3': [1, 'tg:1'], 'tg:4': [1, 'tg:3'] },
      });
      await dao.vote('tg:1', later.n, 'yes');
      expect(await dao.votes.tally(dao.key('tg:1'), {}, later.n)).toMatchObject({ yes: 4, voters: 4, ballots: 1 });
      await dao.vote('tg:3', later.n, 'no');
      expect(await dao.votes.tally(dao.key('tg:1'), {}, later.n)).toMatchObject({ yes: 1, no: 3 });
    });

    it('should lead in no circle, be changed and be taken back', async () => {
      await delegate('tg:2', 'tg:3');
      await delegate('tg:3', 'tg:4');
      await expect(delegate('tg:4', 'tg:2')).rejects.toEqual(code('DELEGATION_CYCLE'));
      await expect(delegate('tg:4', 'tg:4')).rejects.toEqual(code('DELEGATE_INVALID'));
      await expect(delegate('tg:4', 'tg:5')).rejects.toEqual(code('DELEGATE_INVALID'));
      await expect(delegate('tg:4', 'tg:404')).rejects.toEqual(code('DELEGATE_INVALID'));
      await expect(delegate('tg:5', 'tg:1')).rejects.toEqual(code('RBAC_PERMISSION_DENIED'));
      await delegate('tg:2', 'tg:1');
      await delegate('tg:4', 'tg:2');
      const { items, mine } = await dao.delegations.list(dao.key('tg:4'), {}, ALL);
      expect([items.length, mine?.to]).toEqual([3, await dao.memberId('tg:2')]);
      await dao.delegations.takeBack(dao.key('tg:4'), {});
      await dao.delegations.takeBack(dao.key('tg:4'), {});
      expect((await dao.delegations.list(dao.key('tg:4'), {}, ALL)).mine).toBeNull();
      expect((await dao.recorded('delegation.remove')).length).toBe(1);
    });

    it('should close no circle when two delegate to each other at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const both = await Promise.allSettled([delegate('tg:2', 'tg:3'), delegate('tg:3', 'tg:2')]);
        expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        await Promise.all(['tg:2', 'tg:3'].map((user) => dao.delegations.takeBack(dao.key(user), {})));
      }
    });

    it('should stay with members who have gone since', async () => {
      const { n } = await dao.open('tg:2');
      await dao.vote('tg:3', n, 'yes');
      await removeMember(fresh.database.of(dao.daoId), dao.daoId, await dao.memberId('tg:3'));
      expect(await dao.votes.tally(dao.key('tg:1'), {}, n)).toMatchObject({ yes: 1, total: 4 });
    });
  });

  describe('the end', () => {
    it('should be waited for by the database’s clock', async () => {
      const { n } = await dao.open('tg:2');
      const waiting = await dao.advancing.advance(dao.daoId, n);
      expect(waiting).toMatchObject({ stage: 'open', final: false });
      expect(waiting.remainingMs).toBeGreaterThan(HOUR - 60_000);
      expect(waiting.remainingMs).toBeLessThanOrEqual(HOUR);
      await dao.elapse(n, HOUR - 500);
      expect((await dao.advancing.advance(dao.daoId, n)).remainingMs).toBe(1_000);
      expect(await dao.advancing.advance(dao.daoId, 99)).toEqual({ stage: 'gone', remainingMs: null, final: true });
      expect(await dao.advancing.advance('no-dao', 1)).toMatchObject({ stage: 'gone' });
    });

    it.each<[string, Record<string, Choice>, string]>([
      ['nobody voted', {}, 'expired'],
      ['most were against', { 'tg:1': 'no', 'tg:2': 'yes', 'tg:3': 'no' }, 'rejected'],
      ['most were for', { 'tg:1': 'no', 'tg:2': 'yes', 'tg:3': 'yes' }, 'passed'],
    ])('should come at the closing time when %s', async (_case, votes, stage) => {
      const n = await decided(votes);
      const proposal = await dao.get('tg:1', n);
      expect(proposal).toMatchObject({ stage, result: { ballots: Object.keys(votes).length } });
      expect(proposal.ended_at === null).toBe(stage === 'passed');
      expect(await dao.recorded('proposal.close')).toMatchObject([{ actor: 'api:clock', detail: { stage } }]);
    });

    it('should be vetoed before the moment of execution, and not from then on', async () => {
      const n = await decided({ 'tg:1': 'yes' });
      await expect(dao.proposals.veto(dao.key('tg:2'), {}, n, 'No.')).rejects.toEqual(code('RBAC_PERMISSION_DENIED'));
      expect(await dao.proposals.veto(dao.key('tg:1'), {}, n, 'Too dear.')).toMatchObject({
        ...{ stage: 'vetoed', veto_reason: 'Too dear.' },
      });
      await dao.elapse(n, HOUR);
      expect(await dao.advancing.advance(dao.daoId, n)).toEqual({ stage: 'vetoed', remainingMs: null, final: true });
      expect(JSON.stringify(await dao.recorded())).not.toContain('Too dear');
      const late = await decided({ 'tg:1': 'yes' });
      await dao.elapse(late, HOUR);
      await expect(dao.proposals.veto(dao.key('tg:1'), {}, late, 'Late.')).rejects.toEqual(code('PROPOSAL_STAGE'));
    });

    it('should leave the whole time for a veto however late it was closed', async () => {
      const { n } = await dao.open('tg:2');
      await dao.vote('tg:2', n, 'yes');
      await dao.elapse(n, 100 * HOUR);
      expect(await dao.advancing.advance(dao.daoId, n)).toMatchObject({ stage: 'passed', final: false });
    });

    it('should be executed at once where nobody may veto', async () => {
      await dao.settle({ voting_hours: 1, quorum: 0, veto_hours: 0 });
      const { n } = await dao.open('tg:2', { actions: [{ type: 'set_fact', name: 'motto', value: 'Eat.' }] });
      await dao.vote('tg:2', n, 'yes');
      await dao.elapse(n, HOUR);
      expect(await dao.advancing.advance(dao.daoId, n)).toEqual({ stage: 'executed', remainingMs: null, final: true });
    });

    it('should do its actions exactly once, however often and by how many it is advanced', async () => {
      const [two, three] = [await dao.memberId('tg:2'), await dao.memberId('tg:3')];
      const n = await decided({ 'tg:2': 'yes' }, [
        { type: 'grant_role', member: three, role: 'contributor' },
        { type: 'revoke_role', member: two, role: 'member' },
        { type: 'set_fact', name: 'motto', value: 'Eat.' },
        { type: 'set_setting', name: 'quorum', value: 0.5 },
        { type: 'invite', user_id: 'tg:77', roles: ['member'] },
      ]);
      await dao.elapse(n, HOUR);
      const ends = await Promise.all(Array.from({ length: 8 }, () => dao.advancing.advance(dao.daoId, n)));
      expect(ends.every(({ stage, final }) => stage === 'executed' && final)).toBe(true);
      const db = fresh.database.of(dao.daoId);
      const members = await db
        .selectFrom('members')
        .where('dao_id', '=', dao.daoId)
        .select(['id', 'roles', 'version'])
        .execute();
      expect(members.find(({ id }) => id === three)).toMatchObject({ roles: ['member', 'contributor'], version: '2' });
      expect(members.find(({ id }) => id === two)).toMatchObject({ roles: [], version: '2' });
      const row = await db.selectFrom('daos').where('id', '=', dao.daoId).selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({
        facts: { purpose: 'Food.', motto: 'Eat.' },
        settings: { voting_hours: 1, quorum: 0.5 },
      });
      const invited = await db.selectFrom('invitations').where('dao_id', '=', dao.daoId).selectAll().execute();
      expect(invited).toMatchObject([{ user_id: 'tg:77', roles: ['member'], uses_left: 1, hash: null }]);
      expect(await dao.recorded('proposal.execute')).toHaveLength(1);
    });

    it('should fail with the reason when an action cannot be done any more, and leave nothing of the others', async () => {
      const three = await dao.memberId('tg:3');
      const n = await decided({ 'tg:2': 'yes' }, [
        { type: 'set_fact', name: 'motto', value: 'Eat.' },
        { type: 'grant_role', member: three, role: 'contributor' },
      ]);
      await removeMember(fresh.database.of(dao.daoId), dao.daoId, three);
      await dao.elapse(n, HOUR);
      await dao.advancing.advance(dao.daoId, n);
      expect(await dao.get('tg:1', n)).toMatchObject({
        ...{ stage: 'failed', failure: { action: 1, reason: 'MEMBER_NOT_FOUND' } },
      });
      const { facts } = await fresh.database
        .of(dao.daoId)
        .selectFrom('daos')
        .where('id', '=', dao.daoId)
        .selectAll()
        .executeTakeFirstOrThrow();
      expect(facts).toEqual({ purpose: 'Food.' });
      expect(await dao.recorded('proposal.fail')).toMatchObject([{ detail: { reason: 'MEMBER_NOT_FOUND' } }]);
    });

    it('should leave the DAO an admin, or fail', async () => {
      const one = await dao.memberId('tg:1');
      const last = await executed([
        { type: 'set_fact', name: 'motto', value: 'No kings.' },
        { type: 'revoke_role', member: one, role: 'admin' },
      ]);
      expect(await dao.get('tg:1', last)).toMatchObject({ stage: 'failed', failure: { reason: 'LAST_ADMIN' } });
      const { facts } = await fresh.database
        .of(dao.daoId)
        .selectFrom('daos')
        .where('id', '=', dao.daoId)
        .selectAll()
        .executeTakeFirstOrThrow();
      expect(facts).toEqual({ purpose: 'Food.' });
      const handed = await executed([
        { type: 'revoke_role', member: one, role: 'admin' },
        { type: 'grant_role', member: await dao.memberId('tg:2'), role: 'admin' },
      ]);
      expect(await dao.get('tg:2', handed)).toMatchObject({ stage: 'executed' });
      expect((await dao.access.resolve(dao.key('tg:1'), {})).rights.roles).toEqual(['guest']);
    });

    it('should keep the record whole when effects were rolled back', async () => {
      await executed([{ type: 'revoke_role', member: await dao.memberId('tg:1'), role: 'admin' }]);
      const rows = await dao.audit.page(dao.daoId, { after: 0, limit: 1_000 });
      let before = '';
      for (const { entry, hash } of rows) {
        expect(sha256(`${before}\n${entry}`)).toBe(hash);
        before = hash;
      }
      const head = await fresh.database
        .of(dao.daoId)
        .selectFrom('audit_chains')
        .where('chain', '=', dao.daoId)
        .selectAll()
        .executeTakeFirst();
      expect(head).toMatchObject({ seq: String(rows.length), hash: before });
    });

    it('should come to those that are overdue when the sweep finds them, and their clocks be told', async () => {
      const { n } = await dao.open('tg:2');
      await dao.elapse(n, HOUR + 60_000);
      dao.told.length = 0;
      await dao.advancing.sweep();
      expect(await dao.get('tg:1', n)).toMatchObject({ stage: 'expired' });
      // Those of other tests may be overdue by then, too.
      expect(dao.told).toContain(`${dao.daoId}/${n}`);
    });
  });
});

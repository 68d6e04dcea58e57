import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { closeGate, decideGate } from '../../src/adapters/store/crew-gates.repository.js';
import { CrewRunsRepository, endRun, passTime } from '../../src/adapters/store/crew-runs.repository.js';
import { DeliveriesRepository } from '../../src/adapters/store/deliveries.repository.js';
import { addMember } from '../../src/adapters/store/members.repository.js';
import { addNews, NewsRepository } from '../../src/adapters/store/news.repository.js';
import { PreferencesRepository } from '../../src/adapters/store/preferences.repository.js';
import { updateProposal } from '../../src/adapters/store/proposals.repository.js';
import { toldAt } from '../../src/domain/news/quiet-hours.js';
import { aChatOf, APPROVAL, aRunAt } from '../factories/news.js';
import { Assembly } from '../factories/proposals.js';
import { DATABASES, type Fresh } from './databases.js';

const HOUR_MS = 3_600_000;

describe.each(DATABASES)('news on %s', (_name, open) => {
  let fresh: Fresh;
  let news: NewsRepository;
  let deliveries: DeliveriesRepository;
  let dao: Assembly;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
    news = new NewsRepository(fresh.database);
    deliveries = new DeliveriesRepository(fresh.database);
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    count += 1;
    dao = new Assembly(fresh.database, `dao-${count}`);
    await dao.found({ [user(1)]: ['admin'], [user(2)]: ['admin'], [user(3)]: ['member'] }, { voting_hours: 72 });
  });

  /** Somebody of this test. Chats are of no one DAO, so tests share them. */
  const user = (number: number): string => `tg:${count}${String(number).padStart(4, '0')}`;
  const chatOf = (number: number, facts: Parameters<typeof aChatOf>[2] = {}) =>
    aChatOf(fresh.database, user(number).slice(3), { user: user(number), ...facts });

  async function spread(): Promise<void> {
    while (await news.spreadNext(dao.daoId, toldAt));
  }

  /** What chats were told of, as `kind chat`. */
  async function told(): Promise<string[]> {
    const rows = await fresh.database.all
      .selectFrom('deliveries')
      .innerJoin('news', 'news.id', 'deliveries.news_id')
      .innerJoin('chats', 'chats.id', 'deliveries.chat')
      .where('deliveries.dao_id', '=', dao.daoId)
      .select(['news.kind', 'chats.chat_id'])
      .execute();
    return rows.map(({ kind, chat_id: chat }) => `${kind} ${chat}`).toSorted();
  }

  const kinds = async (): Promise<string[]> => {
    const rows = await fresh.database
      .of(dao.daoId)
      .selectFrom('news')
      .orderBy('at')
      .orderBy('key')
      .select('kind')
      .execute();
    return rows.map(({ kind }) => kind);
  };
  const chat = (number: number): string => user(number).slice(3);

  describe('what is written down', () => {
    it('should be there with what it tells of, once, and not without it', async () => {
      const run = await aRunAt(fresh.database, dao.daoId, APPROVAL, { by: user(3) });
      expect(await kinds()).toEqual(['gate_asked']);
      const runs = new CrewRunsRepository(fresh.database);
      const head = (await runs.head(run, dao.daoId))!;
      const undone = runs.locked(head, async (db) => {
        await endRun(db, head, { status: 'cancelled', error: { code: 'X', message: '' }, timings: {}, usage: null });
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect(await kinds()).toEqual(['gate_asked']);
      const later = new Date(Date.now() + 120_000);
      const end = new Date(Date.now() + 900_000);
      for (const now of [later, later, end, end]) {
        await runs.locked(head, (db, loaded) => passTime(db, loaded!, now));
      }
      expect((await kinds()).toSorted()).toEqual(['gate_asked', 'gate_expired', 'gate_reminded']);
      for (let time = 0; time < 2; time += 1) {
        await runs.locked(head, (db) =>
          endRun(db, head, { status: 'cancelled', error: { code: 'X', message: '' }, timings: {}, usage: null }),
        );
      }
      expect((await kinds()).toSorted()).toEqual(['gate_asked', 'gate_expired', 'gate_reminded', 'run_ended']);
    });

    it('should be of the stages of a proposal that people are to hear of', async () => {
      const { n } = await dao.open(user(1));
      const db = fresh.database.of(dao.daoId);
      const at = new Date();
      await updateProposal(db, dao.daoId, n, { stage: 'passed', execute_at: at, due_at: at });
      await updateProposal(db, dao.daoId, n, { title: 'Another' });
      await updateProposal(db, dao.daoId, n, { stage: 'vetoed', due_at: null });
      expect((await kinds()).toSorted()).toEqual(['proposal_closed', 'proposal_opened', 'proposal_vetoed']);
    });

    it('should follow from the time alone where a long vote ends soon, once', async () => {
      const { n } = await dao.open(user(1));
      await dao.settle({ voting_hours: 30 });
      const short = await dao.open(user(1));
      await news.derive();
      expect(await kinds()).toEqual(['proposal_opened', 'proposal_opened']);
      await dao.elapse(n, 60 * HOUR_MS);
      await dao.elapse(short.n, 20 * HOUR_MS);
      for (const many of [1, 2]) {
        await Promise.all(Array.from({ length: many }, () => news.derive()));
        expect((await kinds()).filter((kind) => kind === 'proposal_reminder')).toHaveLength(1);
      }
      await dao.vote(user(3), n, 'yes');
      for (const number of [1, 3]) await chatOf(number);
      await spread();
      expect((await told()).filter((one) => one.startsWith('proposal_reminder'))).toEqual([
        `proposal_reminder ${chat(1)}`,
      ]);
    });

    it('should be one for each cause where services write it', async () => {
      const item = { kind: 'role_given' as const, data: { member: 'p_1', role: 'member' } };
      const audit = new AuditRepository(fresh.database);
      const write = () => audit.recorded(dao.daoId, (db) => addNews(db, dao.daoId, { key: 'role/1', ...item }));
      await Promise.all([write(), write()]);
      expect(await kinds()).toEqual(['role_given']);
    });
  });

  describe('spreading', () => {
    it('should make one message for each of many people, however many do it at once and are killed', async () => {
      await fresh.database
        .of(dao.daoId)
        .transaction()
        .execute(async (db) => {
          for (let number = 10; number < 260; number += 1) {
            await addMember(db, dao.daoId, { userId: user(number), roles: ['member'] });
          }
        });
      for (let number = 10; number < 260; number += 1) await chatOf(number);
      await dao.open(user(1));
      // A process that dies after a page leaves the others to whoever comes next.
      await news.spreadNext(dao.daoId, toldAt);
      await Promise.all(Array.from({ length: 4 }, spread));
      await spread();
      const seen = await told();
      expect(seen).toHaveLength(250);
      expect(new Set(seen).size).toBe(250);
    });

    it('should choose the chat that somebody used last, of those that are open', async () => {
      const member = await dao.memberId(user(3));
      const identity = { dao_id: dao.daoId, member_id: member, linked_by: 'code' as const };
      for (const number of [31, 32]) {
        await fresh.database
          .of(dao.daoId)
          .insertInto('identities')
          .values({ ...identity, user_id: user(number) })
          .execute();
      }
      await chatOf(3, { agoS: 100 });
      await chatOf(31, { agoS: 50 });
      await chatOf(32, { agoS: 1, closed: true });
      await dao.open(user(1));
      await spread();
      expect(await told()).toEqual([`proposal_opened ${chat(31)}`]);
    });

    it('should choose another chat where that one could not be written to since it was used', async () => {
      const member = await dao.memberId(user(3));
      const identity = { dao_id: dao.daoId, member_id: member, linked_by: 'code' as const, user_id: user(31) };
      await fresh.database.of(dao.daoId).insertInto('identities').values(identity).execute();
      await chatOf(3, { agoS: 100 });
      const used = await chatOf(31, { agoS: 50 });
      const opened = async (): Promise<string[]> => {
        await dao.open(user(1));
        await spread();
        return told();
      };
      const [first, second] = [3, 31].map((number) => `proposal_opened ${chat(number)}`);
      expect(await opened()).toEqual([second]);
      await deliveries.giveUp((await deliveries.next(used))!);
      expect(await opened()).toEqual([first, second]);
      await fresh.database.all
        .updateTable('chats')
        .set({ seen_at: new Date() })
        .where('chat_id', '=', used.chat)
        .execute();
      expect(await opened()).toEqual([first, second, second]);
    });

    it('should leave out who wants to hear nothing of it, and wait where somebody is to be left alone', async () => {
      for (const number of [1, 2, 3]) await chatOf(number);
      const preferences = new PreferencesRepository(fresh.database);
      const [first, second] = [await dao.memberId(user(1)), await dao.memberId(user(2))];
      await preferences.put(dao.daoId, first, { muted: ['proposals'], quiet: null, timeZone: 'UTC' });
      const now = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
      const quiet = { from: (now + 1_380) % 1_440, to: (now + 120) % 1_440 };
      await preferences.put(dao.daoId, second, { muted: [], quiet, timeZone: 'UTC' });
      await dao.open(user(1));
      await spread();
      expect(await told()).toEqual([2, 3].map((number) => `proposal_opened ${chat(number)}`));
      const address = { source: 'tg' as const, chat: chat(2), topic: '' };
      expect(await deliveries.next(address)).toBeUndefined();
      const ms = await deliveries.dueIn(address);
      expect(ms).toBeGreaterThan(118 * 60_000);
      expect(ms).toBeLessThanOrEqual(120 * 60_000);
    });

    it('should ask those who may decide, and neither whoever began it nor whom it is about', async () => {
      for (const number of [1, 2, 3]) await chatOf(number);
      await aRunAt(fresh.database, dao.daoId, APPROVAL, { by: user(1), subject: user(3) });
      await spread();
      expect(await told()).toEqual([`gate_asked ${chat(2)}`]);
    });

    it('should ask a guest who began a run what it asks them', async () => {
      await chatOf(7);
      const question = { ...APPROVAL, id: 'question.plan-1', kind: 'question' as const, roles: [], self: true };
      await aRunAt(fresh.database, dao.daoId, question, { by: user(7) });
      await spread();
      expect(await told()).toEqual([`gate_asked ${chat(7)}`]);
      const { told_to: last } = await fresh.database
        .of(dao.daoId)
        .selectFrom('news')
        .select('told_to')
        .executeTakeFirstOrThrow();
      expect(last).toBe('');
    });

    it('should tell each group once where nobody is reached who could approve', async () => {
      const space = `-${count}`;
      const linked = { source: 'tg' as const, dao_id: dao.daoId, linked_by: 'm' };
      await fresh.database.all
        .insertInto('spaces')
        .values([
          { ...linked, space_id: space },
          { ...linked, space_id: `${space}0` },
        ])
        .execute();
      for (const [id, agoS] of [
        ['a', 9],
        ['b', 1],
      ] as const) {
        await aChatOf(fresh.database, `${space}${id}`, { kind: 'group', space, agoS });
      }
      await aChatOf(fresh.database, `${space}c`, { kind: 'group', space: `${space}0`, closed: true });
      const address = await chatOf(1);
      await aRunAt(fresh.database, dao.daoId, APPROVAL, { by: user(3) });
      await spread();
      expect(await told()).toEqual([`gate_asked ${chat(1)}`]);
      // The only one who could be reached has blocked the bot since.
      const delivery = (await deliveries.next(address))!;
      await fresh.database.all
        .updateTable('chats')
        .set({ closed_at: new Date() })
        .where('id', '=', delivery.chat)
        .execute();
      for (let time = 0; time < 2; time += 1) await deliveries.giveUp(delivery);
      await spread();
      expect(await told()).toEqual([`gate_asked ${space}b`, `gate_asked ${chat(1)}`].toSorted());
      // Where that one cannot be written to, another one of the group is told.
      await deliveries.giveUp((await deliveries.next({ source: 'tg', chat: `${space}b`, topic: '' }))!);
      await spread();
      expect(await told()).toContain(`gate_asked ${space}a`);
    });

    it('should tell the chat where a run was asked for, and whom it is about, of its end', async () => {
      for (const number of [3, 7]) await chatOf(number);
      const run = await aRunAt(fresh.database, dao.daoId, APPROVAL, { by: user(3), subject: user(7) });
      const asked = { run_id: run, dao_id: dao.daoId, chat: `chat of ${chat(3)}`, actor: user(3), message_id: null };
      await fresh.database
        .of(dao.daoId)
        .insertInto('run_chats')
        .values({ ...asked, language: 'uk' })
        .execute();
      await fresh.database
        .of(dao.daoId)
        .transaction()
        .execute((db) =>
          endRun(
            db,
            { runId: run, daoId: dao.daoId },
            { status: 'cancelled', error: { code: 'X', message: '' }, timings: {}, usage: null },
          ),
        );
      await spread();
      expect(await told()).toEqual([3, 7].map((number) => `run_ended ${chat(number)}`));
      expect(await deliveries.next({ source: 'tg', chat: chat(3), topic: '' })).toMatchObject({ speaks: 'uk' });
    });

    it('should tell nobody of what is long past, and forget it in the end', async () => {
      await chatOf(3);
      await dao.open(user(1));
      const age = (days: number) =>
        sql`update news set at = now() - make_interval(days => ${days}) where dao_id = ${dao.daoId}`.execute(
          fresh.database.all,
        );
      await age(4);
      await spread();
      expect(await told()).toEqual([]);
      await news.forgetOld();
      expect(await kinds()).toEqual(['proposal_opened']);
      await age(91);
      await news.forgetOld();
      expect(await kinds()).toEqual([]);
    });
  });

  describe('what has changed since it was shown', () => {
    it('should be told to the chats that show it, and to no others, as often as it is asked until that is written down', async () => {
      const address = await chatOf(3);
      const { n } = await dao.open(user(1));
      await spread();
      const first = (await news.nextRound(dao.daoId))!;
      expect(first.chats.map((one) => one.address)).toEqual([address]);
      expect(await news.nextRound(dao.daoId)).toEqual(first);
      await news.endRound(first);
      await news.endRound(first);
      expect(await news.nextRound(dao.daoId)).toBeUndefined();
      expect(await news.isPending(dao.daoId)).toBe(false);
      const shown = (await deliveries.next(address))!;
      expect(shown.isAnew).toBe(false);
      // A ballot that is cast while the message is being written is not lost.
      await dao.vote(user(3), n, 'yes');
      await deliveries.finish({ id: shown.id, daoId: dao.daoId, version: shown.version });
      expect(await deliveries.next(address)).toMatchObject({ id: shown.id, isAnew: true });
      expect(await deliveries.dueIn(address)).toBe(0);
      // It is told at most every two seconds.
      expect(await news.nextRound(dao.daoId)).toBeUndefined();
      expect(await news.roundIn(dao.daoId)).toBe(2_000);
      await sql`update news set poked_at = now() - interval '3 seconds' where dao_id = ${dao.daoId}`.execute(
        fresh.database.all,
      );
      expect((await news.nextRound(dao.daoId))?.chats).toHaveLength(1);
      const anew = (await deliveries.next(address))!;
      await deliveries.finish({ id: anew.id, daoId: dao.daoId, version: anew.version });
      expect(await deliveries.next(address)).toBeUndefined();
      expect(await deliveries.dueIn(address)).toBeNull();
    });

    it('should be what is decided at a gate, and its end', async () => {
      const address = await chatOf(2);
      const run = await aRunAt(fresh.database, dao.daoId, APPROVAL, { by: user(3) });
      await spread();
      const versions: number[] = [];
      const look = async (): Promise<void> => void versions.push((await deliveries.next(address))!.version);
      await look();
      const place = { runId: run, daoId: dao.daoId, gate: APPROVAL.id };
      const db = fresh.database.of(dao.daoId);
      const made = { decision: 'approve' as const };
      await decideGate(db, place, { revision: 1, member: 'p_1', made, changed: undefined });
      await look();
      await closeGate(db, place, { state: 'approved', comment: null, output: null });
      await look();
      expect(versions).toEqual([1, 2, 3]);
    });
  });

  it('should be looked for where nobody spreads or writes it', async () => {
    const address = await chatOf(3);
    await dao.open(user(1));
    expect(await news.overdue()).not.toContain(dao.daoId);
    await sql`update news set at = now() - interval '1 minute' where dao_id = ${dao.daoId}`.execute(fresh.database.all);
    expect(await news.overdue()).toContain(dao.daoId);
    await spread();
    await news.endRound((await news.nextRound(dao.daoId))!);
    expect(await news.overdue()).not.toContain(dao.daoId);
    const late = async () => (await deliveries.overdue('', 200)).map((one) => one.address);
    expect(await late()).not.toContainEqual(address);
    await sql`update deliveries set not_before = now() - interval '1 minute' where dao_id = ${dao.daoId}`.execute(
      fresh.database.all,
    );
    expect(await late()).toContainEqual(address);
    const [first] = await deliveries.overdue('', 1);
    expect((await deliveries.overdue(first!.id, 200)).map(({ id }) => id)).not.toContain(first!.id);
  });
});

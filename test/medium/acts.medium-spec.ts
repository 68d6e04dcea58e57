import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import { InboxRepository, type NextUpdate } from '../../src/adapters/store/inbox.repository.js';
import { PendingRepository } from '../../src/adapters/store/pending.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import type { Db } from '../../src/adapters/store/tenants.js';
import type { ChatAddress, Lane } from '../../src/contracts/dialog.js';
import { createDao } from '../factories/access.js';
import { anUpdate } from '../factories/conversation.js';
import { aChat, taken, written } from '../factories/dialogs.js';
import { until } from '../support/until.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';

describe.each(DATABASES)('what is done at once in chats, on %s', (name, open) => {
  let fresh: Fresh;
  let inbox: InboxRepository;
  let chats: ChatsRepository;
  let replies: RepliesRepository;

  beforeAll(async () => {
    fresh = await open();
    inbox = new InboxRepository(fresh.database);
    chats = new ChatsRepository(fresh.database);
    replies = new RepliesRepository(fresh.database);
    await createDao(fresh.database, { id: DAO });
  });
  afterAll(() => fresh.drop());

  const next = (address: ChatAddress): Promise<NextUpdate | undefined> => inbox.next(address, 'turn', DAO);

  const takenOf = (address: ChatAddress): Promise<NextUpdate> => taken(inbox, address, DAO);

  describe('a reply that is stopped at the moment at which it is begun', () => {
    /** Waits, within a transaction, until somebody waits for a lock; where there is one session, nobody can. */
    const awaited = (db: Db): Promise<void> =>
      name === 'PostgreSQL'
        ? until(async () => {
            const { rows } = await sql`select from pg_locks where not granted`.execute(db);
            return rows.length > 0;
          })
        : Promise.resolve();

    it('should tell whoever begins one, who waits for the stop', async () => {
      const address = aChat();
      await inbox.accept(written(address));
      const update = await takenOf(address);
      let begun: Promise<unknown> | undefined;
      await fresh.database.all.transaction().execute(async (stop) => {
        await stop.updateTable('inbox').set({ stopped_at: new Date() }).where('id', '=', update.id).execute();
        begun = replies.begin(update, DAO, { requestId: 'r1' });
        await awaited(stop);
      });
      expect(await begun).toMatchObject({ isStopped: true, requestId: 'r1' });
    });

    it('should tell whoever stops one, who waits until it is begun', async () => {
      const address = aChat();
      await inbox.accept(written(address, { messageId: '70', order: 70 }));
      const { id, chat, actor, ...update } = await takenOf(address);
      let stopped: Promise<unknown> | undefined;
      await fresh.database.all.transaction().execute(async (begin) => {
        const reply = { id, dao_id: DAO, chat, inbox_id: id, actor, request_id: 'r2' };
        await begin.insertInto('replies').values(reply).execute();
        await begin.selectFrom('inbox').where('id', '=', id).select('id').forUpdate().execute();
        stopped = chats.stopBefore({ ...update, id, chat, actor, messageId: '71' });
        await awaited(begin);
      });
      expect(await stopped).toEqual({ count: 1, requestIds: ['r2'] });
    });
  });

  describe('a message that is changed', () => {
    const content = { body: { text: 'done', marks: [] }, buttons: [] };
    /** A message that is next in a chat of its own. */
    async function said(text: string): Promise<NextUpdate> {
      const address = aChat();
      await inbox.accept(written(address, { messageId: '80', body: { kind: 'message', text } }));
      return takenOf(address);
    }
    const finished = (update: NextUpdate, generation = 1): Promise<boolean> =>
      replies.finish({ id: update.id, daoId: DAO, chat: update.chat, generation });
    const textOf = async ({ address }: NextUpdate) => (await next(address))?.body;

    it('should say something else where nobody has begun with it, whatever it is', async () => {
      const address = aChat();
      await inbox.accept(written(address, { messageId: '80', body: { kind: 'message', text: '/review 12' } }));
      const row = await fresh.database.all
        .selectFrom('inbox')
        .innerJoin('chats', 'chats.id', 'inbox.chat')
        .where('chats.chat_id', '=', address.chat)
        .select('inbox.chat')
        .executeTakeFirstOrThrow();
      const update = { ...anUpdate(), ...row, messageId: '80' };
      expect(await chats.changeText(update, '/review 13')).toEqual({ requestId: null });
      expect((await takenOf(address)).body).toMatchObject({ text: '/review 13' });
    });

    it('should be answered anew where a model answers it, or has', async () => {
      const update = await said('pears?');
      expect(await chats.changeText(update, 'plums?')).toEqual({ requestId: null });
      const second = await takenOf(update.address);
      await replies.begin(second, DAO, { requestId: 'r1' });
      expect(await chats.changeText(update, 'apples?')).toEqual({ requestId: 'r1' });
      const third = await takenOf(update.address);
      await replies.begin(third, DAO, { requestId: 'r2' });
      expect(await finished(third, 2)).toBe(true);
      expect(await chats.changeText(update, 'cherries?')).toEqual({ requestId: null });
      expect(await textOf(update)).toMatchObject({ text: 'cherries?' });
    });

    it('should stay as it was where a command has begun, and be told', async () => {
      const update = await said('/review 12');
      // It may be at work already: nothing is shown of it yet.
      expect(await chats.changeText(update, '/review 13')).toBe('done');
      await replies.begin(update, DAO, { content });
      expect(await chats.changeText(update, '/review 13')).toBe('done');
      await finished(update);
      expect(await chats.changeText(update, '/review 13')).toBe('done');
      expect(await chats.changeText(update, '/review 12')).toBeUndefined();
      expect(await next(update.address)).toBeUndefined();
    });

    it('should stay as it was where a question that was answered has become a command, which has begun', async () => {
      const update = await said('pears?');
      await replies.begin(update, DAO, { requestId: 'r1' });
      expect(await chats.changeText(update, '/propose Pears')).toEqual({ requestId: 'r1' });
      expect(await chats.changeText(update, '/propose Plums')).toBe('done');
    });

    it('should stay as it was where it is what its author was asked for', async () => {
      const update = await said('A cold frame');
      const pending = new PendingRepository(fresh.database);
      await pending.ask({ ...update, id: `asked ${update.id}` }, DAO, { kind: 'title' });
      expect(await chats.changeText(update, 'A warm frame')).toBe('done');
      expect(await pending.take(update, DAO)).toEqual({ kind: 'title' });
      expect(await chats.changeText(update, 'A warm frame')).toBe('done');
    });
  });

  describe('what is left of an act', () => {
    it('should be next in a lane of its own, so that other acts do not stand behind it', async () => {
      const address = aChat();
      for (const press of ['p1', 'p2']) {
        await inbox.accept(written(address, { lane: 'act', body: { kind: 'button', press, data: 'd' } }));
      }
      const act = (lane: Lane) => inbox.next(address, lane, DAO);
      const left = { says: { body: { text: 'beside', marks: [] }, buttons: [] } };
      const first = await act('act');
      await inbox.leave(first?.id ?? '', left);
      expect(await act('act')).toMatchObject({ body: { press: 'p2' }, isMore: false });
      expect(await act('say')).toMatchObject({ id: first?.id, left, isMore: false, daoId: DAO });
      expect((await act('say'))?.body).toEqual({ kind: 'button', press: 'p1', data: 'd' });
      await inbox.finish(first?.id ?? '');
      expect(await act('say')).toBeUndefined();
      await inbox.leave(first?.id ?? '', left);
      expect(await act('say')).toBeUndefined();
    });

    it('should be told once in a minute of too much that waits, though it is told already', async () => {
      const address = aChat();
      await inbox.accept(written(address), 1);
      await inbox.accept(written(address), 1);
      const beyond = await inbox.next(address, 'act', DAO);
      await inbox.leave(beyond?.id ?? '', {});
      expect(await inbox.accept(written(address), 1)).toMatchObject({ state: 'dropped', isBeyond: true });
    });
  });

  describe('what a press says', () => {
    it('should stand behind all that was written before it, of which nobody knows the DAO yet', async () => {
      const address = aChat();
      for (const order of [90, 91]) await inbox.accept(written(address, { order, messageId: String(order) }));
      await inbox.accept(written(address, { lane: 'act', order: 89, body: { kind: 'button', press: 'p', data: 'd' } }));
      const press = await inbox.next(address, 'act', DAO);
      if (!press) throw new Error('nothing was pressed');
      await inbox.say(press, DAO, { kind: 'message', text: '/review 1' });
      await inbox.say(press, DAO, { kind: 'message', text: '/review 1' });
      const seen: unknown[] = [];
      for (let update = await next(address); update; update = await next(address)) {
        seen.push(update.body.kind === 'message' && update.body.text === '/review 1' ? 'said' : update.messageId);
        expect(update.daoId).toBe(DAO);
        await inbox.finish(update.id);
      }
      expect(seen).toEqual(['90', '91', 'said']);
    });
  });
});

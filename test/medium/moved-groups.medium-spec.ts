import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import { InboxRepository, type NextUpdate } from '../../src/adapters/store/inbox.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import type { ChatAddress } from '../../src/contracts/dialog.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { createDao } from '../factories/access.js';
import { aRequest } from '../factories/requests.js';
import { aChat, anInbound, taken } from '../factories/dialogs.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const OTHER = 'other-dao';

describe.each(DATABASES)('groups that become large ones, on %s', (_name, open) => {
  let fresh: Fresh;
  let inbox: InboxRepository;
  let chats: ChatsRepository;
  let replies: RepliesRepository;

  beforeAll(async () => {
    fresh = await open();
    inbox = new InboxRepository(fresh.database);
    chats = new ChatsRepository(fresh.database);
    replies = new RepliesRepository(fresh.database);
    for (const id of [DAO, OTHER]) await createDao(fresh.database, { id });
  });
  afterAll(() => fresh.drop());

  const next = (address: ChatAddress): Promise<NextUpdate | undefined> => inbox.next(address, 'turn', DAO);

  const takenOf = (address: ChatAddress): Promise<NextUpdate> => taken(inbox, address, DAO);

  describe('a group that becomes a large one', () => {
    it('should go on under its new id, with its space', async () => {
      const old = aChat();
      const place = { source: 'tg' as const, chat: old.chat, topic: null, kind: 'group' as const };
      await fresh.database.all
        .insertInto('spaces')
        .values({ source: 'tg', space_id: old.chat, dao_id: OTHER, linked_by: 'm_1' })
        .execute();
      await inbox.accept(anInbound({ place, space: old.chat }));
      await chats.move(old, `-100${old.chat}`);
      expect(await next(old)).toBeUndefined();
      expect(await takenOf({ ...old, chat: `-100${old.chat}` })).toMatchObject({ daoId: OTHER });
    });

    it('should hand on what waits where the new id is known already', async () => {
      const old = aChat();
      const to = `-100${old.chat}`;
      for (const chat of [old.chat, to]) {
        await inbox.accept(anInbound({ place: { source: 'tg', chat, topic: null, kind: 'group' }, space: chat }));
      }
      await chats.move(old, to);
      expect(await next(old)).toBeUndefined();
      expect(await takenOf({ ...old, chat: to })).toMatchObject({ isMore: true });
    });
  });

  describe('a group that becomes a large one, which is known already', () => {
    it('should go on there with its runs, its dialog, its news and what it was shown, and change nothing of the old one', async () => {
      const { database } = fresh;
      const old = aChat();
      const to = `-100${old.chat}`;
      const inGroup = async (chat: string): Promise<NextUpdate> => {
        await inbox.accept(anInbound({ place: { source: 'tg', chat, topic: null, kind: 'group' }, space: chat }));
        return takenOf({ ...old, chat });
      };
      const [before, after] = [await inGroup(old.chat), await inGroup(to)];
      const begun = await replies.begin(before, DAO, { content: { body: { text: 'no', marks: [] }, buttons: [] } });
      await replies.finish({ id: before.id, daoId: DAO, chat: before.chat, generation: begun.generation });
      const run = await new RequestsRepository(database).accept(aRequest({ daoId: DAO, actor: 'tg:12345' }));
      expect(run).toBeDefined();
      const requests = await database.of(DAO).selectFrom('requests').select('id').executeTakeFirstOrThrow();
      const ran = { run_id: requests.id, dao_id: DAO, chat: before.chat, actor: 'tg:12345', language: 'en' as const };
      await database.of(DAO).insertInto('run_chats').values(ran).execute();
      const news = ['told', 'due', 'due in both'].map((key) => ({
        ...{ id: `${to} ${key}`, dao_id: DAO, key: `${to} ${key}`, kind: 'run_ended' as const, data: { run: 'r' } },
      }));
      await database
        .of(DAO)
        .insertInto('news')
        .values(news.map(({ data, ...one }) => ({ ...one, data: JSON.stringify(data) })))
        .execute();
      const due = (key: string, chat: string, state: 'waiting' | 'done') => ({
        ...{ id: `${key} in ${chat}`, dao_id: DAO, news_id: `${to} ${key}`, chat, state, not_before: new Date() },
      });
      const { chat: was } = before;
      const { chat: is } = after;
      await database
        .of(DAO)
        .insertInto('deliveries')
        .values([
          ...[due('told', was, 'done'), due('due', was, 'waiting')],
          ...[due('due in both', was, 'waiting'), due('due in both', is, 'waiting')],
        ])
        .execute();
      await chats.move(old, to);
      const of = async (table: string, columns = sql`chat`) => {
        const where = sql`chat in (${was}, ${is}) order by 1`;
        return (await sql`select ${columns} from ${sql.table(table)} where ${where}`.execute(database.of(DAO))).rows;
      };
      for (const table of ['run_chats', 'dialogs', 'replies']) expect(await of(table)).toEqual([{ chat: is }]);
      const deliveries = [
        { id: `due in ${was}`, chat: is, state: 'waiting' },
        { id: `due in both in ${was}`, chat: was, state: 'undeliverable' },
        { id: `due in both in ${is}`, chat: is, state: 'waiting' },
        { id: `told in ${was}`, chat: was, state: 'undeliverable' },
      ];
      expect(await of('deliveries', sql`id, chat, state`)).toHaveLength(deliveries.length);
      expect(await of('deliveries', sql`id, chat, state`)).toEqual(expect.arrayContaining(deliveries));
    });
  });
});

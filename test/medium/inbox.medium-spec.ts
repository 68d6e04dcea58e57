import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import { InboxRepository, type NextUpdate } from '../../src/adapters/store/inbox.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import type { ChatAddress, Inbound } from '../../src/contracts/dialog.js';
import { createDao } from '../factories/access.js';
import { anInbound } from '../factories/dialogs.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const OTHER = 'other-dao';

describe.each(DATABASES)('what comes in from chats, on %s', (_name, open) => {
  let fresh: Fresh;
  let inbox: InboxRepository;
  let chats: ChatsRepository;
  let replies: RepliesRepository;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
    inbox = new InboxRepository(fresh.database);
    chats = new ChatsRepository(fresh.database);
    replies = new RepliesRepository(fresh.database);
    for (const id of [DAO, OTHER]) await createDao(fresh.database, { id });
  });
  afterAll(() => fresh.drop());

  /** A chat that no other test uses. */
  const aChat = (): ChatAddress => ({ source: 'tg', chat: String((count += 1)), topic: '' });
  const written = (address: ChatAddress, changes: Partial<Inbound> = {}): Inbound =>
    anInbound({ ...changes, place: { source: address.source, chat: address.chat, topic: null, kind: 'private' } });
  const next = (address: ChatAddress): Promise<NextUpdate | undefined> => inbox.next(address, 'turn', DAO);

  /** The next message, which must be there. */
  async function taken(address: ChatAddress): Promise<NextUpdate> {
    const update = await next(address);
    if (!update) throw new Error('nothing is next');
    return update;
  }

  describe('accept', () => {
    it('should keep an update once, however often it is delivered', async () => {
      const address = aChat();
      const inbound = written(address);
      const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => inbox.accept(inbound)));
      expect(new Set([first, ...others].map((one) => one?.id)).size).toBe(1);
      expect([first, ...others].filter((one) => one?.isNew)).toHaveLength(1);
      await inbox.finish((await taken(address)).id);
      expect(await inbox.accept(inbound)).toMatchObject({ isNew: false, state: 'done' });
      expect(await next(address)).toBeUndefined();
    });

    it('should open a private chat again that was closed, as its person writes', async () => {
      const address = aChat();
      await inbox.accept(written(address));
      const { chat, id } = await taken(address);
      await inbox.finish(id);
      await chats.setPresence(chat, false);
      await inbox.accept(written(address, { lane: 'act', body: { kind: 'presence', state: 'gone' } }));
      expect(await inbox.next(address, 'act', DAO)).toMatchObject({ isClosed: true });
      await inbox.accept(written(address));
      expect(await next(address)).toMatchObject({ isClosed: false });
    });
  });

  describe('next', () => {
    it('should be the first by the order of the platform, until that is finished', async () => {
      const address = aChat();
      for (const order of [12, 10, 11]) await inbox.accept(written(address, { order, messageId: String(order) }));
      const seen: (string | null)[] = [];
      for (let update = await next(address); update; update = await next(address)) {
        expect(await next(address)).toMatchObject({ id: update.id, isAgain: true });
        expect(update.isMore).toBe(seen.length < 2);
        seen.push(update.messageId);
        await inbox.finish(update.id);
      }
      expect(seen).toEqual(['10', '11', '12']);
    });

    it('should be of the first DAO of its person where nothing else says which: in private, and to link a group', async () => {
      const where = async (changes: Partial<Inbound>): Promise<string | null | undefined> => {
        const inbound = anInbound({ actor: 'tg:12345', ...changes });
        await inbox.accept(inbound);
        const { source, chat } = inbound.place;
        const update = await inbox.next({ source, chat, topic: '' }, 'turn', undefined);
        if (update) await inbox.finish(update.id, 'dropped');
        return update?.daoId;
      };
      const says = (text: string, changes: Partial<Inbound> = {}) => ({
        body: { kind: 'message' as const, text },
        ...changes,
      });
      const group = {
        place: { source: 'tg' as const, chat: '-1009', topic: null, kind: 'group' as const },
        space: '-1009',
      };
      const own = { place: { ...aChat(), topic: null, kind: 'private' as const } };
      expect(await where(says('Hello', own))).toBe(DAO);
      expect(await where(says('Hello', { ...own, actor: 'tg:nobody' }))).toBeNull();
      for (const text of ['/link', '/LINK other-dao', '/link@dagi_bot off'])
        expect(await where(says(text, group))).toBe(DAO);
      for (const text of ['/linked', 'a /link', 'Hello']) expect(await where(says(text, group))).toBeNull();
      expect(await where(says('/link', { ...group, actor: 'tg:nobody' }))).toBeNull();
    });

    it('should keep lanes, chats and topics apart', async () => {
      const address = aChat();
      await inbox.accept(written(address, { lane: 'act', body: { kind: 'button', press: 'p', data: 'd' } }));
      expect(await next(address)).toBeUndefined();
      const inTopic = anInbound({ place: { source: 'tg', chat: address.chat, topic: '7', kind: 'group' } });
      await inbox.accept(inTopic);
      expect(await next(address)).toBeUndefined();
      expect(await next({ ...address, topic: '7' })).toMatchObject({ kind: 'group', isMore: false });
      expect(await inbox.next(address, 'act', DAO)).toMatchObject({ body: { kind: 'button' } });
    });

    it('should be of the DAO that its group is mapped to, else that its person chose, else the usual one', async () => {
      const [group, chosen, usual] = [aChat(), aChat(), aChat()];
      await fresh.database.all
        .insertInto('spaces')
        .values({ source: 'tg', space_id: group.chat, dao_id: OTHER, linked_by: 'm_1' })
        .execute();
      const inGroup = { place: { source: 'tg' as const, chat: group.chat, topic: null, kind: 'group' as const } };
      await inbox.accept(anInbound({ ...inGroup, space: group.chat }));
      await inbox.accept(written(chosen));
      await fresh.database.all.updateTable('chats').set({ dao_id: OTHER }).where('chat_id', '=', chosen.chat).execute();
      await inbox.accept(written(usual));
      expect((await taken(group)).daoId).toBe(OTHER);
      expect((await taken(chosen)).daoId).toBe(OTHER);
      expect((await taken(usual)).daoId).toBe(DAO);
      expect(await inbox.next(usual, 'turn', OTHER)).toMatchObject({ daoId: DAO });
    });
  });

  describe('replies', () => {
    it('should be written by the latest writer alone', async () => {
      const address = aChat();
      await inbox.accept(written(address));
      const update = await taken(address);
      const first = await replies.begin(update, DAO, { requestId: 'r1' });
      expect(first).toMatchObject({ generation: 1, requestId: 'r1', parts: [], isDone: false, isStopped: false });
      const writer = { id: update.id, daoId: DAO, chat: update.chat, generation: 1 };
      const part = { n: 0, state: 'sent' as const, messageId: '900', shown: 'h' };
      expect(await replies.put(writer, part)).toBe(true);
      const second = await replies.claim(update.id, DAO);
      expect(second).toMatchObject({ generation: 2, requestId: 'r1', parts: [part] });
      expect(await replies.put(writer, { ...part, messageId: '901' })).toBe(false);
      expect(await replies.finish(writer)).toBe(false);
      expect(await replies.finish({ ...writer, generation: 2 })).toBe(true);
      expect(await next(address)).toBeUndefined();
      expect(await replies.claim(update.id, OTHER)).toBeUndefined();
    });

    it('should begin anew for a message that says something else, in the same messages', async () => {
      const address = aChat();
      await inbox.accept(written(address, { messageId: '50' }));
      const update = await taken(address);
      await replies.begin(update, DAO, { requestId: 'r1' });
      const writer = { id: update.id, daoId: DAO, chat: update.chat, generation: 1 };
      await replies.put(writer, { n: 0, state: 'sent', messageId: '51', shown: null });
      expect(await chats.changeText(update, 'something else')).toEqual({ requestId: 'r1' });
      expect(await chats.changeText(update, 'something else')).toBeUndefined();
      expect(await chats.changeText({ ...update, actor: 'tg:9' }, 'not mine')).toBeUndefined();
      expect(await replies.finish(writer)).toBe(true);
      const again = await taken(address);
      expect(again).toMatchObject({ id: update.id, revision: 2, body: { text: 'something else' }, isAgain: true });
      const begun = await replies.begin(again, DAO, { requestId: 'r2' });
      expect(begun).toMatchObject({ requestId: 'r2', generation: 2, parts: [{ messageId: '51' }], isDone: false });
    });

    it('should tell whoever begins one that it was stopped, and which requests a stop is for', async () => {
      const address = aChat();
      for (const order of [60, 61, 62]) await inbox.accept(written(address, { order, messageId: String(order) }));
      const update = await taken(address);
      await replies.begin(update, DAO, { requestId: 'r9' });
      const stop = { ...update, messageId: '62' };
      expect(await chats.stopBefore(stop)).toEqual({ count: 2, requestIds: ['r9'] });
      expect(await chats.stopBefore(stop)).toEqual({ count: 0, requestIds: [] });
      expect(await replies.claim(update.id, DAO)).toMatchObject({ isStopped: true });
      await inbox.finish(update.id);
      expect(await taken(address)).toMatchObject({ messageId: '61', isStopped: true });
    });

    it('should name the numbers between two known messages of which nothing is known', async () => {
      const [one, other] = [aChat(), aChat()];
      await inbox.accept(written(one, { order: 10_100, messageId: '10100' }));
      await inbox.accept(written(other, { order: 10_102, messageId: '10102' }));
      const { chat } = await taken(one);
      expect(await replies.unknownBelow(chat, '10105', 20)).toEqual(['10104', '10103', '10101']);
      expect(await replies.unknownBelow(chat, '10105', 1)).toEqual(['10104']);
      expect(await replies.unknownBelow(chat, 'no number', 20)).toEqual([]);
      expect(await replies.unknownBelow(chat, '99999999', 20)).toEqual([]);
    });
  });

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
      expect(await taken({ ...old, chat: `-100${old.chat}` })).toMatchObject({ daoId: OTHER });
    });

    it('should hand on what waits where the new id is known already', async () => {
      const old = aChat();
      const to = `-100${old.chat}`;
      for (const chat of [old.chat, to]) {
        await inbox.accept(anInbound({ place: { source: 'tg', chat, topic: null, kind: 'group' }, space: chat }));
      }
      await chats.move(old, to);
      expect(await next(old)).toBeUndefined();
      expect(await taken({ ...old, chat: to })).toMatchObject({ isMore: true });
    });
  });

  it('should be looked for where nobody does it', async () => {
    const address = aChat();
    const { id } = await inbox.accept(written(address));
    expect(await inbox.overdue()).not.toContainEqual(address);
    await fresh.database.all
      .updateTable('inbox')
      .set({ received_at: new Date(Date.now() - 60_000) })
      .where('id', '=', id)
      .execute();
    expect(await inbox.overdue()).toContainEqual(address);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import { InboxRepository, type NextUpdate } from '../../src/adapters/store/inbox.repository.js';
import { addMember } from '../../src/adapters/store/members.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import { ShownAnswersRepository } from '../../src/adapters/store/shown-answers.repository.js';
import type { ChatAddress, Inbound } from '../../src/contracts/dialog.js';
import { createDao } from '../factories/access.js';
import { aChat, anInbound, taken, written } from '../factories/dialogs.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const OTHER = 'other-dao';

describe.each(DATABASES)('what comes in from chats, on %s', (_name, open) => {
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

  describe('accept', () => {
    it('should keep an update once, however often it is delivered', async () => {
      const address = aChat();
      const inbound = written(address);
      const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => inbox.accept(inbound)));
      expect(new Set([first, ...others].map((one) => one?.id)).size).toBe(1);
      expect([first, ...others].filter((one) => one?.isNew)).toHaveLength(1);
      await inbox.finish((await takenOf(address)).id);
      expect(await inbox.accept(inbound)).toMatchObject({ isNew: false, state: 'done' });
      expect(await next(address)).toBeUndefined();
    });

    it('should open a private chat again that was closed, as its person writes', async () => {
      const address = aChat();
      await inbox.accept(written(address));
      const { chat, id } = await takenOf(address);
      await inbox.finish(id);
      await chats.setPresence(chat, false);
      await inbox.accept(written(address, { lane: 'act', body: { kind: 'presence', state: 'gone' } }));
      expect(await inbox.next(address, 'act', DAO)).toMatchObject({ isClosed: true });
      await inbox.accept(written(address));
      expect(await next(address)).toMatchObject({ isClosed: false });
    });

    it('should open a group again that was closed, with all its topics, as somebody writes or the bot is there again', async () => {
      const { chat: group } = aChat();
      const topics = ['', '7', '8'];
      const says = (topic: string, changes: Partial<Inbound> = {}): Inbound =>
        anInbound({
          ...changes,
          place: { source: 'tg', chat: group, topic: topic === '' ? null : topic, kind: 'group' },
        });
      const closed = async (): Promise<boolean[]> => {
        const rows = fresh.database.all.selectFrom('chats').select('closed_at').where('chat_id', '=', group);
        return (await rows.orderBy('topic').execute()).map(({ closed_at: at }) => at !== null);
      };
      for (const topic of topics) await inbox.accept(says(topic));
      const { chat } = await takenOf({ source: 'tg', chat: group, topic: '7' });
      const other = aChat();
      await inbox.accept(written(other));
      await chats.setPresence((await takenOf(other)).chat, false);

      await chats.setPresence(chat, false);
      expect(await closed()).toEqual([true, true, true]);
      await inbox.accept(says('', { lane: 'act', body: { kind: 'presence', state: 'here' } }));
      expect(await closed()).toEqual([true, true, true]);
      const back = await inbox.next({ source: 'tg', chat: group, topic: '' }, 'act', DAO);
      await chats.setPresence(back?.chat ?? '', true);
      expect(await closed()).toEqual([false, false, false]);

      await chats.setPresence(chat, false);
      await Promise.all(topics.map((topic) => inbox.accept(says(topic))));
      expect(await closed()).toEqual([false, false, false]);
      await chats.setPresence(chat, false);
      await inbox.accept(says('9'));
      expect(await closed()).toEqual([false, false, false, false]);
      expect(await takenOf(other)).toMatchObject({ isClosed: true });
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

    it('should stay of the DAO that its person came to first, whichever takes them in later', async () => {
      const address = aChat();
      const actor = `tg:5${address.chat}`;
      await addMember(fresh.database.of(OTHER), OTHER, { userId: actor, roles: ['member'] });
      // Its id comes first, and anybody who may add members of it can do this.
      await addMember(fresh.database.of(DAO), DAO, { userId: actor, roles: ['member'] });
      await inbox.accept(written(address, { actor }));
      expect(await inbox.next(address, 'turn', undefined)).toMatchObject({ daoId: OTHER });
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
      expect((await takenOf(group)).daoId).toBe(OTHER);
      expect((await takenOf(chosen)).daoId).toBe(OTHER);
      expect((await takenOf(usual)).daoId).toBe(DAO);
      expect(await inbox.next(usual, 'turn', OTHER)).toMatchObject({ daoId: DAO });
    });
  });

  describe('say', () => {
    it('should have a person say no more by buttons than they have room for, and the same once', async () => {
      const address = aChat();
      const presses: NextUpdate[] = [];
      for (let number = 0; number < 4; number += 1) {
        await inbox.accept(written(address, { lane: 'act', body: { kind: 'button', press: `p${number}`, data: 'd' } }));
        const press = (await inbox.next(address, 'act', DAO))!;
        await inbox.finish(press.id);
        presses.push(press);
      }
      const say = (press: NextUpdate, most: number | null) =>
        inbox.say(press, DAO, { kind: 'message', text: '/help' }, most);
      const [first, second, third, fourth] = presses as [NextUpdate, NextUpdate, NextUpdate, NextUpdate];
      expect([await say(first, 2), await say(second, 2), await say(third, 2)]).toEqual([true, true, false]);
      expect([await say(first, 2), await say(fourth, null)]).toEqual([true, true]);
      await inbox.finish((await takenOf(address)).id);
      await inbox.finish((await takenOf(address)).id);
      expect(await say(third, 2)).toBe(true);
    });
  });

  describe('replies', () => {
    it('should be written by the latest writer alone', async () => {
      const address = aChat();
      await inbox.accept(written(address));
      const update = await takenOf(address);
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
      const update = await takenOf(address);
      await replies.begin(update, DAO, { requestId: 'r1' });
      const writer = { id: update.id, daoId: DAO, chat: update.chat, generation: 1 };
      await replies.put(writer, { n: 0, state: 'sent', messageId: '51', shown: null });
      expect(await chats.changeText(update, 'something else')).toEqual({ requestId: 'r1' });
      expect(await chats.changeText(update, 'something else')).toBeUndefined();
      expect(await chats.changeText({ ...update, actor: 'tg:9' }, 'not mine')).toBeUndefined();
      expect(await replies.finish(writer)).toBe(true);
      const again = await takenOf(address);
      expect(again).toMatchObject({ id: update.id, revision: 2, body: { text: 'something else' }, isAgain: true });
      const begun = await replies.begin(again, DAO, { requestId: 'r2' });
      expect(begun).toMatchObject({ requestId: 'r2', generation: 2, parts: [{ messageId: '51' }], isDone: false });
    });

    it('should have been done when its answer was there, whatever it shows later; and anew when it is answered anew', async () => {
      const address = aChat();
      await inbox.accept(written(address, { messageId: '70' }));
      const update = await takenOf(address);
      const content = { body: { text: '#1', marks: [] }, buttons: [] };
      const reply = { id: update.id, daoId: DAO, chat: update.chat };
      const doneAt = async () => {
        const row = await fresh.database
          .of(DAO)
          .selectFrom('replies')
          .where('id', '=', update.id)
          .select('done_at')
          .execute();
        return row[0]?.done_at;
      };
      const { generation } = await replies.begin(update, DAO, { requestId: 'r1' });
      await replies.finish({ ...reply, generation });
      const then = new Date(Date.now() - 60_000);
      await fresh.database.of(DAO).updateTable('replies').set({ done_at: then }).where('id', '=', update.id).execute();
      const anew = await replies.beginNews(reply, content);
      expect(await doneAt()).toEqual(then);
      await replies.finish({ ...reply, generation: anew.generation });
      expect(await doneAt()).toEqual(then);
      await chats.changeText(update, 'something else');
      const again = await replies.begin(await takenOf(address), DAO, { content });
      await replies.finish({ ...reply, generation: again.generation });
      expect(Number(await doneAt())).toBeGreaterThan(Number(then));
    });

    it('should tell whoever begins one that it was stopped, and which requests a stop is for', async () => {
      const address = aChat();
      for (const order of [60, 61, 62]) await inbox.accept(written(address, { order, messageId: String(order) }));
      const update = await takenOf(address);
      await replies.begin(update, DAO, { requestId: 'r9' });
      const stop = { ...update, messageId: '62' };
      expect(await chats.stopBefore(stop)).toEqual({ count: 2, requestIds: ['r9'] });
      // Whoever died before they stopped it does so again.
      expect(await chats.stopBefore(stop)).toEqual({ count: 0, requestIds: ['r9'] });
      expect(await replies.claim(update.id, DAO)).toMatchObject({ isStopped: true });
      await inbox.finish(update.id);
      expect(await chats.stopBefore(stop)).toEqual({ count: 0, requestIds: [] });
      expect(await takenOf(address)).toMatchObject({ messageId: '61', isStopped: true });
    });
  });

  describe('too much that waits', () => {
    const MOST = 3;

    it('should be dropped, and its person told of it once in a minute; others and acts are taken in', async () => {
      const [full, other] = [aChat(), aChat()];
      const took = (changes: Partial<Inbound> = {}, address = full) => inbox.accept(written(address, changes), MOST);
      for (let n = 0; n < MOST; n += 1) expect(await took()).toMatchObject({ state: 'waiting', isBeyond: false });
      const flood = await Promise.all(Array.from({ length: 10 }, () => took()));
      expect(flood.every(({ isBeyond }) => isBeyond)).toBe(true);
      expect(flood.map(({ state }) => state).toSorted()).toEqual([...Array<string>(9).fill('dropped'), 'waiting']);
      expect(await took({ actor: 'tg:8' })).toMatchObject({ state: 'waiting', isBeyond: true });
      expect(await took({ lane: 'act' })).toMatchObject({ state: 'waiting', isBeyond: false });
      expect(await took({}, other)).toMatchObject({ state: 'waiting', isBeyond: false });
      const bodies: unknown[] = [];
      for (let act = await inbox.next(full, 'act', DAO); act; act = await inbox.next(full, 'act', DAO)) {
        bodies.push([act.actor, act.body]);
        await inbox.finish(act.id);
      }
      expect(bodies).toEqual([
        ['tg:12345', expect.objectContaining({ isBeyond: true })],
        ['tg:8', expect.objectContaining({ isBeyond: true })],
        ['tg:12345', expect.not.objectContaining({ isBeyond: true })],
      ]);
    });

    it('should be a fifth of it in a group where one person wrote it all', async () => {
      const { chat } = aChat();
      const place = { source: 'tg' as const, chat, topic: null, kind: 'group' as const };
      const took = (actor: string) => inbox.accept(anInbound({ place, space: chat, actor }), 10);
      const beyond: boolean[] = [];
      for (const actor of ['tg:1', 'tg:1', 'tg:1', 'tg:2']) beyond.push((await took(actor)).isBeyond);
      expect(beyond).toEqual([false, false, true, false]);
    });

    it('should be taken in again once something is answered, and told of again after a minute', async () => {
      const address = aChat();
      const flood = written(address);
      for (let n = 0; n < MOST; n += 1) await inbox.accept(written(address), MOST);
      expect(await inbox.accept(flood, MOST)).toMatchObject({ state: 'waiting', isBeyond: true, isNew: true });
      expect(await inbox.accept(flood, MOST)).toMatchObject({ state: 'waiting', isBeyond: true, isNew: false });
      expect(await inbox.accept(written(address), MOST)).toMatchObject({ state: 'dropped' });
      await fresh.database.all
        .updateTable('inbox')
        .set({ received_at: new Date(Date.now() - 61_000) })
        .where('update_key', '=', flood.updateKey)
        .execute();
      expect(await inbox.accept(written(address), MOST)).toMatchObject({ state: 'waiting', isBeyond: true });
      await inbox.finish((await takenOf(address)).id);
      expect(await inbox.accept(written(address), MOST)).toMatchObject({ state: 'waiting', isBeyond: false });
      expect(await inbox.accept(flood, MOST)).toMatchObject({ isBeyond: true, isNew: false });
    });

    it('should know who was refused since when, by what a chat was shown', async () => {
      const answers = new ShownAnswersRepository(fresh.database);
      const address = aChat();
      await inbox.accept(written(address));
      const update = await takenOf(address);
      const since = new Date(Date.now() - 60_000);
      const was = (code = 'RATE_LIMITED', at = since, actor = update.actor) =>
        answers.wasRefusedSince({ ...update, actor }, DAO, { code, since: at });
      expect(await was()).toBe(false);
      const content = { body: { text: 'no', marks: [] }, buttons: [], refused: { code: 'RATE_LIMITED' } };
      await replies.begin(update, DAO, { content });
      expect(await was()).toBe(true);
      expect(await was('BUDGET_EXHAUSTED')).toBe(false);
      expect(await was('RATE_LIMITED', new Date(Date.now() + 1_000))).toBe(false);
      expect(await was('RATE_LIMITED', since, 'tg:8')).toBe(false);
    });
  });

  describe('messages that are answered as one', () => {
    /** A chat with three messages, the first of which was taken up. */
    async function three(): Promise<{ address: ChatAddress; first: NextUpdate; ids: string[] }> {
      const address = aChat();
      const ids: string[] = [];
      for (const n of [1, 2, 3]) {
        const order = Number(address.chat) * 1_000 + n;
        const body = { kind: 'message' as const, text: `part ${n}` };
        ids.push((await inbox.accept(written(address, { order, messageId: String(order), body }))).id);
      }
      return { address, first: await takenOf(address), ids };
    }
    const rowsOf = (ids: string[]) =>
      fresh.database.all
        .selectFrom('inbox')
        .where('id', 'in', ids)
        .orderBy('place')
        .select(['id', 'state', 'joined_to', 'dao_id', 'body'])
        .execute();
    const edit = (update: NextUpdate, n: number, text: string) =>
      chats.changeText({ ...update, messageId: String(Number(update.address.chat) * 1_000 + n) }, text);

    it('should be seen behind the first, in order, with what became of them', async () => {
      const { first, ids } = await three();
      await fresh.database.all.updateTable('inbox').set({ stopped_at: new Date() }).where('id', '=', ids[2]!).execute();
      const behind = await inbox.behind(first, 10);
      expect(behind.map(({ id, isFree }) => [id, isFree])).toEqual([
        [ids[1], true],
        [ids[2], false],
      ]);
      expect(behind[0]).toMatchObject({ actor: 'tg:12345', body: { text: 'part 2' } });
      expect(Math.abs(Date.now() - Number(behind[0]?.receivedAt))).toBeLessThan(60_000);
      expect(await inbox.behind(first, 1)).toHaveLength(1);
    });

    it('should all be done with the first, which names them; decided once', async () => {
      const { address, first, ids } = await three();
      const joined = await inbox.join(first, ids.slice(1));
      const more = [
        { id: ids[1], text: 'part 2' },
        { id: ids[2], text: 'part 3' },
      ];
      expect(joined).toEqual({ body: { kind: 'message', text: 'part 1', more }, revision: 1 });
      const [one, ...others] = await rowsOf(ids);
      expect(one).toMatchObject({ state: 'open', joined_to: null });
      for (const row of others) expect(row).toMatchObject({ state: 'done', joined_to: first.id, dao_id: DAO });
      expect(await takenOf(address)).toMatchObject({ id: first.id, isMore: false, body: { more } });
      await inbox.accept(written(address, { order: Number(address.chat) * 1_000 + 9 }));
      const late = await inbox.behind(first, 10);
      const again = late.map(({ id }) => id);
      expect(await inbox.join(first, again)).toBeUndefined();
      expect(await rowsOf(again)).toMatchObject([{ state: 'waiting', joined_to: null }]);
    });

    it('should be decided by one of several who try at once, and nothing is lost', async () => {
      const { first, ids } = await three();
      const tried = await Promise.all(ids.slice(1).map((id) => inbox.join(first, [id])));
      const [won] = tried.filter((one) => one !== undefined);
      const [said] = won?.body.kind === 'message' ? (won.body.more ?? []) : [];
      expect(tried.filter((one) => one === undefined)).toHaveLength(1);
      const rows = await rowsOf(ids.slice(1));
      expect(rows.filter(({ state }) => state === 'done').map(({ id }) => id)).toEqual([said?.id]);
      expect(rows.filter(({ state }) => state === 'waiting')).toHaveLength(1);
    });

    it('should leave out what was stopped meanwhile', async () => {
      const { first, ids } = await three();
      await fresh.database.all.updateTable('inbox').set({ stopped_at: new Date() }).where('id', '=', ids[1]!).execute();
      expect(await inbox.join(first, ids.slice(1))).toMatchObject({ body: { more: [{ id: ids[2] }] } });
      expect(await rowsOf([ids[1]!])).toMatchObject([{ state: 'waiting' }]);
    });

    it('should have the one answer be written anew when any of them is changed', async () => {
      const { address, first, ids } = await three();
      await inbox.join(first, ids.slice(1));
      await replies.begin(first, DAO, { requestId: 'r1' });
      expect(await edit(first, 3, 'part three')).toEqual({ requestId: 'r1' });
      expect(await edit(first, 3, 'part three')).toBeUndefined();
      expect(await chats.changeText({ ...first, actor: 'tg:8' }, 'not mine')).toBeUndefined();
      expect(await edit(first, 1, 'part one')).toEqual({ requestId: 'r1' });
      const more = [
        { id: ids[1], text: 'part 2' },
        { id: ids[2], text: 'part three' },
      ];
      const now = await takenOf(address);
      expect(now).toMatchObject({ id: first.id, revision: 3, body: { text: 'part one', more } });
      expect((await rowsOf(ids)).map(({ body }) => body)).toMatchObject([
        {},
        { text: 'part 2' },
        { text: 'part three' },
      ]);
      await replies.begin(now, DAO, { requestId: 'r2' });
      await inbox.finish(first.id);
      expect(await edit(first, 2, 'part two')).toEqual({ requestId: 'r2' });
      const again = await takenOf(address);
      expect(again).toMatchObject({ id: first.id, revision: 4, body: { more: [{ text: 'part two' }, {}] } });
      await replies.begin(again, DAO, { requestId: 'r3' });
      await inbox.finish(first.id);
      await inbox.accept(written(address, { order: Number(address.chat) * 1_000 + 9 }));
      expect(await edit(first, 2, 'too late')).toBeUndefined();
    });

    it('should be stopped together, and tell of one answer', async () => {
      const { address, first, ids } = await three();
      await inbox.join(first, ids.slice(1));
      await replies.begin(first, DAO, { requestId: 'r7' });
      const stop = { ...first, messageId: String(Number(address.chat) * 1_000 + 9) };
      expect(await chats.stopBefore(stop)).toEqual({ count: 1, requestIds: ['r7'] });
      const answers = new ShownAnswersRepository(fresh.database);
      for (const n of [1, 2, 3]) {
        const named = String(Number(address.chat) * 1_000 + n);
        expect(await answers.ofMessage(DAO, first.chat, named)).toMatchObject({ requestId: 'r7' });
      }
    });
  });

  it('should be looked for where nobody does it, each chat once, in the order of their rows', async () => {
    const addresses = [aChat(), aChat(), aChat()];
    for (const address of [...addresses, ...addresses]) await inbox.accept(written(address));
    const ours = async (after = '', most = 1_000): Promise<{ id: string; address: ChatAddress }[]> =>
      (await inbox.overdue(after, most)).filter(({ address }) => addresses.some(({ chat }) => chat === address.chat));
    expect(await ours()).toEqual([]);
    await fresh.database.all
      .updateTable('inbox')
      .set({ received_at: new Date(Date.now() - 60_000) })
      .where('state', '=', 'waiting')
      .execute();
    const found = await ours();
    expect(found.map(({ address }) => address.chat).toSorted()).toEqual(addresses.map(({ chat }) => chat).toSorted());
    expect(found.map(({ id }) => id)).toEqual(found.map(({ id }) => id).toSorted());
    expect(await ours(found[0]!.id)).toEqual(found.slice(1));
    expect(await inbox.overdue('', 2)).toHaveLength(2);
  });
});

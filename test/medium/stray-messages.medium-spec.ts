import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InboxRepository, type NextUpdate } from '../../src/adapters/store/inbox.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import { StrayMessagesRepository } from '../../src/adapters/store/stray-messages.repository.js';
import type { ChatAddress } from '../../src/contracts/dialog.js';
import { createDao } from '../factories/access.js';
import { aChat, anInbound, taken, written } from '../factories/dialogs.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';

describe.each(DATABASES)('messages that may have come twice, on %s', (_name, open) => {
  let fresh: Fresh;
  let inbox: InboxRepository;
  let replies: RepliesRepository;
  let strays: StrayMessagesRepository;

  beforeAll(async () => {
    fresh = await open();
    inbox = new InboxRepository(fresh.database);
    replies = new RepliesRepository(fresh.database);
    strays = new StrayMessagesRepository(fresh.database);
    await createDao(fresh.database, { id: DAO });
  });
  afterAll(() => fresh.drop());

  const takenOf = (address: ChatAddress): Promise<NextUpdate> => taken(inbox, address, DAO);
  const below = (chat: string, messageId: string, most = 20) => strays.unknownBelow({ chat, messageId }, most);
  /** A message in a topic of a large group. */
  async function inTopic(chat: string, topic: string, messageId: string): Promise<NextUpdate> {
    const place = { source: 'tg' as const, chat, topic, kind: 'group' as const };
    await inbox.accept(anInbound({ place, order: Number(messageId), messageId }));
    return takenOf({ source: 'tg', chat, topic });
  }
  /** A reply to it, whose first message is announced so often and is there then. */
  async function createdAgain(update: NextUpdate, times: number, messageId: string) {
    const { generation } = await replies.begin(update, DAO, { requestId: 'r' });
    const writer = { id: update.id, daoId: DAO, chat: update.chat, generation };
    const part = { n: 0, messageId: null, shown: null };
    for (let n = 0; n < times; n += 1) await replies.put(writer, { ...part, state: 'sending' });
    await replies.put(writer, { ...part, state: 'sent', messageId });
    return writer;
  }
  const found = async (chat: string) => (await strays.createdAgain()).filter(({ place }) => place.chat === chat);

  it('should have the numbers between two known messages of which nothing is known', async () => {
    const [one, other] = [aChat(), aChat()];
    await inbox.accept(written(one, { order: 10_100, messageId: '10100' }));
    await inbox.accept(written(other, { order: 10_102, messageId: '10102' }));
    const { chat } = await takenOf(one);
    expect(await below(chat, '10105')).toEqual(['10104', '10103', '10101']);
    expect(await below(chat, '10105', 1)).toEqual(['10104']);
    expect(await below(chat, 'no number')).toEqual([]);
    expect(await below(chat, '99999999')).toEqual([]);
  });

  it('should be told from those of other topics of a large group, and not from those of other chats', async () => {
    const [group, another] = ['-10077', '-10078'];
    const first = await inTopic(group, '1', '100');
    const second = await inTopic(group, '2', '101');
    await inTopic(another, '1', '105');
    await createdAgain(second, 0, '103');
    // Of both topics all four are known; 102 and 104 are of nobody.
    const answer = await createdAgain(first, 1, '106');
    expect(await below(first.chat, '106')).toEqual(['105', '104']);
    await replies.finish(answer);
    expect(await below(second.chat, '110')).toEqual(['109', '108', '107']);
  });

  it('should be looked for once, when the reply has ended and nothing is being created in the chat', async () => {
    const group = '-10079';
    const first = await inTopic(group, '1', '200');
    const second = await inTopic(group, '2', '201');
    const reply = await createdAgain(first, 1, '205');
    expect(await found(group)).toEqual([]);
    await replies.finish(reply);
    await replies.begin(second, DAO, { requestId: 'r' });
    expect(await found(group)).toEqual([]);
    await replies.put(
      { id: second.id, daoId: DAO, chat: second.chat, generation: 1 },
      { n: 0, state: 'sent', messageId: '206', shown: null },
    );
    const [created, ...others] = await found(group);
    expect(others).toEqual([]);
    const place = { source: 'tg', chat: group, topic: '1', kind: 'group' };
    expect(created).toEqual({ daoId: DAO, replyId: first.id, n: 0, chat: first.chat, place, messageId: '205' });
    await strays.looked({ ...created!, messageId: '204' }, 0);
    expect(await found(group)).toHaveLength(1);
    await strays.looked(created!, 2);
    await strays.looked(created!, 2);
    expect(await found(group)).toEqual([]);
    const part = fresh.database.of(DAO).selectFrom('reply_parts').where('reply_id', '=', first.id);
    expect(await part.select(['strays', 'again']).execute()).toEqual([{ strays: 2, again: false }]);
  });

  it('should not be looked for where a message was created but once', async () => {
    const update = await inTopic('-10080', '1', '300');
    await replies.finish(await createdAgain(update, 0, '301'));
    expect(await found('-10080')).toEqual([]);
  });
});

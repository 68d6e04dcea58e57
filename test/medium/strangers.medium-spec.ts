import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { addInvitation } from '../../src/adapters/store/invitations.repository.js';
import { addMember } from '../../src/adapters/store/members.repository.js';
import { StrangersRepository } from '../../src/adapters/store/strangers.repository.js';
import { createDao } from '../factories/access.js';
import { anInbound } from '../factories/dialogs.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const GROUP = { source: 'tg' as const, chat: '-1001', kind: 'group' as const };

describe.each(DATABASES)('chats of no DAO, on %s', (_name, open) => {
  let fresh: Fresh;
  let inbox: InboxRepository;
  let strangers: StrangersRepository;

  beforeAll(async () => {
    fresh = await open();
    inbox = new InboxRepository(fresh.database);
    strangers = new StrangersRepository(fresh.database);
  });
  afterAll(() => fresh.drop());

  /** The row of a message, taken up. */
  async function written(inbound: Parameters<typeof anInbound>[0]) {
    const made = anInbound(inbound);
    await inbox.accept(made);
    const { source, chat, topic } = made.place;
    const update = await inbox.next({ source, chat, topic: topic ?? '' }, 'turn', undefined);
    if (!update) throw new Error('nothing came in');
    return update;
  }

  it('should be what operators hear of: no DAO, or nobody’s people', async () => {
    expect(await strangers.lacking()).toEqual({ hasDao: false, hasStrangers: false });
    await createDao(fresh.database, { id: DAO });
    expect(await strangers.lacking()).toEqual({ hasDao: true, hasStrangers: false });
    await written({ actor: 'tg:77', place: { source: 'tg', chat: '77', topic: null, kind: 'private' } });
    expect(await strangers.lacking()).toEqual({ hasDao: true, hasStrangers: true });
    await addMember(fresh.database.of(DAO), DAO, { userId: 'tg:77', roles: ['member'] });
    expect(await strangers.lacking()).toEqual({ hasDao: true, hasStrangers: false });
  });

  it('should be told so once in an hour in a group, in all its topics together', async () => {
    const one = await written({ place: { ...GROUP, topic: '1' }, space: GROUP.chat });
    const two = await written({ place: { ...GROUP, topic: '2' }, space: GROUP.chat });
    const other = await written({ place: { ...GROUP, chat: '-1002', topic: null }, space: '-1002' });
    expect(await strangers.mayTell(one.chat)).toBe(true);
    expect(await strangers.mayTell(two.chat)).toBe(false);
    expect(await strangers.mayTell(other.chat)).toBe(true);
    await fresh.database.all
      .updateTable('chats')
      .set({ told_at: new Date(Date.now() - 61 * 60_000) })
      .execute();
    expect(await strangers.mayTell(two.chat)).toBe(true);
    expect(await strangers.mayTell(one.chat)).toBe(false);
  });

  it('should be of the DAO whose invitation somebody brings, and of no other later', async () => {
    const db = fresh.database.of(DAO);
    await addInvitation(db, DAO, {
      ...{ id: 'i1', hash: 'the hash', user_id: null, member_id: null, roles: ['member'], uses_left: 1 },
      ...{ created_by: 'p_x', seconds: 60 },
    });
    expect(await strangers.invitedTo('the hash')).toBe(DAO);
    expect(await strangers.invitedTo('another')).toBeUndefined();
    await createDao(fresh.database, { id: 'other-dao' });
    const { id, daoId, address } = await written({
      ...{ actor: 'tg:78', place: { source: 'tg', chat: '78', topic: null, kind: 'private' } },
    });
    expect(daoId).toBeNull();
    await strangers.adopt(id, DAO);
    await strangers.adopt(id, 'other-dao');
    expect(await inbox.next(address, 'turn', undefined)).toMatchObject({ id, daoId: DAO });
  });
});

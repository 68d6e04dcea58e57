import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { DialogsRepository } from '../../src/adapters/store/dialogs.repository.js';
import { InboxRepository, type NextUpdate } from '../../src/adapters/store/inbox.repository.js';
import { OffersRepository } from '../../src/adapters/store/offers.repository.js';
import { OldDialogsRepository } from '../../src/adapters/store/old-dialogs.repository.js';
import { PendingRepository } from '../../src/adapters/store/pending.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import type { Inbound } from '../../src/contracts/dialog.js';
import { createDao } from '../factories/access.js';
import { anInbound } from '../factories/dialogs.js';
import { DATABASES, type Fresh } from './databases.js';

const DAYS = 90;
const CONTENT = { body: { text: 'an answer', marks: [] }, buttons: [] };

describe.each(DATABASES)('what is old in chats, on %s', (_name, open) => {
  let fresh: Fresh;
  let inbox: InboxRepository;
  let replies: RepliesRepository;
  let old: OldDialogsRepository;
  let dao: string;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    [inbox, replies, old] = [
      new InboxRepository(database),
      new RepliesRepository(database),
      new OldDialogsRepository(database),
    ];
  });
  afterAll(() => fresh.drop());
  beforeEach(async () => {
    count += 1;
    dao = `dao-${count}`;
    await createDao(fresh.database, { id: dao });
    await sql`delete from chats`.execute(fresh.database.all);
  });

  const place = () => ({ source: 'tg' as const, chat: String(count), topic: null, kind: 'private' as const });
  /** A message that is taken up. */
  async function taken(changes: Partial<Inbound> = {}): Promise<NextUpdate> {
    await inbox.accept(anInbound({ place: place(), ...changes }));
    return (await inbox.next({ ...place(), topic: '' }, 'turn', dao))!;
  }
  /** A message with a reply of one part. @returns its id */
  async function answered(): Promise<string> {
    const update = await taken();
    const { generation } = await replies.begin(update, dao, { content: CONTENT });
    const writer = { id: update.id, daoId: dao, chat: update.chat, generation };
    await replies.put(writer, { n: 0, state: 'sent', messageId: `9${count}${update.messageId}`, shown: null });
    await replies.finish(writer);
    return update.id;
  }
  /** Makes everything so many days older. */
  async function wait(days: number): Promise<void> {
    const by = sql`make_interval(days => ${days})`;
    const { all } = fresh.database;
    await sql`update inbox set received_at = received_at - ${by}, done_at = done_at - ${by}`.execute(all);
    await sql`update replies set created_at = created_at - ${by}, done_at = done_at - ${by}`.execute(all);
    await sql`update offers set expires_at = expires_at - ${by}`.execute(all);
    await sql`update pending set expires_at = expires_at - ${by}`.execute(all);
  }
  const idsOf = async (table: 'inbox' | 'replies' | 'offers' | 'pending'): Promise<string[]> =>
    (await sql<{ id: string }>`select id from ${sql.table(table)} order by id`.execute(fresh.database.all)).rows.map(
      ({ id }) => id,
    );
  const parts = async (): Promise<string[]> =>
    (await fresh.database.all.selectFrom('reply_parts').select('reply_id').execute()).map((one) => one.reply_id);

  it('should go with what was answered, whosever it is, and leave what is newer', async () => {
    await answered();
    const first = await taken();
    const { id: second } = await inbox.accept(anInbound({ place: place() }));
    await inbox.join(first, [second]);
    await inbox.finish(first.id);
    await inbox.accept(anInbound({ place: place(), actor: 'tg:777' }));
    const ofNobody = (await inbox.next({ ...place(), topic: '' }, 'turn', undefined))!;
    await inbox.finish(ofNobody.id, 'dropped');
    await wait(DAYS - 1);
    expect(await old.forget(DAYS)).toBe(0);
    await wait(1);
    const kept = await answered();
    await old.forget(DAYS);
    expect(await idsOf('inbox')).toEqual([kept]);
    expect(await idsOf('replies')).toEqual([kept]);
    expect(await parts()).toEqual([kept]);
    const dialogs = new DialogsRepository(fresh.database);
    const [dialog] = await dialogs.page(dao, {}, { after: '', limit: 10 });
    const prompts = await dialogs.prompts(dao, dialog!, {}, { after: '', limit: 10 });
    expect(prompts.map(({ id }) => id)).toEqual([kept]);
    expect(await old.forget(DAYS)).toBe(0);
  });

  it('should never go while it waits, or is being answered', async () => {
    const open = await taken({ order: 1 });
    await replies.begin(open, dao, { requestId: 'r' });
    await inbox.accept(anInbound({ place: place(), order: 2 }));
    await wait(DAYS * 10);
    expect(await old.forget(DAYS)).toBe(0);
    expect(await idsOf('inbox')).toHaveLength(2);
    expect(await idsOf('replies')).toEqual([open.id]);
  });

  it('should stay while it follows what it shows, and go when that is told no more; news as well', async () => {
    const card = await answered();
    const { chat } = await fresh.database.all.selectFrom('inbox').select('chat').executeTakeFirstOrThrow();
    const data = JSON.stringify({ n: 1 });
    await sql`insert into news (id, dao_id, key, kind, data) values (${dao}, ${dao}, 'key', 'proposal_opened', ${data}::jsonb)`.execute(
      fresh.database.all,
    );
    for (const [id, follows] of [
      [card, true],
      ['told', false],
    ] as const) {
      if (!follows) await replies.beginNews({ id: 'told', daoId: dao, chat }, CONTENT);
      await sql`
        insert into deliveries (id, dao_id, news_id, chat, not_before, state, follows)
        values (${id}, ${dao}, ${dao}, ${chat}, now(), 'done', ${follows})
      `.execute(fresh.database.all);
    }
    await wait(DAYS);
    expect(await old.forget(DAYS)).toBe(0);
    expect(await idsOf('replies')).toEqual([card, 'told'].toSorted());
    await sql`delete from news`.execute(fresh.database.all);
    expect(await old.forget(DAYS)).toBe(2);
    expect(await idsOf('inbox')).toEqual([]);
    expect(await idsOf('replies')).toEqual([]);
  });

  it('should go with what nobody can take or answer any more', async () => {
    const update = await taken();
    await new OffersRepository(fresh.database).make(update, dao, { command: 'review', args: '1', said: 'review it' });
    await new PendingRepository(fresh.database).ask(update, dao, { kind: 'title' });
    await wait(DAYS);
    await old.forget(DAYS);
    expect([...(await idsOf('offers')), ...(await idsOf('pending'))]).toHaveLength(2);
    await wait(2);
    await old.forget(DAYS);
    expect([...(await idsOf('offers')), ...(await idsOf('pending'))]).toEqual([]);
  });

  it('should go in parts, so that nobody waits for it', async () => {
    const { chat, id } = await taken();
    await inbox.finish(id);
    await sql`
      insert into inbox (id, update_key, chat, lane, place, actor, body, state, received_at, done_at)
      select 'old ' || n, 'old ' || n, ${chat}, 'turn', n, 'tg:1', '{"kind": "message", "text": "x"}', 'done', now(), now()
      from generate_series(1, 1000) as n
    `.execute(fresh.database.all);
    await wait(DAYS);
    expect([await old.forget(DAYS), await old.forget(DAYS), await old.forget(DAYS)]).toEqual([1_000, 1, 0]);
  });
});

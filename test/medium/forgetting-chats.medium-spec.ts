import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { FeedbackRepository } from '../../src/adapters/store/feedback.repository.js';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { InvitationsRepository } from '../../src/adapters/store/invitations.repository.js';
import { MembersRepository } from '../../src/adapters/store/members.repository.js';
import { OffersRepository } from '../../src/adapters/store/offers.repository.js';
import { PendingRepository } from '../../src/adapters/store/pending.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { RunChatsRepository } from '../../src/adapters/store/run-chats.repository.js';
import { AccessService } from '../../src/services/access.service.js';
import { peopleOf, type People } from '../../src/services/people.js';
import { aCaller, createDao } from '../factories/access.js';
import { anEnding, aRequest } from '../factories/requests.js';
import { allColumns, columnsWith, type Column } from '../support/columns-with.js';
import { DATABASES, type Fresh } from './databases.js';

const PERSON = 'tg:4242';
const SECOND = 'dc:4242';
const GUEST = 'tg:777';

describe.each(DATABASES)('forgetting what was said in chats, on %s', (_name, open) => {
  let fresh: Fresh;
  let people: People;
  let requests: RequestsRepository;
  let columns: Column[];
  let dao: string;
  let count = 0;
  const admin = aCaller({ id: 'admin', principal: 'api:admin' });
  const key = (principal: string) => aCaller({ daoId: dao, principal, gateway: false });
  const whereIs = (word: string): Promise<string[]> => columnsWith(fresh.database.all, columns, word);

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    const repository = new AccessRepository(database);
    await repository.grantPlatform('api:admin');
    requests = new RequestsRepository(database);
    const audit = new AuditRepository(database);
    const repositories = {
      ...{ audit, daos: new DaosRepository(database), members: new MembersRepository(database) },
      invitations: new InvitationsRepository(database),
    };
    const access = new AccessService(repository, audit, () => undefined);
    people = peopleOf({ access, repositories, roles: loadDefaultRoles() });
    columns = await allColumns(database.all);
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    count += 1;
    dao = `dao-${count}`;
    await createDao(fresh.database, { id: dao });
  });

  async function joined(): Promise<void> {
    const { member } = await people.members.add(admin, dao, { userId: PERSON, roles: ['member'] });
    await people.members.link(admin, dao, member.id, SECOND);
  }

  const inbox = (): InboxRepository => new InboxRepository(fresh.database);
  let number = 0;

  /** A question of somebody in a chat, that was answered and found wanting, and what else was said there, with a word. */
  async function chatted(actor: string, word: string, kind: 'private' | 'group' = 'private'): Promise<string> {
    number += 1;
    const chat = kind === 'private' ? actor.slice(3) : `-100 of ${dao}`;
    const place = { source: actor.startsWith('dc') ? ('dc' as const) : ('tg' as const), chat, topic: null, kind };
    const space = kind === 'group' ? chat : null;
    await inbox().accept({
      ...{ updateKey: `update ${number} of ${actor}`, place, space, actor, language: 'uk', lane: 'turn' },
      ...{ order: number, messageId: String(number), body: { kind: 'message', text: word, name: word } },
    });
    const update = (await inbox().next({ ...place, topic: '' }, 'turn', dao))!;
    const request = aRequest({ daoId: dao, actor, chat: update.chat, prompt: word });
    await requests.accept(request);
    const replies = new RepliesRepository(fresh.database);
    const begun = await replies.begin(update, dao, { content: { body: { text: word, marks: [] }, buttons: [] } });
    const writer = { id: begun.id, daoId: dao, chat: update.chat, generation: begun.generation };
    await replies.put(writer, { n: 0, state: 'sent', messageId: '9', shown: null });
    await new OffersRepository(fresh.database).make(update, dao, { command: 'decompose', args: word, said: word });
    await new PendingRepository(fresh.database).ask(update, dao, { kind: 'text', title: word });
    const opinions = new FeedbackRepository(fresh.database);
    await opinions.mark({ daoId: dao, requestId: request.id, actor }, 'bad', 'button');
    await opinions.comment({ daoId: dao, requestId: request.id, actor }, word);
    const about = { runId: request.id, daoId: dao, chat: update.chat, actor, messageId: word, language: 'uk' as const };
    await new RunChatsRepository(fresh.database).add(about);
    await requests.recordEnding(request.id, dao, anEnding());
    await inbox().finish(update.id);
    return request.id;
  }
  const summarise = (word: string) =>
    fresh.database.of(dao).updateTable('dialogs').set({ summary: word, summarised_to: new Date() }).execute();
  const chatsOf = async (user: string) =>
    (await fresh.database.all.selectFrom('chats').where('user_id', '=', user).select('id').execute()).length;

  it('leaves nothing of those of the person, by whatever id they wrote', async () => {
    const word = `parsnip-${dao}-`;
    await joined();
    await chatted(PERSON, word);
    await chatted(SECOND, word);
    await summarise(word);
    expect((await whereIs(word)).length).toBeGreaterThan(8);
    await people.forgetting.forgetMe(key(PERSON), dao, {});
    for (const one of [word, PERSON, SECOND]) expect([one, await whereIs(one)]).toEqual([one, []]);
    expect([await chatsOf(PERSON), await chatsOf(SECOND)]).toEqual([0, 0]);
  });

  it('leaves in groups what others said, and no summary of what was said there', async () => {
    const [word, other] = [`celery-${dao}-`, `fennel-${dao}-`];
    await chatted('tg:12345', other, 'group');
    const before = await whereIs(other);
    await chatted(GUEST, word, 'group');
    await summarise(word);
    await people.forgetting.forgetMe(key(GUEST), dao, {});
    for (const one of [word, GUEST]) expect([one, await whereIs(one)]).toEqual([one, []]);
    expect(await whereIs(other)).toEqual(before);
    const dialogs = fresh.database.of(dao).selectFrom('dialogs').select(['summary', 'summarised_to']);
    expect(await dialogs.execute()).toEqual([{ summary: null, summarised_to: null }]);
  });

  it('keeps a summary of what the person has no part in, and clears what others said of answers to them', async () => {
    const [word, other] = [`leek-${dao}-`, `onion-${dao}-`];
    const said = await chatted(GUEST, word);
    await chatted('tg:12345', other, 'group');
    await summarise(other);
    const opinions = new FeedbackRepository(fresh.database);
    const opinion = { daoId: dao, requestId: said, actor: 'tg:12345' };
    await opinions.mark(opinion, 'bad', 'button');
    await opinions.comment(opinion, word);
    await people.forgetting.forgetMe(key(GUEST), dao, {});
    expect(await whereIs(word)).toEqual([]);
    const dialogs = fresh.database.of(dao).selectFrom('dialogs').select('summary');
    expect(await dialogs.execute()).toEqual([{ summary: other }]);
    const marks = fresh.database.of(dao).selectFrom('feedback').where('request_id', '=', said);
    expect(await marks.select(['actor', 'mark', 'comment']).execute()).toEqual([
      { actor: 'tg:12345', mark: 'bad', comment: null },
    ]);
  });

  it('keeps a chat that another DAO has something to do with, and everything of it that is that one’s', async () => {
    const [word, theirs] = [`turnip-${dao}-`, `swede-${dao}-`];
    const user = `tg:9${count}99`;
    await chatted(user, word);
    const first = dao;
    dao = `beside-${first}`;
    await createDao(fresh.database, { id: dao });
    await chatted(user, theirs);
    const before = await whereIs(theirs);
    await people.forgetting.forgetMe({ ...key(user), daoId: first }, first, {});
    expect(await whereIs(word)).toEqual([]);
    expect(await whereIs(theirs)).toEqual(before);
    expect(await chatsOf(user)).toBe(1);
    await people.forgetting.forgetMe(key(user), dao, {});
    for (const one of [theirs, user]) expect([one, await whereIs(one)]).toEqual([one, []]);
    expect(await chatsOf(user)).toBe(0);
  });
});

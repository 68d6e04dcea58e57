import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { DialogsRepository } from '../../src/adapters/store/dialogs.repository.js';
import { FeedbackRepository } from '../../src/adapters/store/feedback.repository.js';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { InvitationsRepository } from '../../src/adapters/store/invitations.repository.js';
import { MembersRepository } from '../../src/adapters/store/members.repository.js';
import { RepliesRepository, type ReplyMade } from '../../src/adapters/store/replies.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { DialogRecord } from '../../src/contracts/dialog-record.js';
import type { ReplyContent } from '../../src/contracts/dialog.js';
import type { NewRequest } from '../../src/adapters/store/requests.repository.js';
import { DialogSchema } from '../../src/schemas/dialog-records.js';
import { AccessService } from '../../src/services/access.service.js';
import { DialogRecordsService } from '../../src/services/dialog-records.service.js';
import { peopleOf, type People } from '../../src/services/people.js';
import { aCaller, createDao } from '../factories/access.js';
import { anInbound } from '../factories/dialogs.js';
import { aClaim, aDecision, anAnswer, anEnding, aRequest } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const ADMIN = 'tg:1';
const MEMBER = 'tg:12345';
const GUEST = 'tg:777';
const NOTHING = { worked_well: 'None', issues: 'None', suggestions: 'None' };
const words = (text: string, refused?: ReplyContent['refused']): ReplyMade => ({
  content: { body: { text, marks: [] }, buttons: [], ...(refused && { refused }) },
});

describe.each(DATABASES)('dialogs as they are read, on %s', (_name, open) => {
  let fresh: Fresh;
  let people: People;
  let requests: RequestsRepository;
  let replies: RepliesRepository;
  let inbox: InboxRepository;
  let feedback: FeedbackRepository;
  let records: DialogRecordsService;
  let dao: string;
  let count = 0;
  const key = (principal: string, daoId = dao) => aCaller({ daoId, principal, gateway: false });

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    [requests, replies] = [new RequestsRepository(database), new RepliesRepository(database)];
    [inbox, feedback] = [new InboxRepository(database), new FeedbackRepository(database)];
    const audit = new AuditRepository(database);
    const access = new AccessService(new AccessRepository(database), audit, () => undefined);
    records = new DialogRecordsService(new DialogsRepository(database), access);
    const repositories = {
      ...{ audit, daos: new DaosRepository(database), members: new MembersRepository(database) },
      invitations: new InvitationsRepository(database),
    };
    people = peopleOf({ access, repositories, roles: loadDefaultRoles() });
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    count += 1;
    dao = `dao-${count}`;
    await createDao(fresh.database, { id: dao });
  });

  /** A message in a chat (by its kind one of the DAO's own), with what is said to it. @returns its id */
  async function said(
    actor: string,
    text: string,
    made: ReplyMade | ((chat: string) => Promise<ReplyMade>),
    { kind = 'private', isEnded = true }: { kind?: 'private' | 'group'; isEnded?: boolean } = {},
  ): Promise<string> {
    const chat = kind === 'group' ? `-100${count}` : `${actor.slice(3)}${count}`;
    const place = { source: 'tg' as const, chat, topic: null, kind };
    await inbox.accept(
      anInbound({ place, space: kind === 'group' ? chat : null, actor, body: { kind: 'message', text } }),
    );
    const update = (await inbox.next({ ...place, topic: '' }, 'turn', dao))!;
    const begun = await replies.begin(update, dao, typeof made === 'function' ? await made(update.chat) : made);
    const writer = { id: begun.id, daoId: dao, chat: update.chat, generation: begun.generation };
    if (isEnded) await replies.finish(writer, []);
    return update.id;
  }

  /** A question to a model, that was answered. */
  const answered = async (changes: Partial<NewRequest>): Promise<NewRequest> => {
    const request = aRequest({ daoId: dao, source: 'telegram', ...changes });
    await requests.accept(request);
    await requests.claim(request.id, dao, aClaim());
    await requests.recordAnswer(request.id, dao, anAnswer());
    return request;
  };
  const asked =
    (actor: string, prompt: string, changes: Partial<NewRequest> = {}) =>
    async (chat: string): Promise<ReplyMade> => ({
      requestId: (await answered({ actor, prompt, chat, ...changes })).id,
    });

  const listed = async (principal: string, question: Partial<Parameters<DialogRecordsService['list']>[1]> = {}) =>
    (await records.list(key(principal), { limit: 50, ...question })).dialogs;
  const got = (id: string, principal = ADMIN, question: Partial<Parameters<DialogRecordsService['get']>[2]> = {}) =>
    records.get(key(principal), id, { limit: 50, ...question });
  const texts = ({ prompts }: Pick<DialogRecord, 'prompts'>): string[] => prompts.map(({ text }) => text);

  it('tells nobody a code of an invitation that somebody wrote, of whichever DAO it is', async () => {
    const code = `inv_other-dao_${'a'.repeat(43)}`;
    await said(MEMBER, `/start ${code}`, words('Too much.', { code: 'RATE_LIMITED' }));
    await said(MEMBER, `My code is ${code}`, asked(MEMBER, `My code is ${code}`));
    const [one] = await listed(ADMIN);
    expect(texts(await got(one!.dialog_id))).toEqual(['/start inv_other-dao_…', 'My code is inv_other-dao_…']);
  });

  it('tells of each message in a chat once: a command, a question, what was refused, and what is not answered yet', async () => {
    await said(MEMBER, '/dao', words('GreenFood DAO'));
    await said(MEMBER, 'What is it about?', asked(MEMBER, 'What is it about?'));
    await said(MEMBER, '/code_review x', words('You may not.', { code: 'RBAC_PERMISSION_DENIED' }));
    await said(MEMBER, '/proposals', words('None.'), { isEnded: false });
    const [one, ...more] = await listed(ADMIN);
    expect(more).toEqual([]);
    expect(one).toEqual({
      ...{ dialog_id: one!.dialog_id, timestamp: one!.timestamp, user_id: null, dao_id: dao, source: 'telegram' },
      user_id: MEMBER,
    });
    const { next, ...dialog } = await got(one!.dialog_id);
    expect(next).toBeNull();
    const time: unknown = expect.any(Number);
    expect(dialog).toEqual({
      ...{ dialog_id: one!.dialog_id, timestamp: one!.timestamp, user_id: MEMBER, dao_id: dao },
      prompts: [
        { text: '/dao', response_time_ms: time, provider: null, rbac_role: 'member', status: 'success' },
        { text: 'What is it about?', response_time_ms: time, provider: 'fake', rbac_role: 'member', status: 'success' },
        { text: '/code_review x', response_time_ms: time, provider: null, rbac_role: 'member', status: 'refused' },
        { text: '/proposals', response_time_ms: null, provider: null, rbac_role: 'member', status: 'running' },
      ],
      insights: NOTHING,
    });
    expect(DialogSchema.strict().parse(dialog)).toEqual(dialog);
  });

  it('tells of sessions, of failures, and of answers that needed no model', async () => {
    const session = { actor: MEMBER, sessionId: 'web', source: 'api' };
    const first = await answered({ ...session, prompt: 'one' });
    const failed = aRequest({
      daoId: dao,
      ...session,
      prompt: 'two',
      decision: aDecision({ roles: ['admin', 'member'] }),
    });
    await requests.accept(failed);
    await requests.recordEnding(failed.id, dao, anEnding());
    const known = aRequest({ daoId: dao, ...session, prompt: 'three' });
    await requests.accept(known);
    await requests.claim(known.id, dao, aClaim());
    await requests.recordAnswer(known.id, dao, anAnswer({ provider: null, origin: { step: 'database' } }));
    expect(await listed(MEMBER)).toMatchObject([{ dialog_id: first.id, user_id: MEMBER, source: 'api' }]);
    const { prompts } = await got(first.id, MEMBER);
    expect(prompts.toSorted((a, b) => a.text.localeCompare(b.text))).toEqual([
      { text: 'one', response_time_ms: 46, provider: 'fake', rbac_role: 'member', status: 'success' },
      { text: 'three', response_time_ms: 46, provider: 'database', rbac_role: 'member', status: 'success' },
      {
        text: 'two',
        response_time_ms: expect.anything(),
        provider: null,
        rbac_role: 'admin, member',
        status: 'failed',
      },
    ]);
  });

  it('tells what members think of the answers, as far as they were given within the span', async () => {
    const made: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      await said(MEMBER, text, async (chat) => {
        const { id } = await answered({ actor: MEMBER, prompt: text, chat });
        made.push(id);
        return { requestId: id };
      });
    }
    const of = (place: number, actor = MEMBER) => ({ daoId: dao, requestId: made[place]!, actor });
    await feedback.mark(of(0), 'good', 'button');
    await feedback.mark(of(1), 'bad', 'button');
    await feedback.comment(of(1), 'long');
    await feedback.mark(of(2), 'bad', 'button');
    await feedback.comment(of(2), 'Tell the dates, too.');
    const [{ dialog_id: id } = { dialog_id: '' }] = await listed(ADMIN);
    expect((await got(id)).insights).toEqual({
      worked_well: 'Marked good: 1 of 3',
      issues: 'Marked bad: 2 of 3; long (1)',
      suggestions: 'Tell the dates, too.',
    });
    expect((await got(id, ADMIN, { until: new Date('2020-01-01') })).insights).toEqual(NOTHING);
  });

  it('comes in parts, and of a span', async () => {
    for (const text of ['one', 'two', 'three']) await said(MEMBER, text, words(text));
    await said(GUEST, 'four', words('four'));
    const first = await records.list(key(ADMIN), { limit: 1 });
    const second = await records.list(key(ADMIN), { limit: 1, after: first.next! });
    expect([first, second].flatMap(({ dialogs }) => dialogs.map((one) => one.user_id))).toEqual([MEMBER, GUEST]);
    expect(second.next).toBeNull();
    const id = first.dialogs[0]!.dialog_id;
    const part = await got(id, ADMIN, { limit: 2 });
    expect(texts(part)).toEqual(['one', 'two']);
    expect(texts(await got(id, ADMIN, { limit: 2, after: part.next! }))).toEqual(['three']);
    await sql`
      update replies set created_at = '2026-01-01T00:00:00Z'
      where dao_id = ${dao} and inbox_id in (select id from inbox where body ->> 'text' in ('one', 'four'))
    `.execute(fresh.database.all);
    const since = new Date('2026-06-01');
    expect(texts(await got(id, ADMIN, { since }))).toEqual(['two', 'three']);
    expect(texts(await got(id, ADMIN, { until: since }))).toEqual(['one']);
    expect((await listed(ADMIN, { since })).map((one) => one.user_id)).toEqual([MEMBER]);
    expect((await listed(ADMIN, { source: 'telegram' })).length).toBe(2);
    expect(await listed(ADMIN, { source: 'discord' })).toEqual([]);
  });

  it('shows one’s own to oneself, all of a DAO to its admins, and nothing to anybody else', async () => {
    await said(MEMBER, 'mine', words('yours'));
    await said(GUEST, '/help', words('help'));
    await said(MEMBER, 'to all', words('to you'), { kind: 'group' });
    const all = await listed(ADMIN);
    expect(all.map((one) => one.user_id)).toEqual([MEMBER, GUEST, null]);
    expect(await listed(MEMBER)).toEqual([all[0]]);
    expect(await listed(GUEST)).toEqual([all[1]]);
    expect(texts(await got(all[0]!.dialog_id, MEMBER))).toEqual(['mine']);
    expect((await got(all[1]!.dialog_id, GUEST)).prompts[0]).toMatchObject({ rbac_role: 'guest' });
    const notFound = { code: 'DIALOG_NOT_FOUND' };
    for (const { dialog_id: id } of all.slice(1)) await expect(got(id, MEMBER)).rejects.toMatchObject(notFound);
    // A key that takes from an admin what makes one.
    const narrow = { ...key(ADMIN), scopes: ['chat.read' as const] };
    expect((await records.list(narrow, { limit: 50 })).dialogs).toEqual([]);
    const mute = { ...key(GUEST), scopes: ['proposal.vote' as const] };
    await expect(records.list(mute, { limit: 50 })).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    await expect(records.get(mute, all[1]!.dialog_id, { limit: 50 })).rejects.toMatchObject(notFound);
  });

  it('shows another DAO nothing, though the chat has a dialog with it, too', async () => {
    await said(MEMBER, 'ours', words('answer'));
    const [{ dialog_id: id } = { dialog_id: '' }] = await listed(ADMIN);
    const first = dao;
    dao = `beside-${first}`;
    await createDao(fresh.database, { id: dao });
    await said(MEMBER, 'theirs', words('answer'));
    const [own] = await listed(ADMIN);
    expect(own?.dialog_id).not.toBe(id);
    expect(texts(await got(own!.dialog_id))).toEqual(['theirs']);
    for (const one of [ADMIN, MEMBER]) await expect(got(id, one)).rejects.toMatchObject({ code: 'DIALOG_NOT_FOUND' });
    expect(texts(await records.get(key(ADMIN, first), id, { limit: 50 }))).toEqual(['ours']);
  });

  it('forgets with a person what they wrote: their chats and sessions, and their part of those of groups', async () => {
    await said(GUEST, '/help', words('help'));
    await said(GUEST, 'mine', words('yours'), { kind: 'group' });
    await said(MEMBER, 'not mine', words('yours'), { kind: 'group' });
    await answered({ actor: GUEST, sessionId: 'web', prompt: 'in a session' });
    expect(await listed(ADMIN)).toHaveLength(3);
    await people.forgetting.forgetMe(key(GUEST), dao, {});
    const [left, ...more] = await listed(ADMIN);
    expect(more).toEqual([]);
    expect(texts(await got(left!.dialog_id))).toEqual(['not mine']);
    await people.forgetting.forgetMe(key(MEMBER), dao, {});
    expect(await listed(ADMIN)).toEqual([]);
  });
});

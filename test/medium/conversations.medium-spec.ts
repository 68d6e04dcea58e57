import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loadIntents } from '../../config/intents.js';
import { loadDefaultRoles } from '../../config/seed.js';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import { conversationRepositories } from '../../src/adapters/store/conversation-repositories.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { OffersRepository } from '../../src/adapters/store/offers.repository.js';
import { PendingRepository } from '../../src/adapters/store/pending.repository.js';
import { NewsViewsRepository } from '../../src/adapters/store/news-views.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { RolesRepository } from '../../src/adapters/store/roles.repository.js';
import { ShownAnswersRepository } from '../../src/adapters/store/shown-answers.repository.js';
import type { Inbound, InboundBody, OpenUpdate, ReplyContent } from '../../src/contracts/dialog.js';
import { languageFor } from '../../src/domain/dialog/language.js';
import type { Accepted } from '../../src/services/accepted.js';
import { ChangesService } from '../../src/services/changes.service.js';
import type { CrewRunsService } from '../../src/services/crew-runs.service.js';
import { tagOf } from '../../src/services/dialogs/tags.js';
import { talkingOf, type Talking } from '../../src/services/dialogs/talking.js';
import type { GatePresses } from '../../src/services/news/gate-presses.js';
import type { PreferencesService } from '../../src/services/news/preferences.service.js';
import type { InvitationsService } from '../../src/services/invitations.service.js';
import type { RequestsService } from '../../src/services/requests.service.js';
import type { SubmissionsService } from '../../src/services/submissions.service.js';
import { createDao } from '../factories/access.js';
import { pressesIn } from '../factories/conversation.js';
import { Assembly } from '../factories/proposals.js';
import { aClaim, anAnswer, aRequest } from '../factories/requests.js';
import { strict } from '../factories/strict.js';
import { DATABASES, type Fresh } from './databases.js';

const MEMBER = 'tg:12345';
const ADMIN = 'tg:1';

describe.each(DATABASES)('conversations on %s', (_name, open) => {
  let fresh: Fresh;
  let dao: string;
  let chatId: string;
  let count = 0;
  let order = 1_000;
  let talking: Talking;
  let inbox: InboxRepository;
  let replies: RepliesRepository;
  let requests: RequestsRepository;
  const submit = jest.fn<SubmissionsService['submit']>();
  const visible = jest.fn<RequestsService['visible']>();

  beforeAll(async () => {
    fresh = await open();
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    count += 1;
    [dao, chatId] = [`dao-${count}`, `${12_345_000 + count}`];
    const { database } = fresh;
    await createDao(database, { id: dao, name: `DAO ${count}` });
    const { access, proposals, votes, audit } = new Assembly(database, dao);
    inbox = new InboxRepository(database);
    replies = new RepliesRepository(database);
    requests = new RequestsRepository(database);
    submit.mockReset();
    visible.mockReset();
    visible.mockImplementation(async (_key, id) => (await requests.find(id, dao))!);
    talking = talkingOf({
      repositories: {
        ...{ inbox, chats: new ChatsRepository(database), daos: new DaosRepository(database) },
        ...{ roles: new RolesRepository(database), newsViews: new NewsViewsRepository(database) },
        ...conversationRepositories(database),
      },
      ...{ access, proposals, votes, wording: loadIntents() },
      changes: new ChangesService(access, audit, loadDefaultRoles().admin ?? []),
      submissions: strict<SubmissionsService>('submissions', { submit }),
      requests: strict<RequestsService>('requests', { visible }),
      runs: strict<CrewRunsService>('runs', { asked: () => Promise.resolve([]) }),
      invitations: strict<InvitationsService>('invitations', {}),
      gates: strict<GatePresses>('gates', {}),
      preferences: strict<PreferencesService>('preferences', { zoneOf: () => Promise.resolve('Europe/Kyiv') }),
      rules: ({ actor }) => Promise.resolve(actor !== 'tg:90'),
    });
  });

  /** Something that came in, taken up. */
  async function taken(body: InboundBody, part: Partial<Inbound> = {}): Promise<OpenUpdate> {
    order += 1;
    const lane = body.kind === 'message' ? 'turn' : 'act';
    const place = { source: 'tg' as const, chat: chatId, topic: null, kind: 'private' as const };
    const update: Inbound = {
      ...{ updateKey: `tg:1:${order}`, place, space: null, actor: MEMBER, language: 'en', lane, order },
      ...{ messageId: String(order), body, ...part },
    };
    await inbox.accept(update);
    const next = await inbox.next({ ...update.place, topic: '' }, lane, dao);
    if (!next) throw new Error('nothing came in');
    return next;
  }

  /** Takes up what is next, answers it, and writes down what was shown. */
  async function answer(update: OpenUpdate): Promise<ReplyContent | undefined> {
    const text = update.body.kind === 'message' ? update.body.text : '';
    const language = languageFor(text, update.language, update.speaks);
    const daoId = update.daoId ?? '';
    const opened = await talking.conversation.open({ update, daoId, language, text });
    if (!opened) return undefined;
    const made = 'content' in opened ? { content: opened.content } : { requestId: opened.accepted.requestId };
    const begun = await replies.begin(update, daoId, made);
    const writer = { id: begun.id, daoId, chat: update.chat, generation: begun.generation };
    order += 1;
    await replies.put(writer, { n: 0, state: 'sent', messageId: String(order), shown: null });
    await replies.finish(writer);
    return 'content' in opened ? opened.content : undefined;
  }
  const says = async (text: string, part: Partial<Inbound> = {}) =>
    answer(await taken({ kind: 'message', text }, part));
  async function presses(data: string, part: Partial<Inbound> = {}) {
    const update = await taken({ kind: 'button', press: 'p', data }, part);
    const pressed = await talking.presses.press(update, data);
    await inbox.finish(update.id);
    return pressed;
  }
  const next = async () => inbox.next({ source: 'tg', chat: chatId, topic: '' }, 'turn', dao);

  /** A question that was answered, as a turn of the chat. */
  async function asked(text: string, actor = MEMBER): Promise<{ id: string; shown: string }> {
    submit.mockImplementationOnce(async (_key, body, { requestId }) => {
      await requests.accept(aRequest({ id: requestId, daoId: dao, actor, chat: body.chat, prompt: body.prompt }));
      return { requestId } as Accepted;
    });
    await says(text, { actor });
    const id = submit.mock.lastCall?.[2].requestId ?? '';
    const { generation } = (await requests.claim(id, dao, aClaim()))!.record;
    await requests.recordAnswer(id, dao, anAnswer({ text: 'Yes.', generation }));
    return { id, shown: String(order) };
  }

  it('should draft a proposal step by step, open it and count a vote', async () => {
    expect((await says('/propose'))?.body.text).toMatch(/What is the title/);
    expect((await says('A cold frame'))?.body.text).toMatch(/“A cold frame”: good/);
    const draft = await says('Seedlings freeze in March.');
    expect(draft?.body.text).toContain('1. A cold frame\ndraft');
    const [[open = ''] = []] = pressesIn(draft);
    expect((await presses(open, { actor: ADMIN })).told).toMatch(/Only the author/);
    expect((await presses(open)).told).toBe('Voting on proposal 1 is open.');
    const shown = await says('проголосувати за 1');
    expect(shown?.body.text).toMatch(/Ви ще не голосували\.$/);
    const [[yes = ''] = []] = pressesIn(shown);
    const pressed = await presses(yes);
    expect(pressed.told).toMatch(/Your vote counts: Yes/);
    expect(pressed.shows?.body.text).toMatch(/Yes 1 · No 0 · Abstain 0[^]*Your vote: Yes$/);
    expect((await says('/proposals'))?.body.text).toContain('1. A cold frame — voting is open');
    expect(submit).not.toHaveBeenCalled();
  });

  it('should do the same when a message is taken up again as when it was taken up first', async () => {
    await says('/propose');
    await says('A cold frame');
    const update = await taken({ kind: 'message', text: 'Buy one.' });
    await talking.conversation.open({ update, daoId: dao, language: 'en', text: 'Buy one.' });
    const again = await next();
    expect(again).toMatchObject({ id: update.id, isAgain: true });
    expect((await answer(again!))?.body.text).toContain('1. A cold frame');
    expect((await says('/proposals'))?.body.text).not.toContain('2. ');
  });

  it('should wait for an answer for a while, and for one that is no command', async () => {
    await says('/propose');
    await says('/help');
    submit.mockResolvedValue({ requestId: 'r' } as Accepted);
    expect(await says('A cold frame')).toBeUndefined();
    await says('/propose');
    await fresh.database
      .of(dao)
      .updateTable('pending')
      .set({ expires_at: new Date(0) })
      .execute();
    await says('A cold frame');
    expect(submit).toHaveBeenCalledTimes(2);
    await says('/propose');
    // Somebody else is asked nothing.
    await says('A cold frame', { actor: ADMIN });
    expect(submit).toHaveBeenCalledTimes(3);
  });

  it('should take a reply to a question after something else was said, until its time is over or it was dropped', async () => {
    const reply = (text: string, replyTo: string) =>
      taken({ kind: 'message', text, replyTo }).then((update) => answer(update));
    await says('/propose');
    const asked = String(order);
    await says('/help');
    await says('/propose Bees');
    const about = String(order);
    expect((await reply('A cold frame', asked))?.body.text).toMatch(/“A cold frame”: good/);
    expect((await reply('Two hives.', about))?.body.text).toContain('1. Bees');
    await says('/propose Wasps');
    const dropped = String(order);
    expect((await presses('drop:question')).told).toBe('All right, never mind.');
    expect((await reply('None.', dropped))?.body.text).toMatch(/^That question is over/);
    expect(submit).not.toHaveBeenCalled();
    submit.mockResolvedValue({ requestId: 'r' } as Accepted);
    // What was answered is answered; a reply to it is something new.
    expect(await reply('And more?', about)).toBeUndefined();
    expect(submit).toHaveBeenCalledTimes(1);
  });

  it('should begin what was offered once, for whoever it was offered to', async () => {
    await says('/propose A cold frame\nBuy one.');
    const offer = await says('review my proposal 1');
    expect(offer?.body.text).toMatch(/Shall I begin: a review of the proposal \(1\. A cold frame\)/);
    const [[yes = '', , ask = ''] = []] = pressesIn(offer);
    expect((await presses(yes, { actor: ADMIN })).told).toMatch(/somebody else/);
    expect(await presses(yes)).toMatchObject({ told: 'All right, I begin.', wakesTurns: true });
    expect((await presses(yes)).told).toBe('This was done already.');
    expect((await presses(ask)).told).toBe('This was done already.');
    const turn = await next();
    expect(turn).toMatchObject({ actor: MEMBER, daoId: dao, body: { kind: 'message', text: '/review 1' } });
    submit.mockImplementationOnce(async (_key, body, { requestId }) => {
      await requests.accept(aRequest({ id: requestId, daoId: dao, actor: MEMBER, mode: 'crew', chat: body.chat }));
      return { requestId } as Accepted;
    });
    const begun = await answer(turn!);
    const runId = submit.mock.lastCall?.[2].requestId;
    expect(pressesIn(begun)).toEqual([[`stop:${runId}`]]);
    const rows = fresh.database.of(dao).selectFrom('run_chats').selectAll();
    expect(await rows.execute()).toMatchObject([{ run_id: runId, chat: turn?.chat, actor: MEMBER, language: 'en' }]);
    expect((await says('/status'))?.body.text).toContain('At work for you:');
  });

  it('should not keep what was offered and is over', async () => {
    await says('/propose A cold frame\nBuy one.');
    const [[yes = ''] = []] = pressesIn(await says('review my proposal 1'));
    await fresh.database
      .of(dao)
      .updateTable('offers')
      .set({ expires_at: new Date(0) })
      .execute();
    expect((await presses(yes)).told).toBe('This button does not work any more.');
    await says('review my proposal 1');
    const left = fresh.database.of(dao).selectFrom('offers').select('taken_at');
    expect(await left.execute()).toEqual([{ taken_at: null }]);
  });

  it('should ask the model where that was wanted, with the words as they were', async () => {
    await says('/propose A cold frame\nBuy one.');
    const [[, , ask = ''] = []] = pressesIn(await says('review my proposal 1'));
    await presses(ask);
    submit.mockResolvedValue({ requestId: 'r' } as Accepted);
    await answer((await next())!);
    expect(submit.mock.lastCall?.[1]).toMatchObject({ mode: 'chat', prompt: 'review my proposal 1' });
  });

  it('should keep one opinion of an answer for each person, and what was wrong with it', async () => {
    const { id, shown } = await asked('How are you?');
    const marks = () => fresh.database.of(dao).selectFrom('feedback').select(['actor', 'mark', 'way', 'comment']);
    expect(await presses(`good:${id}`)).toEqual({ told: 'Thank you, glad to hear it!', says: undefined });
    expect(await marks().execute()).toEqual([{ actor: MEMBER, mark: 'good', way: 'button', comment: null }]);
    const bad = await presses(`bad:${id}`);
    expect(bad.says?.body.text).toMatch(/What was wrong/);
    expect((await presses(`bad:${id}`)).says).toBeUndefined();
    const words = await says('The price is wrong.');
    expect(words?.body.text).toMatch(/^Thank you/);
    await presses(`wrong:${id}:facts`, { actor: ADMIN });
    expect(await marks().execute()).toEqual([
      { actor: MEMBER, mark: 'bad', way: 'button', comment: 'The price is wrong.' },
    ]);
    const reaction = await taken({ kind: 'reaction', marks: ['👍'] }, { messageId: shown });
    expect(await talking.presses.react(reaction, ['👍'])).toBeUndefined();
    expect(await marks().execute()).toEqual([{ actor: MEMBER, mark: 'good', way: 'reaction', comment: null }]);
    expect(await talking.presses.react(reaction, [])).toBeUndefined();
    expect(await marks().execute()).toEqual([]);
  });

  it('should take opinions of turns of the same chat alone', async () => {
    const { id } = await asked('How are you?');
    const place = { source: 'tg' as const, chat: `other ${chatId}`, topic: null, kind: 'private' as const };
    const update = await taken({ kind: 'button', press: 'p', data: '' }, { place, actor: ADMIN });
    expect((await talking.presses.press(update, `good:${id}`)).told).toMatch(/not of this chat/);
    expect((await presses('good:no-such-request')).told).toMatch(/not of this chat/);
  });

  it('should tell why of the last answer, of the one that is replied to, and of a refusal', async () => {
    expect((await says('/why'))?.body.text).toMatch(/not answered you/);
    const first = await asked('How are you?');
    const second = await asked('And who?', ADMIN);
    await says('/why');
    await answer(await taken({ kind: 'message', text: '/cost', replyTo: second.shown }));
    expect(visible.mock.calls.map(([, id]) => id)).toEqual([first.id, second.id]);
    expect((await says('/propose X', { actor: 'tg:guest' }))?.refused).toMatchObject({ lacks: 'proposal.create' });
    const why = await says('/why', { actor: 'tg:guest' });
    expect(why?.body.text).toMatch(/You were refused:[^]*admin, contributor, member[^]*\/onboard/);
    const began = performance.now();
    await says('/cost');
    expect(performance.now() - began).toBeLessThan(200);
  });

  it('should speak the language that was chosen, and be about the DAO that was chosen', async () => {
    await says('/language uk');
    expect((await says('/dao'))?.body.text).toContain('Що про неї відомо');
    const other = `other-${count}`;
    await createDao(fresh.database, { id: other, name: 'Bees', members: { 'tg:77': ['member'] } });
    expect((await says('/dao bees', { actor: 'tg:77' }))?.body.text).toMatch(/цей чат — про DAO «Bees»/);
    expect((await taken({ kind: 'message', text: 'x' })).daoId).toBe(other);
  });

  it('should give a group to the DAO of an admin, once, and everything that is said there', async () => {
    const group = {
      place: { source: 'tg' as const, chat: `-100${count}`, topic: null, kind: 'group' as const },
      space: `-100${count}`,
    };
    const other = `group-${count}`;
    await createDao(fresh.database, {
      id: other,
      name: 'Bees',
      members: { 'tg:88': ['admin'], 'tg:89': ['member'], 'tg:90': ['admin'] },
    });
    expect((await says(`/link ${other}`, { ...group, actor: 'tg:89' }))?.refused?.lacks).toBe('config.update');
    expect((await says('/link', { ...group, actor: 'tg:90' }))?.body.text).toMatch(
      /Only an administrator of this group/,
    );
    expect((await says('/link', { ...group, actor: 'tg:88' }))?.body.text).toMatch(/belongs to Bees from now on/);
    expect((await says('/link', { ...group, actor: 'tg:88' }))?.body.text).toMatch(/belongs to Bees already/);
    const update = await taken({ kind: 'message', text: `/link ${dao}` }, { ...group, actor: ADMIN });
    expect(update.daoId).toBe(other);
    expect((await answer(update))?.body.text).toMatch(/belongs to another DAO/);
    const record = fresh.database.of(other).selectFrom('audit').where('action', '=', 'space.link').select('subject');
    expect(await record.execute()).toEqual([{ subject: `tg:-100${count}` }]);
    expect((await says('/link off', { ...group, actor: 'tg:88' }))?.body.text).toMatch(/not belong to Bees any more/);
  });

  it('should have a press say something once, behind what was said before', async () => {
    const first = await taken({ kind: 'message', text: 'first' });
    const press = await taken({ kind: 'button', press: 'p', data: `say:help.${tagOf(dao)}` });
    for (let time = 0; time < 2; time += 1) await talking.presses.press(press, `say:help.${tagOf(dao)}`);
    expect(await next()).toMatchObject({ id: first.id, isMore: true });
    await inbox.finish(first.id);
    const said = await next();
    expect(said).toMatchObject({ body: { text: '/help' }, isMore: false });
    await inbox.reword(said!, dao, '/start');
    expect(await next()).toMatchObject({ body: { kind: 'message', text: '/start' } });
  });

  it('should be seen from no other DAO', async () => {
    const { id } = await asked('How are you?');
    await presses(`bad:${id}`);
    await says('/propose A cold frame\nBuy one.');
    await says('review my proposal 1');
    const other = `blind-${count}`;
    await createDao(fresh.database, { id: other });
    const answers = new ShownAnswersRepository(fresh.database);
    const update = await taken({ kind: 'message', text: 'x' });
    expect(await answers.isTurnOf(dao, update.chat, id)).toBe(true);
    expect(await answers.isTurnOf(other, update.chat, id)).toBe(false);
    expect(await answers.lastTo(update, other)).toBeUndefined();
    expect(await new PendingRepository(fresh.database).take(update, other)).toBeUndefined();
    const press = { ...update, id: 'press' };
    const offers = new OffersRepository(fresh.database);
    const [offer] = await fresh.database.of(dao).selectFrom('offers').select('id').execute();
    expect(await offers.take(offer?.id ?? '', press, other)).toEqual({ problem: 'gone' });
    expect(await fresh.database.of(other).selectFrom('chats').selectAll().execute()).toEqual([]);
    expect(await fresh.database.of(dao).selectFrom('chats').select('chat_id').execute()).toEqual([{ chat_id: chatId }]);
    for (const table of ['offers', 'pending', 'feedback', 'run_chats'] as const) {
      expect([table, await fresh.database.of(other).selectFrom(table).selectAll().execute()]).toEqual([table, []]);
    }
  });
});

import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { InteractionTokens } from '../../src/adapters/discord/interaction-tokens.js';
import { TokenSeal } from '../../src/adapters/discord/token-seal.js';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import type { Database } from '../../src/adapters/store/database.js';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { InteractionsRepository } from '../../src/adapters/store/interactions.repository.js';
import { linkIdentity } from '../../src/adapters/store/members.repository.js';
import { Acceptance } from '../../src/bots/discord/acceptance.js';
import { DiscordIntake } from '../../src/bots/discord/intake.js';
import type { Entitlement } from '../../src/contracts/access.js';
import type { ChatAddress } from '../../src/contracts/dialog.js';
import { AppError } from '../../src/errors/app-error.js';
import { createApi, type ApiServices } from '../../src/main.js';
import type { AccessService } from '../../src/services/access.service.js';
import { DialogsService } from '../../src/services/dialogs/dialogs.service.js';
import { SuggestionsService } from '../../src/services/dialogs/suggestions.service.js';
import type { ProposalsService } from '../../src/services/proposals.service.js';
import { aDao, createDao } from '../factories/access.js';
import { FakeDiscord } from '../fakes/discord/fake-discord.js';
import { SPOILS, type Sent } from '../fakes/discord/sender.js';
import { openCopy } from '../support/embedded-database.js';
import { until } from '../support/until.js';

const DAO = aDao().id;
const GUILD = '500';
const EPHEMERAL = 64;

/** What this door does not lead to. */
const absent = {
  ...{ access: {}, audit: {}, auditHeads: {}, config: {}, providers: {}, routing: {}, usage: {}, whatIf: {} },
  ...{ crewing: { crews: {}, runs: {} }, people: {}, rights: {}, voting: {}, health: {}, keys: {} },
} as unknown as ApiServices;

const log = pino({ level: 'silent' });

describe('POST /discord/interactions', () => {
  let fake: FakeDiscord;
  let app: NestFastifyApplication;
  let database: Database;
  let url: string;
  let channels = 900;
  /** Chats that were woken. */
  let woken: ChatAddress[] = [];
  /** What waking a chat comes to. */
  let wake: () => Promise<void>;
  let defaultDao: string | undefined;
  let mostWaiting: number;
  let rights: Entitlement[];
  let asked: unknown[];

  beforeAll(async () => {
    database = await openCopy('migrated');
    await createDao(database);
    fake = await FakeDiscord.start();
    const clock = {
      pokeDialog: async (address: ChatAddress) => {
        await wake();
        woken.push(address);
      },
    };
    const dialogs = new DialogsService(new InboxRepository(database), clock, () => mostWaiting, log);
    const tokens = new InteractionTokens(new InteractionsRepository(database), new TokenSeal('secret'));
    const acceptance = new Acceptance(dialogs, tokens, log);
    const access = {
      resolve: (_key: unknown, named: unknown) => {
        asked.push(named);
        return Promise.resolve({ rights: { entitlements: rights } });
      },
    } as unknown as AccessService;
    const items = [12, 11, 2, 1].map((n) => ({ n, title: n === 2 ? `Solar ${'x'.repeat(200)}` : `Title ${n}` }));
    const proposals = { page: () => Promise.resolve({ items, next: null }) } as unknown as ProposalsService;
    const chats = new ChatsRepository(database);
    const suggestions = new SuggestionsService({ chats, access, proposals, defaultDao: () => defaultDao });
    const intake = new DiscordIntake(acceptance, suggestions, log);
    const discord = { intake, acceptance, tokens, publicKey: fake.publicKey };
    const doors = { telegram: undefined, discord } as unknown as ApiServices['dialogs'];
    app = await createApi({ ...absent, dialogs: doors, log });
    await app.listen(0, '127.0.0.1');
    url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}/discord/interactions`;
    await fake.stage.set({ interactionsUrl: url });
    reset();
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
    await database.close();
  });
  afterEach(async () => {
    await fake.stage.reset();
    reset();
  });

  function reset(): void {
    woken = [];
    asked = [];
    rights = ['chat.read'];
    defaultDao = DAO;
    mostWaiting = 50;
    wake = () => Promise.resolve();
  }

  const inGuild = (locale = 'en-US') =>
    fake.stage.person('7', { channel: String((channels += 1)), guild: GUILD, locale });
  const inDirect = () => fake.stage.person('8', { channel: String((channels += 1)), locale: 'uk' });
  const rowOf = ({ id }: Sent) =>
    database.all
      .selectFrom('inbox')
      .innerJoin('chats', 'chats.id', 'inbox.chat')
      .where('update_key', '=', `dc:${id}`)
      .select([
        'state',
        'actor',
        'lane',
        'body',
        'place',
        'message_id',
        'chats.kind',
        'chats.space_id',
        'chats.user_id',
        'language',
      ])
      .executeTakeFirst();
  const raw = (body: string, headers: Record<string, string>) => fetch(url, { method: 'POST', body, headers });

  it('Discord case 1: answers a PING', async () => {
    const sent = await inGuild().send({ type: 1 });
    expect(sent).toMatchObject({ status: 200, body: { type: 1 }, problems: [] });
    expect(sent.contentType).toMatch(/^application\/json/);
  });

  it.each(SPOILS)('Discord case 2: refuses a signature that is spoilt: %s', async (spoilt) => {
    const sent = await inGuild().command('ask', { text: 'x' }, { spoilt });
    expect(sent.status).toBe(401);
    expect(await rowOf(sent)).toBeUndefined();
  });

  it('Discord case 2: takes a signature in capitals', async () => {
    expect(await inGuild().command('ask', { text: 'x' }, { isUpperCase: true })).toMatchObject({ status: 200 });
  });

  it.each([360_000, -360_000])('refuses what was signed at another time: %d ms ago', async (agedMs) => {
    expect(await inGuild().command('ask', { text: 'x' }, { agedMs })).toMatchObject({ status: 401 });
  });

  it('refuses, of what is not signed, all without reading it: no JSON, another kind of body, no body', async () => {
    const stamp = {
      'x-signature-ed25519': 'ab'.repeat(64),
      'x-signature-timestamp': `${Math.floor(Date.now() / 1_000)}`,
    };
    const json = { 'content-type': 'application/json' };
    const statuses = [
      await raw('{', { ...json, ...stamp }),
      await raw('<x/>', { 'content-type': 'text/xml', ...stamp }),
      await raw('', { ...json, ...stamp }),
      await raw('{}', json),
      await raw(`"${'x'.repeat(300_000)}"`, { ...json, ...stamp }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401, 401, 413]);
  });

  it('Discord case 3: knows a signature over bytes that no serialiser would write', async () => {
    const sent = await inGuild().command('ask', { text: 'Привіт, «світе» 🌻\u2028 \\u0041' }, { isSpaced: true });
    expect(sent).toMatchObject({ status: 200, body: { type: 5 }, problems: [] });
    expect(await rowOf(sent)).toMatchObject({ body: { text: 'Привіт, «світе» 🌻\u2028 \\u0041' } });
  });

  it('Discord case 5: takes the same interaction in once', async () => {
    const person = inGuild();
    const sent = await person.command('ask', { text: 'once' });
    const again = await person.again(sent.id);
    expect([sent.body, again.body]).toEqual([{ type: 5 }, { type: 5 }]);
    const rows = await database.all
      .selectFrom('inbox')
      .select('id')
      .where('update_key', '=', `dc:${sent.id}`)
      .execute();
    expect(rows).toHaveLength(1);
    await database.all.updateTable('inbox').set({ state: 'done' }).where('update_key', '=', `dc:${sent.id}`).execute();
    woken = [];
    await person.again(sent.id);
    expect(woken).toEqual([]);
  });

  it('tells whoever asks where too much waits: once in the chat, and then at once', async () => {
    mostWaiting = 1;
    const person = inGuild();
    const sent: Sent[] = [];
    for (const text of ['first', 'beyond', 'again']) sent.push(await person.command('ask', { text }));
    const [first, beyond, again] = await Promise.all(sent.map(rowOf));
    expect(first).toMatchObject({ state: 'waiting', lane: 'turn' });
    expect(beyond).toMatchObject({ state: 'waiting', lane: 'act', body: { isBeyond: true, text: 'beyond' } });
    expect(again).toMatchObject({ state: 'dropped', lane: 'turn', body: { isBeyond: true } });
    expect(sent.map(({ body }) => (body as { type: number }).type)).toEqual([5, 5, 4]);
    expect(JSON.stringify(sent[2]?.body)).toContain('waiting here');
    expect(woken).toHaveLength(2);
    expect(await person.command('stop')).toMatchObject({ body: { type: 4 } });
  });

  it.each([
    ['help', EPHEMERAL],
    ['role', EPHEMERAL],
    ['why', EPHEMERAL],
    ['cost', EPHEMERAL],
    ['status', EPHEMERAL],
    ['language', EPHEMERAL],
    ['link', EPHEMERAL],
    ['proposals', undefined],
    ['dao', undefined],
  ])('Discord case 9: defers /%s, for one person alone where that is so', async (name, flags) => {
    const sent = await inGuild().command(name);
    expect(sent.problems).toEqual([]);
    expect(sent.body).toEqual({ type: 5, ...(flags !== undefined && { data: { flags } }) });
    const kept = await database.all
      .selectFrom('interactions')
      .select('is_private')
      .where('update_key', '=', `dc:${sent.id}`)
      .executeTakeFirst();
    expect(kept?.is_private).toBe(flags !== undefined);
  });

  it('Discord case 10: knows who somebody is, in a guild and in a direct message', async () => {
    const guild = await inGuild('uk').command('review', { n: 12 });
    expect(await rowOf(guild)).toMatchObject({
      ...{ actor: 'dc:7', kind: 'group', space_id: GUILD, user_id: null, language: 'uk', lane: 'turn' },
      ...{ place: guild.id, message_id: guild.id, body: { kind: 'message', text: '/review 12', name: 'Person 7' } },
    });
    const direct = await inDirect().command('ask', { text: ' What? ' });
    expect(await rowOf(direct)).toMatchObject({
      ...{ actor: 'dc:8', kind: 'private', space_id: null, user_id: 'dc:8', body: { text: 'What?' } },
    });
    expect(woken).toHaveLength(2);
  });

  it('Discord case 10: refuses politely where no DAO is, until one is linked', async () => {
    defaultDao = undefined;
    const refused = await inGuild('uk').command('ask', { text: 'x' });
    expect(refused).toMatchObject({ problems: [], body: { type: 4, data: { flags: EPHEMERAL } } });
    expect(JSON.stringify(refused.body)).toContain('жодного DAO');
    expect(await rowOf(refused)).toBeUndefined();
    await database.all
      .insertInto('spaces')
      .values({ source: 'dc', space_id: GUILD, dao_id: DAO, linked_by: 'dc:1' })
      .execute();
    expect(await inGuild().command('ask', { text: 'x' })).toMatchObject({ body: { type: 5 } });
    await database.all.deleteFrom('spaces').execute();
  });

  it('Discord case 10: takes in, where no DAO is, what links one, of members; and what they write to it alone', async () => {
    defaultDao = undefined;
    const answered = async (sent: Promise<Sent>): Promise<{ isTaken: boolean; dao: string | null | undefined }> => {
      const { id, body, problems } = await sent;
      expect(problems).toEqual([]);
      const row = await database.all
        .selectFrom('inbox')
        .innerJoin('chats', 'chats.id', 'inbox.chat')
        .where('update_key', '=', `dc:${id}`)
        .select(['chats.chat_id'])
        .executeTakeFirst();
      // Of which DAO it is, is decided when it is its turn.
      const address = row && { source: 'dc' as const, chat: row.chat_id, topic: '' };
      const next = address && (await new InboxRepository(database).next(address, 'turn', undefined));
      return { isTaken: (body as { type: number }).type === 5, dao: next?.daoId };
    };
    const [taken, refused] = [
      { isTaken: true, dao: DAO },
      { isTaken: false, dao: undefined },
    ];
    const link = () => answered(inGuild().command('link', { dao: DAO }));
    const ask = () => answered(inDirect().command('ask', { text: 'x' }));
    expect([await link(), await ask()]).toEqual([refused, refused]);
    const { id: member } = await database.of(DAO).selectFrom('members').select('id').executeTakeFirstOrThrow();
    for (const user of ['dc:7', 'dc:8']) await linkIdentity(database.of(DAO), DAO, member, user);
    expect([await link(), await ask()]).toEqual([taken, taken]);
    expect(await answered(inGuild().command('ask', { text: '/linked' }))).toEqual(refused);
    const typed = await inDirect().types('review', 'n', '1');
    expect(JSON.stringify(typed.body)).toContain('Title 12');
    await database.all.deleteFrom('identities').where('user_id', 'like', 'dc:%').execute();
  });

  it('answers nobody in a channel between other people', async () => {
    const sent = await inDirect().command('ask', { text: 'x' }, { context: 2 });
    expect(sent).toMatchObject({ problems: [], body: { type: 4, data: { flags: EPHEMERAL } } });
    expect(await rowOf(sent)).toBeUndefined();
  });

  it('Discord case 11: tells of a command that there is not, and refuses what is no interaction', async () => {
    const unknown = await inGuild().command('dance');
    expect(unknown).toMatchObject({ status: 200, problems: [], body: { type: 4, data: { flags: EPHEMERAL } } });
    for (const sending of [
      { type: 99 },
      { type: 2 },
      { type: 3, data: { custom_id: 'x' } },
      { type: 5, data: { custom_id: 7 } },
    ]) {
      expect(await inGuild().send(sending)).toMatchObject({ status: 400, body: { error: { code: 'BODY_INVALID' } } });
    }
    const form = await inGuild().submit('another', { title: 'x', text: 'y' });
    expect(form).toMatchObject({ status: 200, problems: [], body: { type: 4 } });
  });

  it('shows a form where a proposal is not written yet, and takes in what it says', async () => {
    const person = inGuild('uk');
    const form = await person.command('propose');
    expect(form).toMatchObject({
      problems: [],
      body: { type: 9, data: { custom_id: 'propose', title: 'Нова пропозиція' } },
    });
    expect(await rowOf(form)).toBeUndefined();
    const sent = await person.submit('propose', { title: ' Solar\npanels ', text: 'On the roof.\nAll of it.' });
    expect(sent).toMatchObject({ problems: [], body: { type: 5 } });
    expect(await rowOf(sent)).toMatchObject({ body: { text: '/propose Solar panels\nOn the roof.\nAll of it.' } });
    const written = await person.command('propose', { text: 'Solar panels\non the roof' });
    expect(await rowOf(written)).toMatchObject({ body: { text: '/propose Solar panels\non the roof' } });
  });

  it('takes in presses and /stop at once, beside what is being answered', async () => {
    const press = await inGuild().press('12345', 'good:r1');
    expect(press).toMatchObject({ problems: [], body: { type: 6 } });
    expect(await rowOf(press)).toMatchObject({
      ...{ lane: 'act', message_id: '12345', body: { kind: 'button', press: press.id, data: 'good:r1' } },
    });
    const stop = await inGuild().command('stop');
    expect(stop).toMatchObject({ problems: [], body: { type: 4, data: { flags: EPHEMERAL } } });
    expect(await rowOf(stop)).toMatchObject({ lane: 'act', place: stop.id, body: { text: '/stop' } });
  });

  it('suggests proposals of the DAO to those who may read them', async () => {
    const typed = async (text: string) =>
      ((await inGuild().types('review', 'n', text)).body as { data: { choices: { name: string; value: number }[] } })
        .data.choices;
    expect((await typed('1')).map(({ value }) => value)).toEqual([12, 11, 1]);
    const [solar] = await typed('SOLAR');
    expect([solar?.value, solar?.name.length]).toEqual([2, 100]);
    expect(asked.at(-1)).toEqual({ daoId: DAO, userId: 'dc:7' });
    rights = [];
    expect(await typed('1')).toEqual([]);
    expect(await fake.stage.violations()).toEqual([]);
  });

  it('tells a person when nothing was accepted, and does it never', async () => {
    wake = () => Promise.reject(new AppError('TEMPORAL_UNAVAILABLE'));
    const sent = await inGuild().command('ask', { text: 'x' });
    expect(sent).toMatchObject({ problems: [], body: { type: 4, data: { flags: EPHEMERAL } } });
    expect(JSON.stringify(sent.body)).toContain('not accepted');
    expect(await rowOf(sent)).toMatchObject({ state: 'dropped' });
  });

  it('tells a person in time when it takes too long, and does it never, even if it is written down later', async () => {
    let go = (): void => undefined;
    wake = () => new Promise<void>((resolve) => (go = resolve));
    const sent = await inGuild().command('ask', { text: 'x' });
    expect(sent).toMatchObject({ problems: [], body: { type: 4 } });
    expect(sent.ms).toBeLessThan(2_600);
    go();
    await until(async () => (await rowOf(sent))?.state === 'dropped');
  });

  it('defers what was begun although its chat seemed not to wake', async () => {
    const person = inGuild();
    wake = async () => {
      await database.all.updateTable('inbox').set({ state: 'open' }).where('state', '=', 'waiting').execute();
      throw new AppError('TEMPORAL_UNAVAILABLE');
    };
    const sent = await person.command('ask', { text: 'x' });
    expect(sent).toMatchObject({ body: { type: 5 } });
    expect(await rowOf(sent)).toMatchObject({ state: 'open' });
  });

  it('takes nothing back that was accepted, whoever sends it again', async () => {
    const person = inGuild();
    const sent = await person.command('ask', { text: 'x' });
    wake = () => Promise.reject(new AppError('TEMPORAL_UNAVAILABLE'));
    expect(await person.again(sent.id)).toMatchObject({ body: { type: 5 } });
    expect(await rowOf(sent)).toMatchObject({ state: 'waiting' });
  });

  it('is not there without an application', async () => {
    const doors = { telegram: undefined, discord: undefined } as unknown as ApiServices['dialogs'];
    const off = await createApi({ ...absent, dialogs: doors, log });
    const answer = await off.inject({ method: 'POST', url: '/discord/interactions', payload: {} });
    expect([answer.statusCode, answer.json<{ error: { code: string } }>().error.code]).toEqual([404, 'NOT_FOUND']);
    await off.close();
  });

  it('lets all other bodies through as they are', async () => {
    const answer = await fetch(url.replace('discord/interactions', 'telegram/webhook'), { method: 'POST', body: '{}' });
    expect(answer.status).toBe(404);
  });
});

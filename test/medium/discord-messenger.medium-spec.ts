import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { DiscordMessenger } from '../../src/adapters/discord/discord-messenger.js';
import { DiscordRest } from '../../src/adapters/discord/discord-rest.js';
import { InteractionTokens } from '../../src/adapters/discord/interaction-tokens.js';
import { TokenSeal } from '../../src/adapters/discord/token-seal.js';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import type { Database } from '../../src/adapters/store/database.js';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { InteractionsRepository } from '../../src/adapters/store/interactions.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import { addressOf, type Inbound, type InboundBody, type OpenUpdate } from '../../src/contracts/dialog.js';
import type { Place } from '../../src/contracts/messenger.js';
import { plainText } from '../../src/contracts/rich-text.js';
import type { DeliveryError } from '../../src/errors/delivery-error.js';
import { FailedMessages } from '../../src/services/dialogs/failed-messages.js';
import { aDao, createDao } from '../factories/access.js';
import { FakeDiscord } from '../fakes/discord/fake-discord.js';
import type { CallFault } from '../fakes/discord/settings.js';
import { openCopy } from '../support/embedded-database.js';

const DAO = aDao().id;
const GUILD = '500';
const MINUTES_16 = 16 * 60_000;

/** What an interaction of a test is: for one person alone, in a direct message, a press below a message. */
interface Taken {
  isAlone?: boolean;
  isPrivate?: boolean;
  message?: string;
}

describe('DiscordMessenger', () => {
  let fake: FakeDiscord;
  let application: Server;
  let database: Database;
  let inbox: InboxRepository;
  let replies: RepliesRepository;
  let repository: InteractionsRepository;
  /** How far the clock is ahead, in milliseconds. */
  let aheadMs = 0;
  let channels = 700;
  let first: { type: number; data?: object };
  let lastToken = '';

  beforeAll(async () => {
    application = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        ({ token: lastToken } = JSON.parse(Buffer.concat(parts).toString()) as { token: string });
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(first));
      });
    });
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    const { port } = application.address() as AddressInfo;
    fake = await FakeDiscord.start({ interactionsUrl: `http://127.0.0.1:${port}/` });
    database = await openCopy('migrated');
    await createDao(database);
    inbox = new InboxRepository(database);
    replies = new RepliesRepository(database);
    repository = new InteractionsRepository(database);
  });
  afterAll(async () => {
    await fake.close();
    await database.close();
    application.closeAllConnections();
    await new Promise((resolve) => application.close(resolve));
  });
  afterEach(async () => {
    expect(await fake.stage.violations()).toEqual([]);
    await fake.stage.reset();
    await fake.stage.set({ aheadMs: 0, hearingMs: 0 });
    aheadMs = 0;
  });

  const seal = new TokenSeal('a secret of the installation');
  const tokens = (): InteractionTokens => new InteractionTokens(repository, seal, () => Date.now() + aheadMs);
  const messenger = ({ hasBot = true } = {}): DiscordMessenger =>
    new DiscordMessenger({
      rest: new DiscordRest({
        botToken: hasBot ? fake.settings.botToken : undefined,
        apiRoot: fake.apiRoot,
        timeoutMs: 2_000,
      }),
      tokens: tokens(),
      format: { markdown: ({ text }) => text, split: (rich) => [rich] },
      log: pino({ level: 'silent' }),
    });
  const message = (text: string) => ({ body: plainText(text), buttons: [] });

  /** Sends an interaction, and lets it be answered as the edge does. @returns its id */
  async function sent(place: Place, pressed: string | undefined, isAlone: boolean): Promise<string> {
    first = pressed === undefined ? { type: 5, ...(isAlone && { data: { flags: 64 } }) } : { type: 6 };
    const where = { channel: place.chat, ...(place.kind === 'group' && { guild: GUILD }) };
    const person = fake.stage.person('7', where);
    const { id, problems } = await (pressed === undefined
      ? person.command('ask', { text: 'x' })
      : person.press(pressed, 'good:1'));
    expect(problems).toEqual([]);
    return id;
  }

  /** Takes an interaction in, as the edge does. */
  async function taken(
    body: InboundBody,
    { isAlone = false, isPrivate = false, message: pressed }: Taken = {},
    channel = String((channels += 1)),
  ): Promise<{ place: Place; update: OpenUpdate; id: string; token: string }> {
    const place: Place = { source: 'dc', chat: channel, topic: null, kind: isPrivate ? 'private' : 'group' };
    const id = await sent(place, pressed, isAlone);
    const updateKey = `dc:${id}`;
    const interaction = { updateKey, id, applicationId: fake.settings.applicationId, token: lastToken };
    expect(await tokens().keep({ ...interaction, isPrivate: isAlone })).toBe(true);
    const lane = pressed === undefined ? 'turn' : 'act';
    const inbound: Inbound = {
      ...{ updateKey, place, space: isPrivate ? null : GUILD, actor: 'dc:7', language: 'uk', body },
      ...{ lane, order: BigInt(id), messageId: pressed ?? id },
    };
    await inbox.accept(inbound);
    const update = await inbox.next({ source: 'dc', chat: channel, topic: '' }, lane, DAO);
    return { place, update: update!, id, token: lastToken };
  }

  /** Takes a command in and begins its reply, as a turn does. */
  async function begun(...args: [{ isAlone?: boolean; isPrivate?: boolean }?]) {
    const { place, update, token } = await taken({ kind: 'message', text: 'x' }, ...args);
    const { generation } = await replies.begin(update, DAO, { requestId: 'r' });
    const writer = { id: update.id, daoId: DAO, chat: update.chat, generation };
    const record = (n: number, messageId: string): Promise<boolean> =>
      replies.put(writer, { n, state: 'sent', messageId, shown: null });
    return { place, key: (n: number) => `${update.id}.${n}`, record, token, channel: place.chat, row: update.chat };
  }
  const operations = async (): Promise<string[]> => (await fake.stage.calls()).map(({ operation }) => operation);
  const refusal = async (promise: Promise<unknown>): Promise<DeliveryError> =>
    promise.then(
      () => {
        throw new Error('it was not refused');
      },
      (error: unknown) => error as DeliveryError,
    );

  it('answers an interaction in its deferred message, by its token alone, and with the same message if asked again', async () => {
    const { place, key, record, channel } = await begun();
    const id = await messenger().create(place, message('…'), key(0));
    expect(await messenger().create(place, message('…'), key(0))).toBe(id);
    await record(0, id);
    await messenger().edit(place, id, message('the answer'));
    expect(await fake.stage.texts(channel)).toEqual(['the answer']);
    const calls = await fake.stage.calls();
    expect(calls.map(({ operation }) => operation)).toEqual(Array(3).fill('update_original_webhook_message'));
    expect(calls.some(({ isByBot }) => isByBot)).toBe(false);
  });

  it('Discord case 6: writes to the channel when the quarter of an hour is over, and asks no token in vain', async () => {
    const { place, key, record, channel } = await begun();
    const id = await messenger().create(place, message('…'), key(0));
    await record(0, id);
    aheadMs = MINUTES_16;
    await fake.stage.set({ aheadMs: MINUTES_16 });
    await messenger().edit(place, id, message('late'));
    await messenger().edit(place, id, message('later'));
    expect(await operations()).toEqual(['update_original_webhook_message', 'update_message', 'update_message']);
    expect(await fake.stage.texts(channel)).toEqual(['later']);
  });

  it('Discord case 6: begins in the channel what the token opens no more, and writes down that it does not', async () => {
    const { place, key, channel } = await begun();
    // Its clock is right: ours does not know yet.
    await fake.stage.set({ aheadMs: MINUTES_16 });
    await repository.sweep();
    const patient = new DiscordMessenger({
      rest: new DiscordRest({ botToken: fake.settings.botToken, apiRoot: fake.apiRoot }),
      tokens: {
        ofReply: async (id) => {
          const found = await tokens().ofReply(id);
          return found && { ...found, beganAt: new Date(Date.now() - MINUTES_16) };
        },
        ofMessage: () => Promise.resolve(undefined),
        ofId: () => Promise.resolve(undefined),
        forget: (interaction) => tokens().forget(interaction),
      },
      format: { markdown: ({ text }) => text, split: (rich) => [rich] },
      log: pino({ level: 'silent' }),
    });
    await patient.create(place, message('in the channel'), key(0));
    await patient.create(place, message('in the channel'), key(0));
    expect(await operations()).toEqual(['update_original_webhook_message', 'create_message', 'create_message']);
    expect(await fake.stage.texts(channel)).toEqual([undefined, 'in the channel']);
    expect((await tokens().ofReply(key(0).slice(0, -2)))?.token).toBeUndefined();
  });

  it('waits until Discord has heard that the answer is deferred', async () => {
    await fake.stage.set({ hearingMs: 500 });
    const { place, key, channel } = await begun();
    await messenger().create(place, message('quick'), key(0));
    expect(await fake.stage.texts(channel)).toEqual(['quick']);
  });

  it('Discord case 7: sends further messages to the channel, once each, and pings nobody', async () => {
    const { place, key, channel } = await begun();
    await messenger().create(place, message('one'), key(0));
    await fake.stage.fail({ kind: 'reset-after', operation: 'create_message' });
    const lost = await refusal(messenger().create(place, message('two @everyone'), key(1)));
    expect(lost).toMatchObject({ problem: 'unreachable', detail: { maybeDone: true } });
    await messenger().create(place, message('two @everyone'), key(1));
    await messenger().create(place, message('three'), key(2));
    expect(await fake.stage.texts(channel)).toEqual(['one', 'two @everyone', 'three']);
    const bodies = (await fake.stage.calls()).map(({ body }) => body as { allowed_mentions: object });
    expect(bodies.every(({ allowed_mentions: mentions }) => JSON.stringify(mentions) === '{"parse":[]}')).toBe(true);
  });

  it('Discord case 8: waits as long as it is told, where that is short, and comes back where it is not', async () => {
    const { place, key, channel } = await begun();
    await fake.stage.fail({ kind: 'too-many', operation: 'update_original_webhook_message', seconds: 1.5 });
    const startedAt = performance.now();
    await messenger().create(place, message('patience'), key(0));
    expect(performance.now() - startedAt).toBeGreaterThan(1_500);
    expect(await fake.stage.texts(channel)).toEqual(['patience']);
    await fake.stage.fail({ kind: 'too-many', operation: 'create_message', seconds: 60, isGlobal: true });
    const told = await refusal(messenger().create(place, message('more'), key(1)));
    expect(told).toMatchObject({ problem: 'limited', message: expect.stringContaining('the whole bot') as unknown });
    expect(told.detail.retryAfterMs).toBeGreaterThan(59_000);
  });

  it('Discord case 8: gives up on a webhook that is unknown', async () => {
    const { place, key } = await begun({ isAlone: true });
    await database.all
      .updateTable('interactions')
      .set({ began_at: new Date(Date.now() - 60_000) })
      .execute();
    await fake.stage.fail({ kind: 'refuse', operation: 'update_original_webhook_message', status: 404, code: 10_015 });
    expect(await refusal(messenger().create(place, message('x'), key(0)))).toMatchObject({ problem: 'refused' });
    expect(await refusal(messenger().create(place, message('x'), key(0)))).toMatchObject({ problem: 'refused' });
    expect(await operations()).toHaveLength(1);
  });

  it('Discord case 9: says to one person alone what is for one person alone, to the last message', async () => {
    const { place, key, record, channel } = await begun({ isAlone: true });
    const parts = await Promise.all([0, 1].map((n) => messenger().create(place, message(`part ${n}`), key(n))));
    await record(1, parts[1]!);
    await messenger().edit(place, parts[1]!, message('part 1, again'));
    const told = await fake.stage.transcript(channel);
    expect(told.map(({ onlyFor }) => onlyFor)).toEqual(['7', '7']);
    expect(await fake.stage.texts(channel)).toEqual(['part 0', 'part 1, again']);
    aheadMs = MINUTES_16;
    await fake.stage.set({ aheadMs: MINUTES_16 });
    for (const late of [
      messenger().create(place, message('x'), key(2)),
      messenger().edit(place, parts[1]!, message('x')),
    ]) {
      expect(await refusal(late)).toMatchObject({
        problem: 'refused',
        message: expect.stringContaining('one person') as unknown,
      });
    }
    expect(await fake.stage.texts(channel)).toHaveLength(2);
  });

  it('may say it in the channel where that is a direct message', async () => {
    const { place, key, channel } = await begun({ isAlone: true, isPrivate: true });
    aheadMs = MINUTES_16;
    await fake.stage.set({ aheadMs: MINUTES_16 });
    await messenger().create(place, message('x'), key(0));
    expect(await fake.stage.texts(channel)).toEqual([undefined, 'x']);
  });

  it('goes on without a bot for a quarter of an hour, and says then why it does not', async () => {
    const { place, key, channel } = await begun();
    const lone = messenger({ hasBot: false });
    await lone.create(place, message('one'), key(0));
    await lone.create(place, message('two'), key(1));
    await lone.typing(place);
    expect(await fake.stage.texts(channel)).toEqual(['one', 'two']);
    aheadMs = MINUTES_16;
    const told = await refusal(lone.create(place, message('three'), key(2)));
    expect(told).toMatchObject({
      problem: 'refused',
      message: expect.stringContaining('DISCORD_BOT_TOKEN') as unknown,
    });
  });

  it('goes on by the token where the bot may not write', async () => {
    const { place, key, channel } = await begun();
    await fake.stage.channel(channel, { guild: GUILD, isBotHere: false });
    await messenger().create(place, message('one'), key(0));
    await messenger().create(place, message('two'), key(1));
    expect(await fake.stage.texts(channel)).toEqual(['one', 'two']);
    const news = await refusal(messenger().create(place, message('news'), 'no-interaction.0'));
    expect(news).toMatchObject({ problem: 'closed', message: expect.stringContaining('Missing Access') as unknown });
  });

  it.each([true, false])('hears a channel that could not be written to as before; with a bot: %s', async (hasBot) => {
    const { place, key, channel, row } = await begun();
    const card = await messenger().create(place, message('a vote'), key(0));
    await database.all.deleteFrom('interactions').execute();
    await fake.stage.channel(channel, { guild: GUILD, isBotHere: false });
    const failed = new FailedMessages({
      chats: new ChatsRepository(database),
      clock: { pokeDialog: () => Promise.reject(new Error('nothing has moved')) },
      log: pino({ level: 'silent' }),
    });
    const lost = { address: addressOf(place), chat: row, count: 1, fields: {} };
    const one = messenger({ hasBot });
    for (const write of [
      () => one.create(place, message('news'), 'no-interaction.0'),
      () => one.edit(place, card, message('a vote, a week later')),
    ]) {
      const error = await refusal(write());
      expect(error.problem).toBe('closed');
      expect(await failed.isLost({ ...lost, error })).toBe(true);
    }
    await database.all.updateTable('inbox').set({ state: 'done' }).where('chat', '=', row).execute();
    const { update } = await taken({ kind: 'message', text: 'y' }, {}, channel);
    expect(update).toMatchObject({ isClosed: false, body: { text: 'y' } });
  });

  it('answers anew where somebody has deleted the answer', async () => {
    const { place, key, record, channel } = await begun();
    await database.all
      .updateTable('interactions')
      .set({ began_at: new Date(Date.now() - 60_000) })
      .execute();
    const id = await messenger().create(place, message('one'), key(0));
    await record(0, id);
    await fake.stage.erase(channel, id);
    expect(await refusal(messenger().edit(place, id, message('two')))).toMatchObject({ problem: 'missing' });
    await messenger().create(place, message('two'), key(0));
    expect(await fake.stage.texts(channel)).toEqual(['two']);
    await messenger().remove(place, id);
  });

  it('shows buttons, takes them away, and tells the person who pressed one', async () => {
    const { place, key, record, channel } = await begun();
    const buttons = [Array.from({ length: 7 }, (_, n) => ({ label: `b${n}`.repeat(60), press: `p:${n}` }))];
    const id = await messenger().create(place, { body: plainText('x'), buttons }, key(0));
    await record(0, id);
    const press = await taken({ kind: 'button', press: 'later', data: 'p:1' }, { message: id }, channel);
    await messenger().heard(press.id, 'Thanks');
    await messenger().heard(press.id);
    await messenger().edit(place, id, message('y'));
    const [answered, thanks] = await fake.stage.transcript(channel);
    const rows = answered!.versions.map(({ components }) =>
      components.map((row) => (row as { components: object[] }).components.length),
    );
    expect(rows).toEqual([[5, 2], []]);
    expect(thanks).toMatchObject({ onlyFor: '7', versions: [{ content: 'Thanks' }] });
  });

  it('tells a person who pressed a button nothing twice by itself, and nobody else once the interaction is over', async () => {
    const { place, key, record, channel } = await begun();
    const id = await messenger().create(place, message('x'), key(0));
    await record(0, id);
    const press = await taken({ kind: 'button', press: 'later', data: 'p:1' }, { message: id }, channel);
    await fake.stage.fail({ kind: 'reset-after', operation: 'execute_webhook' });
    expect(await refusal(messenger().heard(press.id, 'Thanks'))).toMatchObject({ problem: 'unreachable' });
    aheadMs = MINUTES_16;
    await fake.stage.set({ aheadMs: MINUTES_16 });
    await messenger().heard(press.id, 'Late');
    await messenger().heard('of nobody', 'Late');
    const told = await fake.stage.transcript(channel);
    expect(told.map(({ onlyFor, versions }) => [onlyFor, versions.at(-1)?.content])).toEqual([
      [undefined, 'x'],
      ['7', 'Thanks'],
    ]);
  });

  it('may send further messages by the token twice, where an answer is lost: docs say which', async () => {
    const { place, key, channel } = await begun({ isAlone: true });
    await messenger().create(place, message('one'), key(0));
    await fake.stage.fail({ kind: 'reset-after', operation: 'execute_webhook' });
    expect(await refusal(messenger().create(place, message('two'), key(1)))).toMatchObject({
      ...{ problem: 'unreachable', detail: { maybeDone: true } },
    });
    await messenger().create(place, message('two'), key(1));
    expect(await fake.stage.texts(channel)).toEqual(['one', 'two', 'two']);
  });

  it('changes the message with the button, and not what says that a press was not accepted', async () => {
    const { place, key, record, channel } = await begun({ isAlone: true });
    const id = await messenger().create(place, message('x'), key(0));
    await record(0, id);
    const press = await taken({ kind: 'button', press: 'later', data: 'p:1' }, { message: id }, channel);
    await messenger().edit(place, id, message('y'));
    await database.all.updateTable('inbox').set({ state: 'dropped' }).where('id', '=', press.update.id).execute();
    await messenger().edit(place, id, message('z'));
    const calls = await fake.stage.calls({ operation: 'update_original_webhook_message' });
    const answered = calls[0]!.of;
    expect(calls.map(({ of }) => of)).toEqual([answered, press.id, answered]);
    expect(await fake.stage.texts(channel)).toEqual(['z']);
  });

  it('edits a message at most every 1.2 s', async () => {
    const { place, key, record, channel } = await begun();
    const one = messenger();
    const id = await one.create(place, message('0'), key(0));
    await record(0, id);
    for (const n of [1, 2]) await one.edit(place, id, message(`${n}`));
    const [told] = await fake.stage.transcript(channel);
    const [a, b, c] = told!.versions.map(({ at }) => at);
    expect(Math.min(b! - a!, c! - b!)).toBeGreaterThanOrEqual(1_150);
  });

  it('lets a draft wait for nothing', async () => {
    const { place, key, record, channel } = await begun();
    const one = messenger();
    const id = await one.create(place, message('0'), key(0));
    await record(0, id);
    const soon = await refusal(one.edit(place, id, message('1'), true));
    expect(soon).toMatchObject({ problem: 'limited' });
    expect(soon.detail.retryAfterMs).toBeGreaterThan(500);
    await one.edit(place, id, message('2'));
    await fake.stage.fail({ kind: 'too-many', operation: 'update_original_webhook_message', seconds: 1 });
    const other = messenger();
    expect(await refusal(other.edit(place, id, message('3'), true))).toMatchObject({ problem: 'limited' });
    expect(await fake.stage.texts(channel)).toEqual(['2']);
  });

  it('answers a press in a message of its own, and to one person alone where that message was theirs', async () => {
    for (const isAlone of [false, true]) {
      const { place, key, record, channel } = await begun({ isAlone });
      const id = await messenger().create(place, message('x'), key(0));
      await record(0, id);
      const pressed = { message: id, isAlone };
      const { update } = await taken({ kind: 'button', press: 'later', data: 'p:1' }, pressed, channel);
      await replies.begin(update, DAO, { content: { body: plainText('y'), buttons: [] } });
      const said = await messenger().create(place, message('y'), `${update.id}.0`);
      const parts = { id: update.id, daoId: DAO, chat: update.chat, generation: 1 };
      await replies.put(parts, { n: 0, state: 'sent', messageId: said, shown: null });
      await messenger().edit(place, said, message('z'));
      await messenger().unanswered(update.id);
      // What it has its person say is answered alike.
      await database.all
        .insertInto('inbox')
        .values({
          ...{ id: `then-${update.id}`, update_key: `said:${update.id}`, chat: update.chat, lane: 'turn', place: '1' },
          ...{ actor: 'dc:7', message_id: id, body: '{"kind":"message","text":"/role"}', received_at: new Date() },
        } as never)
        .execute();
      await messenger().create(place, message('then'), `then-${update.id}.0`);
      expect(await fake.stage.texts(channel)).toEqual(['x', 'z', 'then']);
      const told = await fake.stage.transcript(channel);
      expect(told.map(({ onlyFor }) => onlyFor)).toEqual(Array(3).fill(isAlone ? '7' : undefined));
    }
  });

  it('takes away the deferred answer where none will come, and nothing that was said', async () => {
    const { place, update } = await taken({ kind: 'message', text: 'x' });
    await messenger().unanswered(update.id);
    expect(await fake.stage.texts(place.chat)).toEqual([]);
    await messenger().unanswered('news');
    const { place: other, key } = await begun();
    await messenger().create(other, message('said'), key(0));
    await messenger().unanswered(key(0).slice(0, -2));
    expect(await fake.stage.texts(other.chat)).toEqual(['said']);
  });

  it.each<[string, CallFault, object]>([
    ['a refusal of the form', { kind: 'refuse', status: 400, code: 50_035 }, { problem: 'refused' }],
    ['a server that fails', { kind: 'error-503' }, { problem: 'unreachable', detail: { maybeDone: true } }],
    ['no answer', { kind: 'reset-before' }, { problem: 'unreachable', detail: { maybeDone: true } }],
    [
      'an answer that does not come',
      { kind: 'delay', ms: 4_000 },
      { problem: 'unreachable', detail: { maybeDone: true } },
    ],
  ])('tells of %s without a token in it', async (_what, fault, expected) => {
    const { place, key, token } = await begun();
    await fake.stage.fail(fault);
    const error = await refusal(messenger().create(place, message('x'), key(0)));
    expect(error).toMatchObject({ name: 'DeliveryError', ...expected });
    const all = `${inspect(error, { depth: 9, showHidden: true })}${error.stack}${JSON.stringify(error)}`;
    expect(all).not.toContain(token);
    expect(all).not.toContain(fake.settings.botToken);
  });

  it('knows where nobody is called', async () => {
    const { place, key } = await begun();
    const away = new DiscordMessenger({
      rest: new DiscordRest({ botToken: 'x', apiRoot: 'http://127.0.0.1:9' }),
      tokens: tokens(),
      format: { markdown: ({ text }) => text, split: (rich) => [rich] },
      log: pino({ level: 'silent' }),
    });
    const error = await refusal(away.create(place, message('x'), key(0)));
    expect(error).toMatchObject({ problem: 'unreachable', detail: { maybeDone: false } });
  });

  it('keeps no token in clear, and none for longer than it opens anything', async () => {
    const { key, token } = await begun();
    const rows = await database.all.selectFrom('interactions').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(token);
    const other = new InteractionTokens(repository, new TokenSeal('of another installation'));
    expect((await other.ofReply(key(0).slice(0, -2)))?.token).toBeUndefined();
    expect((await tokens().ofReply(key(0).slice(0, -2)))?.token).toBe(token);
    const past = (days: number) => ({ expires_at: new Date(Date.now() - days * 86_400_000 - 1) });
    const mine = database.all.updateTable('interactions').where('token_sealed', 'is not', null);
    await mine.set(past(0)).execute();
    await tokens().sweep();
    expect(
      await database.all
        .selectFrom('interactions')
        .select('update_key')
        .where('token_sealed', 'is not', null)
        .execute(),
    ).toEqual([]);
    await database.all.updateTable('interactions').set(past(8)).execute();
    await tokens().sweep();
    expect(await database.all.selectFrom('interactions').select('update_key').execute()).toEqual([]);
  });
});

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api, GrammyError } from 'grammy';
import type { Update } from 'grammy/types';
import { FakeTelegram } from '../fakes/telegram/fake-telegram.js';
import type { Person, TelegramStage } from '../fakes/telegram/stage.js';
import { until } from '../support/until.js';

let telegram: FakeTelegram;
let stage: TelegramStage;
let api: Api;
let ann: Person;
let bob: Person;

beforeEach(async () => {
  telegram = await FakeTelegram.start({ secondMs: 10 });
  ({ stage } = telegram);
  api = new Api(telegram.settings.token, { apiRoot: telegram.url });
  ann = await stage.person(7);
  bob = await stage.person(8);
});
afterEach(async () => {
  await telegram.close();
});

const textsOf = (updates: readonly Update[]): (string | undefined)[] => updates.map(({ message }) => message?.text);

describe('updates by polling', () => {
  it('come until an offset confirms them', async () => {
    await ann.write('1');
    await bob.write('2');
    const first = await api.getUpdates();
    expect(textsOf(first)).toEqual(['1', '2']);
    expect(textsOf(await api.getUpdates({ limit: 1 }))).toEqual(['1']);
    expect(textsOf(await api.getUpdates({ offset: first[1]!.update_id }))).toEqual(['2']);
    expect(await api.getUpdates({ offset: first[1]!.update_id + 1 })).toEqual([]);
    await stage.untilDelivered();
    expect(first[1]!.update_id).toBe(first[0]!.update_id + 1);
  });

  it('wake a poll that waits', async () => {
    const poll = api.getUpdates({ timeout: 500 });
    await until(async () => (await stage.counts()).getUpdates === 1);
    await ann.write('now');
    expect(textsOf(await poll)).toEqual(['now']);
    expect(await api.getUpdates({ offset: -1, timeout: 1 })).toHaveLength(1);
    expect(await api.getUpdates({ offset: 800_000_000, timeout: 1 })).toEqual([]);
  });

  it('are for one poll at a time, and for none beside a webhook', async () => {
    const first = api.getUpdates({ timeout: 500 }).catch((error: unknown) => error);
    await until(async () => (await stage.counts()).getUpdates === 1);
    const second = api.getUpdates({ timeout: 500 }).catch((error: unknown) => error);
    expect(await first).toMatchObject({ error_code: 409, description: expect.stringContaining('other getUpdates') });
    await api.setWebhook('http://127.0.0.1:9/', { secret_token: 's' });
    expect(await second).toMatchObject({ error_code: 409 });
    expect(await api.getUpdates().catch((error: unknown) => error)).toMatchObject({ error_code: 409 });
    await api.deleteWebhook();
    expect(await api.getUpdates()).toEqual([]);
  });

  it('are of the kinds that were asked for', async () => {
    const id = await ann.write('1');
    await ann.react(id, '👍');
    expect(await api.getUpdates()).toHaveLength(1);
    await api.getUpdates({ allowed_updates: ['message_reaction', 'my_chat_member'] });
    await ann.react(id, '👎');
    await ann.edit(id, '1!');
    await ann.block();
    const [, reaction, member] = await api.getUpdates();
    expect(reaction!.message_reaction).toMatchObject({
      message_id: id,
      old_reaction: [{ emoji: '👍' }],
      new_reaction: [{ emoji: '👎' }],
    });
    expect(member!.my_chat_member).toMatchObject({
      old_chat_member: { status: 'member' },
      new_chat_member: { status: 'kicked' },
    });
  });

  it('tell of edits, commands and mentions, and what becomes of a group', async () => {
    const group = await stage.group('DAO', { members: [ann] });
    const id = await ann.write('/help@dagi_bot and @dagi_bot', { in: group });
    await ann.edit(id, 'no', { in: group });
    const next = await group.migrate();
    const updates = await api.getUpdates();
    expect(updates.map((update) => Object.keys(update)[1])).toEqual([
      ...['my_chat_member', 'message', 'message', 'edited_message', 'message', 'message'],
    ]);
    expect(updates[2]!.message!.entities).toEqual([
      { type: 'bot_command', offset: 0, length: 14 },
      { type: 'mention', offset: 19, length: 9 },
    ]);
    expect(updates[3]!.edited_message).toMatchObject({ message_id: id, text: 'no', edit_date: expect.any(Number) });
    expect(updates[4]!.message).toMatchObject({ chat: { id: group.id }, migrate_to_chat_id: next.id });
    expect(updates[5]!.message).toMatchObject({ chat: { id: next.id }, migrate_from_chat_id: group.id });
  });

  it('of a group are only those for the bot, where it respects privacy', async () => {
    await stage.set({ privacy: true });
    const group = await stage.supergroup('DAO', { members: [ann] });
    const { message_id: own } = await api.sendMessage(group.id, 'hello');
    for (const text of ['talk', '/other@other_bot', '@dagi_bot you', '/help']) await ann.write(text, { in: group });
    await ann.write('and you', { in: group, replyTo: own });
    expect(textsOf(await api.getUpdates()).filter(Boolean)).toEqual(['@dagi_bot you', '/help', 'and you']);
  });

  it('come twice, or in another order, where they are spoiled', async () => {
    await stage.spoil('duplicate');
    await ann.write('1');
    const [first, again] = await api.getUpdates();
    expect(again).toEqual(first);
    await api.getUpdates({ offset: first!.update_id + 1 });
    await stage.spoil('reorder');
    await ann.write('2');
    await ann.write('3');
    const updates = await api.getUpdates();
    expect(textsOf(updates)).toEqual(['3', '2']);
    expect(updates[0]!.update_id).toBeGreaterThan(updates[1]!.update_id);
  });
});

/** A webhook that answers as it is told. */
class Hook {
  readonly got: { text: string; secret: string | undefined; at: number }[] = [];
  answers: ((text: string) => number | undefined)[] = [];
  headers: Record<string, string> = {};
  /** So many are answered together; fewer wait. */
  together = 1;
  mostAtOnce = 0;
  private atOnce = 0;
  private readonly held: (() => void)[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { message } = JSON.parse(Buffer.concat(parts).toString()) as Update;
        const text = message?.text ?? '';
        const secret = request.headers['x-telegram-bot-api-secret-token'] as string | undefined;
        this.got.push({ text, secret, at: Date.now() });
        this.mostAtOnce = Math.max(this.mostAtOnce, (this.atOnce += 1));
        const status = this.answers.map((answer) => answer(text)).find((each) => each !== undefined) ?? 200;
        this.held.push(() => {
          this.atOnce -= 1;
          if (status > 0) response.writeHead(status, this.headers).end();
          else request.socket.resetAndDestroy();
        });
        if (this.held.length >= this.together) for (const answer of this.held.splice(0)) answer();
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  get texts(): string[] {
    return this.got.map(({ text }) => text);
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

describe('updates by webhook', () => {
  let hook: Hook;
  let url: string;

  beforeEach(async () => {
    hook = new Hook();
    url = await hook.start();
  });
  afterEach(() => {
    hook.stop();
  });

  it('carry the secret, and are gone once they were taken', async () => {
    await ann.write('before');
    await api.setWebhook(url, { secret_token: 'a-secret_1', max_connections: 5 });
    await ann.write('after');
    await stage.untilDelivered();
    expect(hook.got).toMatchObject([
      { text: 'before', secret: 'a-secret_1' },
      { text: 'after', secret: 'a-secret_1' },
    ]);
    expect(await api.getWebhookInfo()).toMatchObject({ url, pending_update_count: 0, max_connections: 5 });
    const wrong = await api.setWebhook(url, { secret_token: 'a b' }).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(GrammyError);
  });

  it('of a chat wait behind one that fails, those of others do not', async () => {
    let fails = 4;
    hook.answers = [(text) => (text === '1' && (fails -= 1) > 0 ? 500 : undefined)];
    await api.setWebhook(url);
    await ann.write('1');
    await ann.write('2');
    await bob.write('3');
    await stage.untilDelivered();
    expect(hook.texts.filter((text) => text !== '3')).toEqual(['1', '1', '1', '1', '2']);
    expect(hook.texts.indexOf('3')).toBeLessThan(hook.texts.lastIndexOf('1'));
    expect((await api.getWebhookInfo()).last_error_message).toContain('500');
    const times = hook.got.filter(({ text }) => text === '1').map(({ at }) => at);
    // At once, then after one second and after two: a second is 10 ms here.
    expect(times[3]! - times[1]!).toBeGreaterThanOrEqual(29);
  });

  it('come again after Retry-After, and after a broken connection', async () => {
    const statuses = [429, 0];
    hook.answers = [() => statuses.shift()];
    hook.headers = { 'retry-after': '20' };
    await api.setWebhook(url);
    await ann.write('1');
    await stage.untilDelivered();
    const [first, second, third] = hook.got;
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(199);
    expect(third!.text).toBe('1');
    expect((await stage.deliveries()).map(({ status }) => status)).toEqual([429, 0, 200]);
  });

  it('go over no more connections than were asked for', async () => {
    hook.together = 3;
    await api.setWebhook(url, { max_connections: 3 });
    for (let id = 100; id < 112; id += 1) await (await stage.person(id)).write('x');
    await stage.untilDelivered();
    expect(hook.got).toHaveLength(12);
    expect(hook.mostAtOnce).toBe(3);
  });

  it('come twice in the same moment, where they are spoiled', async () => {
    await api.setWebhook(url);
    await stage.spoil('twice');
    hook.together = 2;
    await ann.write('1');
    await stage.untilDelivered();
    expect(hook.texts).toEqual(['1', '1']);
    expect(hook.mostAtOnce).toBe(2);
  });

  it('are whatever a test hands over', async () => {
    await api.setWebhook(url);
    await stage.put({ update_id: 5 }, 7);
    await stage.untilDelivered();
    expect(hook.texts).toEqual(['']);
  });

  it('end when the address says for a day that it is gone', async () => {
    await stage.set({ secondMs: 0.0005 });
    hook.answers = [() => 410];
    await api.setWebhook(url);
    // One update alone may be given up before the day is over.
    await until(async () => {
      await ann.write('x');
      return (await api.getWebhookInfo()).url === '';
    });
  });

  it('are given up after a day', async () => {
    await stage.set({ secondMs: 0.0005 });
    hook.answers = [() => 500];
    await api.setWebhook(url);
    await ann.write('1');
    await stage.untilDelivered();
    expect(telegram.scene.webhook.expired).toBe(1);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { ChatsRepository } from '../../src/adapters/store/chats.repository.js';
import { DeliveriesRepository } from '../../src/adapters/store/deliveries.repository.js';
import { InboxRepository } from '../../src/adapters/store/inbox.repository.js';
import { addMember } from '../../src/adapters/store/members.repository.js';
import { NewsRepository } from '../../src/adapters/store/news.repository.js';
import { NewsViewsRepository } from '../../src/adapters/store/news-views.repository.js';
import { ProposalsRepository } from '../../src/adapters/store/proposals.repository.js';
import { RepliesRepository } from '../../src/adapters/store/replies.repository.js';
import { StrayMessagesRepository } from '../../src/adapters/store/stray-messages.repository.js';
import { VotesRepository } from '../../src/adapters/store/votes.repository.js';
import type { ChatAddress, Reply } from '../../src/contracts/dialog.js';
import type { Messenger } from '../../src/contracts/messenger.js';
import { plainText } from '../../src/contracts/rich-text.js';
import { toldAt } from '../../src/domain/news/quiet-hours.js';
import { DeliveryError } from '../../src/errors/delivery-error.js';
import { FailedMessages } from '../../src/services/dialogs/failed-messages.js';
import { StrayMessages } from '../../src/services/dialogs/stray-messages.js';
import { DeliveriesService } from '../../src/services/news/deliveries.service.js';
import { NewsContent } from '../../src/services/news/news-content.js';
import type { NewsClock } from '../../src/services/news/news.service.js';
import { anUpdate } from '../factories/conversation.js';
import { anInbound } from '../factories/dialogs.js';
import { APPROVAL, aRunAt } from '../factories/news.js';
import { Assembly } from '../factories/proposals.js';
import { strict } from '../factories/strict.js';
import { DATABASES, type Fresh } from './databases.js';

const log = pino({ level: 'silent' });

/** The process is gone: nothing that it would have done is done. */
class Killed extends Error {}

/** Ends the process before, or just after, so-manieth call of whatever is watched. */
class Death {
  calls = 0;

  constructor(
    private readonly at = Infinity,
    private readonly isAfter = false,
  ) {}

  watch<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown =>
          this.call(() => Reflect.apply(value, target, given) as unknown, key === 'split');
      },
    });
  }

  private call(act: () => unknown, isPure: boolean): unknown {
    if (isPure) return act();
    this.calls += 1;
    const isNow = this.calls === this.at;
    if (isNow && !this.isAfter) return Promise.reject(new Killed());
    return isNow ? Promise.resolve(act()).then(() => Promise.reject(new Killed())) : act();
  }
}

describe.each(DATABASES)('messages about news on %s', (_name, open) => {
  let fresh: Fresh;
  let dao: Assembly;
  let address: ChatAddress;
  let messages: Map<string, string>;
  let poked: string[];
  let next: number;
  let problem: DeliveryError | undefined;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
  });
  afterAll(() => fresh.drop());

  /** A member, whose chat is known with one message. */
  beforeEach(async () => {
    count += 1;
    messages = new Map<string, string>();
    poked = [];
    next = count * 1_000 + 1;
    problem = undefined;
    dao = new Assembly(fresh.database, `dao-${count}`);
    const user = `tg:9${count}`;
    await dao.found({ [user]: ['admin'] });
    address = { source: 'tg', chat: user.slice(3), topic: '' };
    const inbox = new InboxRepository(fresh.database);
    const place = { source: 'tg' as const, chat: address.chat, topic: null, kind: 'private' as const };
    const { id } = await inbox.accept(anInbound({ place, actor: user, messageId: String(count * 1_000) }));
    await inbox.finish((await inbox.next(address, 'turn', dao.daoId))?.id ?? id);
  });

  /** The platform, which numbers its messages. */
  const messenger = strict<Messenger>('messenger', {
    split: (body) => [body],
    create: (_place, { body }) => {
      if (problem) return Promise.reject(problem);
      const id = String((next += 1));
      messages.set(id, body.text);
      return Promise.resolve(id);
    },
    edit: (_place, id, { body }) => {
      if (!messages.has(id)) return Promise.reject(new DeliveryError('missing', 'gone'));
      return Promise.resolve(void messages.set(id, body.text));
    },
    isOurs: (_place, id) => Promise.resolve(messages.has(id)),
    remove: (_place, id) => Promise.resolve(void messages.delete(id)),
  });

  function service(death = new Death()): DeliveriesService {
    const { database } = fresh;
    const clock: NewsClock = {
      pokeDialog: ({ chat }) => Promise.resolve(void poked.push(chat)),
      pokeNews: (daoId) => Promise.resolve(void poked.push(daoId)),
    };
    return new DeliveriesService({
      deliveries: death.watch(new DeliveriesRepository(database)),
      replies: death.watch(new RepliesRepository(database)),
      messengers: { tg: death.watch(messenger) },
      content: new NewsContent({
        views: new NewsViewsRepository(database),
        proposals: new ProposalsRepository(database),
        votes: new VotesRepository(database),
      }),
      failed: new FailedMessages({ chats: new ChatsRepository(database), clock, log }),
      clock,
      log,
    });
  }

  async function toTheEnd(deliveries: DeliveriesService): Promise<void> {
    while ((await deliveries.deliverNext(address, 1)).isMore);
  }

  async function spread(): Promise<void> {
    const news = new NewsRepository(fresh.database);
    while (await news.spreadNext(dao.daoId, toldAt));
  }

  /** As the sweep does, whoever wrote what is there too often. */
  const clean = (): Promise<void> =>
    new StrayMessages({
      strays: new StrayMessagesRepository(fresh.database),
      messengers: { tg: messenger },
      log,
    }).look();

  const vote = (n: number): Promise<unknown> => dao.vote(`tg:${address.chat}`, n, 'yes');
  const propose = async (): Promise<number> => (await dao.open(`tg:${address.chat}`)).n;

  it.each([false, true])(
    'should be written once, and changed once, wherever a process is killed (after a call: %s)',
    async (isAfter) => {
      for (let at = 1; ; at += 1) {
        const n = await propose();
        await spread();
        const [first, second] = [new Death(at, isAfter), new Death(at, isAfter)];
        messages.clear();
        await toTheEnd(service(first)).catch(() => undefined);
        await toTheEnd(service());
        await clean();
        expect([at, [...messages.values()]]).toEqual([at, [expect.stringContaining('Yes 0 ·')]]);
        await vote(n);
        await toTheEnd(service(second)).catch(() => undefined);
        await toTheEnd(service());
        expect([at, [...messages.values()]]).toEqual([at, [expect.stringContaining('Yes 1 ·')]]);
        await fresh.database.of(dao.daoId).deleteFrom('proposals').where('n', '=', n).execute();
        await fresh.database.of(dao.daoId).deleteFrom('news').execute();
        if (first.calls >= at) continue;
        expect(at).toBeGreaterThan(8);
        return;
      }
    },
  );

  it('should follow the vote where somebody asked to see it, too', async () => {
    const n = await propose();
    await spread();
    await toTheEnd(service());
    const { chat } = await fresh.database
      .of(dao.daoId)
      .selectFrom('deliveries')
      .select('chat')
      .executeTakeFirstOrThrow();
    const replies = new RepliesRepository(fresh.database);
    const content = { body: plainText('#1'), buttons: [[{ label: 'Yes', press: `vote:${n}.01234567:yes` }]] };
    const { generation } = await replies.beginNews({ id: `answer ${count}`, daoId: dao.daoId, chat }, content);
    messages.set('asked', '#1');
    const writer = { id: `answer ${count}`, daoId: dao.daoId, chat, generation };
    await replies.put(writer, { n: 0, state: 'sent', messageId: 'asked', shown: null });
    const reply = { ...writer, content } as unknown as Reply;
    for (let time = 0; time < 2; time += 1) await service().follow(reply);
    await toTheEnd(service());
    expect(messages.get('asked')).toBe('#1');
    await vote(n);
    await toTheEnd(service());
    expect(messages.get('asked')).toMatch(/^1\. A proposal[^]*Yes 1 · No 0[^]*Your vote: Yes$/);
    expect([...messages.values()].filter((text) => text.includes('Yes 1 ·'))).toHaveLength(2);
  });

  it('should follow the vote where a press has opened it', async () => {
    const n = await propose();
    await spread();
    await toTheEnd(service());
    const delivery = fresh.database.of(dao.daoId).selectFrom('deliveries').select('chat');
    const { chat } = await delivery.executeTakeFirstOrThrow();
    const replies = new RepliesRepository(fresh.database);
    const { daoId } = dao;
    const draft = { body: plainText('a draft'), buttons: [] };
    const { generation } = await replies.beginNews({ id: `draft ${count}`, daoId, chat }, draft);
    messages.set('drafted', 'a draft');
    const writer = { id: `draft ${count}`, daoId, chat, generation };
    await replies.put(writer, { n: 0, state: 'sent', messageId: 'drafted', shown: null });
    const shown = { body: plainText('1. A proposal'), buttons: [[{ label: 'Yes', press: `vote:${n}.01234567:yes` }]] };
    const pressed = anUpdate({ daoId, chat, messageId: 'drafted' });
    await service().followPressed(pressed, draft);
    expect(await delivery.execute()).toHaveLength(1);
    for (let time = 0; time < 2; time += 1) await service().followPressed(pressed, shown);
    await service().followPressed({ ...pressed, messageId: 'unknown' }, shown);
    expect(await delivery.execute()).toHaveLength(2);
    await vote(n);
    await toTheEnd(service());
    expect(messages.get('drafted')).toMatch(/^1\. A proposal[^]*Yes 1 · No 0/);
  });

  it('should be left deleted where somebody has deleted it', async () => {
    const n = await propose();
    await spread();
    await toTheEnd(service());
    messages.clear();
    await vote(n);
    await toTheEnd(service());
    expect([...messages.values()]).toEqual([]);
  });

  it('should be given up in a chat that is closed, and come in none later', async () => {
    await propose();
    await spread();
    problem = new DeliveryError('closed', 'blocked');
    await toTheEnd(service());
    problem = undefined;
    await toTheEnd(service());
    expect([...messages.values()]).toEqual([]);
    const { state } = await fresh.database
      .of(dao.daoId)
      .selectFrom('deliveries')
      .select('state')
      .executeTakeFirstOrThrow();
    expect(state).toBe('undeliverable');
  });

  it('should come in what its chat has become, though that is known already, and in nothing twice', async () => {
    await propose();
    await spread();
    const to = `-100${count}`;
    const place = { source: 'tg' as const, chat: to, topic: null, kind: 'group' as const };
    const inbox = new InboxRepository(fresh.database);
    await inbox.accept(anInbound({ place, lane: 'act', body: { kind: 'presence', state: 'here' } }));
    // What is told to a group is for nobody in particular.
    await fresh.database.of(dao.daoId).updateTable('deliveries').set({ member_id: null }).execute();
    problem = new DeliveryError('moved', 'upgraded', { movedTo: to });
    let looks = 0;
    while ((await service().deliverNext(address, 1)).isMore) expect((looks += 1)).toBeLessThan(5);
    problem = undefined;
    address = { ...address, chat: to };
    await toTheEnd(service());
    expect([...messages.values()]).toHaveLength(1);
    expect(poked).toContain(to);
  });

  it('should be tried again where the platform wants to be left alone, and be in the way of nothing', async () => {
    await propose();
    await spread();
    problem = new DeliveryError('limited', 'too many', { retryAfterMs: 5 });
    await expect(service().deliverNext(address, 1)).rejects.toMatchObject({ problem: 'limited' });
    problem = undefined;
    await toTheEnd(service());
    expect([...messages.values()]).toHaveLength(1);
  });

  it('should tell nothing that is over before it could be told', async () => {
    const n = await propose();
    await spread();
    await dao.proposals.withdraw(dao.key(`tg:${address.chat}`), {}, n);
    await toTheEnd(service());
    expect([...messages.values()]).toEqual([]);
  });

  describe('for whom it is no more', () => {
    const user = (): string => `tg:${address.chat}`;
    const gone = (): Promise<unknown> =>
      fresh.database.of(dao.daoId).deleteFrom('identities').where('user_id', '=', user()).execute();

    it('should not be written to whoever was removed meanwhile', async () => {
      await propose();
      await spread();
      await gone();
      await toTheEnd(service());
      expect([...messages.values()]).toEqual([]);
    });

    it('should stay as it was in the chat of whoever was removed since', async () => {
      const other = `tg:8${count}`;
      await addMember(fresh.database.of(dao.daoId), dao.daoId, { userId: other, roles: ['admin'] });
      const n = await propose();
      await spread();
      await toTheEnd(service());
      await gone();
      await dao.vote(other, n, 'yes');
      await toTheEnd(service());
      expect([...messages.values()]).toEqual([expect.stringContaining('Yes 0 ·')]);
    });

    it('should ask nobody for an approval whose role was taken meanwhile, and others in their place', async () => {
      await aRunAt(fresh.database, dao.daoId, APPROVAL);
      await spread();
      await fresh.database
        .of(dao.daoId)
        .updateTable('members')
        .set({ roles: ['member'] })
        .execute();
      await toTheEnd(service());
      expect([...messages.values()]).toEqual([]);
      expect(poked).toContain(dao.daoId);
    });

    it('should be changed once it is decided for those who could decide', async () => {
      const run = await aRunAt(fresh.database, dao.daoId, APPROVAL);
      await spread();
      await toTheEnd(service());
      expect([...messages.values()]).toEqual([expect.stringContaining('Well?')]);
      const [asked] = messages.values();
      await fresh.database
        .of(dao.daoId)
        .updateTable('crew_gates')
        .set({ state: 'closed' })
        .where('run_id', '=', run)
        .execute();
      await toTheEnd(service());
      expect([...messages.values()]).toEqual([expect.stringContaining('Well?')]);
      expect([...messages.values()]).not.toEqual([asked]);
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pino from 'pino';
import type { Reply, ReplyPart } from '../../contracts/dialog.js';
import type { Messenger, OutgoingMessage } from '../../contracts/messenger.js';
import { plainText, type RichText } from '../../contracts/rich-text.js';
import type { RepliesRepository, WriterOf } from '../../adapters/store/replies.repository.js';
import type { StrayMessagesRepository } from '../../adapters/store/stray-messages.repository.js';
import { AppError } from '../../errors/app-error.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import { strict } from '../../../test/factories/strict.js';
import { ReplyWriter, Superseded } from './reply-writer.js';
import { StrayMessages } from './stray-messages.js';

const LIMIT = 10;
const log = pino({ level: 'silent' });

/** What goes wrong at one call of the platform. */
type Fault = 'none' | 'refused' | 'limited' | 'lost before' | 'lost after' | 'killed before' | 'killed after';

/** The process is gone: nothing that it would have done is done. */
class Killed extends Error {}

/** A chat as a platform has it, in which calls go wrong as they are told. */
class Chat {
  readonly messages = new Map<string, string>();
  private next = 100;
  calls = 0;
  /** How often it was asked whether a message is ours. */
  probes = 0;

  constructor(private readonly faults: Fault[] = []) {}

  get texts(): string[] {
    return [...this.messages.values()];
  }

  readonly messenger = strict<Messenger>('messenger', {
    editEveryMs: () => 0,
    split: (body) => {
      const { text } = body;
      if (text.length <= LIMIT) return [body];
      const pieces = text.match(new RegExp(`[^]{1,${LIMIT}}`, 'g')) ?? [text];
      return pieces.map(plainText);
    },
    create: (_place, { body }) => this.call(() => this.add(body)),
    edit: (_place, id, { body }) => this.call(() => this.change(id, body)),
    isOurs: (_place, id) => {
      this.probes += 1;
      return this.call(() => this.messages.has(id));
    },
    remove: (_place, id) => this.call(() => void this.messages.delete(id)),
  });

  /** Numbers of messages below one that nobody knows. */
  unknownBelow(below: string, known: ReadonlySet<string>): string[] {
    const ids = Array.from({ length: Number(below) - 100 }, (_, at) => String(Number(below) - 1 - at));
    return ids.filter((id) => !known.has(id));
  }

  private add({ text }: RichText): string {
    const id = String(this.next);
    this.next += 1;
    this.messages.set(id, text);
    return id;
  }

  private change(id: string, { text }: RichText): void {
    if (!this.messages.has(id)) throw new DeliveryError('missing', 'message to edit not found');
    this.messages.set(id, text);
  }

  private async call<T>(act: () => T): Promise<T> {
    const fault = this.faults[this.calls] ?? 'none';
    this.calls += 1;
    await Promise.resolve();
    if (fault === 'limited') throw new DeliveryError('limited', 'too many', { retryAfterMs: 1 });
    if (fault === 'refused') throw new DeliveryError('refused', 'no');
    if (fault === 'lost before') throw new DeliveryError('unreachable', 'no answer', { maybeDone: true });
    if (fault === 'killed before') throw new Killed();
    const result = act();
    if (fault === 'lost after') throw new DeliveryError('unreachable', 'no answer', { maybeDone: true });
    if (fault === 'killed after') throw new Killed();
    return result;
  }
}

/** Replies as the database has them. */
class Records {
  readonly parts = new Map<number, ReplyPart>();
  readonly again = new Set<number>();
  generation = 0;
  removed = 0;
  private isDone = false;

  constructor(private readonly chat: Chat) {}

  /** Messages that were created again, as the sweep looks for them. */
  readonly strays = strict<StrayMessagesRepository>('strays', {
    createdAgain: () => {
      const place = { source: 'tg' as const, chat: '1', topic: null, kind: 'private' as const };
      const found = [...this.parts.values()].flatMap(({ n, messageId }) =>
        this.isDone && this.again.has(n) && messageId !== null
          ? [{ daoId: 'a-dao', replyId: 'reply', n, chat: 'chat', place, messageId }]
          : [],
      );
      return Promise.resolve(found);
    },
    unknownBelow: ({ messageId: below }) => {
      const known = [...this.parts.values()].flatMap(({ messageId }) => messageId ?? []);
      return Promise.resolve(this.chat.unknownBelow(below, new Set(known)));
    },
    looked: ({ n }, removed) => {
      this.removed += removed;
      this.again.delete(n);
      return Promise.resolve();
    },
  });

  readonly replies = strict<RepliesRepository>('replies', {
    finish: ({ generation }, shown) => {
      if (generation !== this.generation) return Promise.resolve(false);
      for (const one of shown ?? []) {
        const part = this.parts.get(one.n);
        if (part) this.parts.set(one.n, { ...part, shown: one.shown });
      }
      this.isDone = true;
      return Promise.resolve(true);
    },
    put: ({ generation }: WriterOf, part: ReplyPart) => {
      if (generation !== this.generation) return Promise.resolve(false);
      if (this.parts.get(part.n)?.state === 'sending' && part.state === 'sending') this.again.add(part.n);
      this.parts.set(part.n, part);
      return Promise.resolve(true);
    },
    dropFrom: (_writer, n) => {
      for (const key of [...this.parts.keys()].filter((one) => one >= n)) this.parts.delete(key);
      return Promise.resolve();
    },
  });

  /** Whoever writes the reply next. */
  writer(changes: Partial<Reply> = {}): ReplyWriter {
    this.generation += 1;
    const reply: Reply = {
      ...{ id: 'reply', daoId: 'a-dao', chat: 'chat', replyTo: '7', language: 'en', content: null, requestId: 'r' },
      place: { source: 'tg', chat: '1', topic: null, kind: 'private' },
      generation: this.generation,
      isNew: this.generation === 1,
      parts: [...this.parts.values()],
      ...changes,
    };
    if (reply.isNew) this.parts.set(0, { n: 0, state: 'sending', messageId: null, shown: null });
    return new ReplyWriter({ replies: this.replies, log }, this.chat.messenger, reply);
  }
}

const final = (text: string): { body: RichText; buttons: [] } => ({ body: plainText(text), buttons: [] });

/** Writes a reply to its end, as Temporal would: again and again. */
async function write(records: Records, text: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const writer = records.writer();
    try {
      await writer.begin(plainText('…'));
      await writer.draft(plainText(text.slice(0, 4))).catch((error: unknown) => {
        if (error instanceof Killed) throw error;
      });
      await writer.complete(final(text));
      await writer.finish();
      return;
    } catch (error) {
      if (!(error instanceof Killed) && !(error instanceof DeliveryError)) throw error;
    }
  }
  throw new Error('it did not come to an end');
}

/** Looks for what is there too often, as the sweep would: again and again. */
async function clean(records: Records, chat: Chat): Promise<void> {
  const messengers = { tg: chat.messenger };
  for (let tries = 0; records.again.size > 0; tries += 1) {
    if (tries > 100) throw new Error('it did not come to an end');
    await new StrayMessages({ strays: records.strays, messengers, log }).look().catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
  }
}

describe(ReplyWriter.name, () => {
  it('should create a message once and then change it', async () => {
    const chat = new Chat();
    await write(new Records(chat), 'the answer');
    expect(chat.texts).toEqual(['the answer']);
    expect(chat.calls).toBe(3);
  });

  it('should show a long text in several messages, and fewer when it is shorter later', async () => {
    const chat = new Chat();
    const records = new Records(chat);
    await write(records, 'one message and another');
    expect(chat.texts).toEqual(['one messag', 'e and anot', 'her']);
    await records.writer().complete(final('short'));
    expect(chat.texts).toEqual(['short']);
    expect(records.parts.size).toBe(1);
  });

  it('should leave alone what says the same already', async () => {
    const chat = new Chat();
    const records = new Records(chat);
    const said = async (): Promise<void> => {
      const writer = records.writer();
      await writer.begin(plainText('…'));
      await writer.complete(final('the same'));
      await writer.finish();
    };
    await said();
    expect(chat.calls).toBe(2);
    await said();
    expect(chat.calls).toBe(2);
  });

  it('should create a message again that somebody deleted', async () => {
    const chat = new Chat();
    const records = new Records(chat);
    await records.writer().begin(plainText('…'));
    chat.messages.clear();
    await records.writer().complete(final('the answer'));
    expect(chat.texts).toEqual(['the answer']);
  });

  it('should say without marks what is refused with them', async () => {
    const chat = new Chat(['refused']);
    const said: OutgoingMessage[] = [];
    const create = chat.messenger.create.bind(chat.messenger);
    chat.messenger.create = (place, message, key) => {
      said.push(message);
      return create(place, message, key);
    };
    const body: RichText = { text: 'bold', marks: [{ kind: 'bold', at: 0, length: 4 }] };
    await new Records(chat).writer().complete({ body, buttons: [] });
    expect(said.map((message) => message.body.marks.length)).toEqual([1, 0]);
  });

  it('should neither write nor leave a message once another writes the reply', async () => {
    const chat = new Chat();
    const records = new Records(chat);
    const old = records.writer();
    records.writer();
    await expect(old.begin(plainText('…'))).rejects.toBeInstanceOf(Superseded);
    const create = chat.messenger.create.bind(chat.messenger);
    const late = records.writer();
    chat.messenger.create = async (place, message, key) => {
      const id = await create(place, message, key);
      records.writer();
      return id;
    };
    await expect(late.begin(plainText('…'))).rejects.toBeInstanceOf(Superseded);
    expect(chat.texts).toEqual([]);
  });

  it('should be shown to its end before anybody looks for a message that came twice, and look for it whoever dies', async () => {
    // Created and not written down, twice; the third one is; then whoever looks dies once.
    const chat = new Chat(['killed after', 'lost after', 'none', 'none', 'none', 'killed before']);
    const records = new Records(chat);
    await write(records, 'the answer');
    expect(chat.texts).toEqual(['…', '…', 'the answer']);
    expect(chat.probes).toBe(0);
    await clean(records, chat);
    expect(chat.texts).toEqual(['the answer']);
    expect(records.removed).toBe(2);
  });

  it('should write down the id of a message that is there though the database is away for a moment', async () => {
    const chat = new Chat();
    const records = new Records(chat);
    const put = records.replies.put.bind(records.replies);
    let away = 3;
    records.replies.put = (writer, part) => {
      if (part.state !== 'sent' || away === 0) return put(writer, part);
      away -= 1;
      return Promise.reject(new AppError('STORE_UNAVAILABLE'));
    };
    const writer = records.writer();
    await writer.begin(plainText('…'));
    await writer.complete(final('the answer'));
    expect(away).toBe(0);
    expect(chat.texts).toEqual(['the answer']);
  });

  it.each(['closed', 'limited'] as const)(
    'should be looked below once more only where the platform may say something else then: %s',
    async (problem) => {
      const chat = new Chat(['killed after']);
      const records = new Records(chat);
      await write(records, 'the answer');
      chat.messenger.isOurs = () => Promise.reject(new DeliveryError(problem, 'no'));
      await new StrayMessages({ strays: records.strays, messengers: { tg: chat.messenger }, log }).look();
      expect(records.again.size).toBe(problem === 'closed' ? 0 : 1);
    },
  );

  const faults = fc.constantFrom<Fault>(
    'none',
    'limited',
    'lost before',
    'lost after',
    'killed before',
    'killed after',
  );

  it('should come to one reply, whatever goes wrong and wherever the process is killed', async () => {
    let strays = 0;
    const check = async (script: Fault[], text: string): Promise<void> => {
      const chat = new Chat(script);
      const records = new Records(chat);
      await write(records, text);
      await clean(records, chat);
      strays += records.removed;
      expect(chat.texts.join('')).toBe(text);
    };
    const texts = fc.string({ minLength: 1, maxLength: 35 });
    await fc.assert(fc.asyncProperty(fc.array(faults, { maxLength: 12 }), texts, check), { numRuns: 500 });
    // The faults that it is about did happen.
    expect(strays).toBeGreaterThan(100);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { Logger } from 'pino';
import type { Reply, ReplyContent, ReplyPart } from '../../contracts/dialog.js';
import type { Messenger, OutgoingMessage, Place } from '../../contracts/messenger.js';
import type { RichText } from '../../contracts/rich-text.js';
import { plainText } from '../../contracts/rich-text.js';
import type { RepliesRepository } from '../../adapters/store/replies.repository.js';
import { isStoreAway } from '../../adapters/store/errors.js';
import { sha256 } from '../../adapters/digest.js';
import { DeliveryError } from '../../errors/delivery-error.js';

/** For how long the database may be away, in milliseconds, where a message is there and its id is known to nobody else. */
const RECORD_RETRY = { retries: 8, minTimeout: 50, maxTimeout: 1_000 };

/** Somebody else writes a reply by now. */
export class Superseded extends Error {
  override readonly name = 'Superseded';

  constructor() {
    super('another process writes this reply');
  }
}

/** What a message says, as far as a platform can tell it from another. */
const hashOf = (message: Omit<OutgoingMessage, 'replyTo'>): string =>
  sha256(JSON.stringify([message.body, message.buttons]));

export interface ReplyWriterParts {
  replies: RepliesRepository;
  log: Logger;
}

/**
 * The messages of one reply, created once each and then changed. What is about to be created is written down before (of
 * the first message, with the reply), and its id at once after: between the two lies the only moment at which a message
 * can come twice. That it was announced twice is written down, too; whether it came twice, `StrayMessages` finds out.
 */
export class ReplyWriter {
  private readonly parts: Map<number, ReplyPart>;
  /** Messages that say something else than is written down, which whoever comes next may change to the same again. */
  private readonly unwritten = new Set<number>();
  private readonly place: Place;

  constructor(
    private readonly deps: ReplyWriterParts,
    private readonly messenger: Messenger,
    private readonly reply: Reply,
  ) {
    this.parts = new Map(reply.parts.map((part) => [part.n, part]));
    this.place = reply.place;
  }

  /** Whether the first message is there. */
  get isBegun(): boolean {
    return this.parts.get(0)?.state === 'sent';
  }

  /** Shows that something is being written, by a message if none is there yet. @throws DeliveryError, Superseded */
  async begin(body: RichText): Promise<void> {
    if (!this.isBegun) await this.create(0, { body, buttons: [] }, { isDraft: true });
  }

  /** Shows a text in the first message, which is being written. It is not kept what it says. @throws DeliveryError, Superseded */
  async draft(body: RichText): Promise<void> {
    const [piece = body] = this.messenger.split(body);
    const part = this.parts.get(0);
    if (part === undefined || part.messageId === null) return this.begin(piece);
    // What it said in the end is not what it says from now on, whatever becomes of this process.
    if (part.shown !== null) await this.put({ ...part, shown: null });
    await this.messenger.edit(this.place, part.messageId, { body: piece, buttons: [] }, true);
  }

  /** Shows what the reply says in the end, in as many messages as it takes. @throws DeliveryError, Superseded */
  async complete({ body, buttons }: ReplyContent): Promise<void> {
    const pieces = this.messenger.split(body);
    for (const [n, piece] of pieces.entries()) {
      await this.show(n, { body: piece, buttons: n === pieces.length - 1 ? buttons : [] });
    }
    await this.removeFrom(pieces.length);
  }

  /** Shows something else in the messages that are there. What somebody deleted stays deleted. @throws DeliveryError, Superseded */
  async refresh({ body, buttons }: ReplyContent): Promise<void> {
    const there = [...this.parts.values()].filter(({ state }) => state === 'sent').length;
    const pieces = this.messenger.split(body).slice(0, there);
    for (const [n, piece] of pieces.entries()) {
      const part = this.parts.get(n);
      const message = { body: piece, buttons: n === pieces.length - 1 ? buttons : [] };
      if (part?.state !== 'sent' || part.messageId === null || part.shown === hashOf(message)) continue;
      const { messageId } = part;
      try {
        await this.inWords(message, (one) => this.messenger.edit(this.place, messageId, one));
      } catch (error) {
        if (!(error instanceof DeliveryError) || error.problem !== 'missing') throw error;
      }
      this.note({ ...part, shown: hashOf(message) });
    }
  }

  /** Ends the reply, and what it answers. */
  async finish(): Promise<void> {
    const shown = [...this.unwritten].flatMap((n) => this.parts.get(n) ?? []);
    await this.deps.replies.finish(
      this.reply,
      shown.map((part) => ({ n: part.n, shown: part.shown })),
    );
  }

  /** How long a message that is being written is to be left as it is, in milliseconds. */
  get editEveryMs(): number {
    return this.messenger.editEveryMs(this.place);
  }

  /** Tells the platform that something is being written. It fails nobody. */
  async typing(): Promise<void> {
    await this.messenger.typing(this.place).catch(() => undefined);
  }

  private async show(n: number, message: Omit<OutgoingMessage, 'replyTo'>): Promise<void> {
    const part = this.parts.get(n);
    if (part?.state !== 'sent' || part.messageId === null) return this.create(n, message);
    if (part.shown === hashOf(message)) return;
    try {
      await this.inWords(message, (one) => this.messenger.edit(this.place, part.messageId ?? '', one));
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.problem !== 'missing') throw error;
      // Whoever deleted it did not see the end of it.
      await this.put({ n, state: 'planned', messageId: null, shown: null });
      return this.create(n, message);
    }
    this.note({ ...part, shown: hashOf(message) });
  }

  private async create(n: number, message: Omit<OutgoingMessage, 'replyTo'>, { isDraft = false } = {}): Promise<void> {
    const isAgain = this.parts.get(n)?.state === 'sending';
    const planned: ReplyPart = { n, state: 'planned', messageId: null, shown: null };
    if (!this.isAnnounced(n)) await this.put({ ...planned, state: 'sending' });
    const answers = this.answersOf(n);
    const key = `${this.reply.id}.${n}`;
    try {
      const create = (one: OutgoingMessage): Promise<string> => this.messenger.create(this.place, one, key);
      const messageId = await this.inWords({ ...message, ...answers }, create);
      await this.record({ n, state: 'sent', messageId, shown: isDraft ? null : hashOf(message) });
    } catch (error) {
      // Where it was refused for certain, nothing is there that could come twice.
      if (!isAgain && error instanceof DeliveryError && !error.detail.maybeDone) await this.put(planned);
      throw error;
    }
  }

  /** Which message a message of the reply answers: of several only the first does. */
  private answersOf(n: number): Pick<OutgoingMessage, 'replyTo'> {
    const { replyTo } = this.reply;
    return n === 0 && replyTo !== null ? { replyTo } : {};
  }

  /** Whether it was written down with the reply that a message is about to be created: of the first one, the first time. */
  private isAnnounced(n: number): boolean {
    return n === 0 && this.reply.isNew && !this.parts.has(n);
  }

  /** A text that is refused as it is marked is shown without marks rather than not at all. */
  private async inWords<M extends OutgoingMessage, T>(message: M, send: (message: M) => Promise<T>): Promise<T> {
    try {
      return await send(message);
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.problem !== 'refused') throw error;
      this.deps.log.warn(
        { reply: this.reply.id, err: error },
        'a message was refused as it is; it is sent without marks',
      );
      return send({ ...message, body: plainText(message.body.text) });
    }
  }

  /**
   * Writes down a message that was created: for a few seconds, where the database is away, since a second one would come
   * otherwise. Where another process writes the reply it is none of it, and is removed.
   */
  private async record(part: ReplyPart & { messageId: string }): Promise<void> {
    const put = (): Promise<boolean> => this.deps.replies.put(this.reply, part);
    if (await pRetry(put, { ...RECORD_RETRY, shouldRetry: ({ error }) => isStoreAway(error) })) {
      this.parts.set(part.n, part);
      return;
    }
    await this.messenger.remove(this.place, part.messageId).catch(() => undefined);
    throw new Superseded();
  }

  private async put(part: ReplyPart): Promise<void> {
    if (!(await this.deps.replies.put(this.reply, part))) throw new Superseded();
    this.parts.set(part.n, part);
    this.unwritten.delete(part.n);
  }

  private note(part: ReplyPart): void {
    this.parts.set(part.n, part);
    this.unwritten.add(part.n);
  }

  private async removeFrom(n: number): Promise<void> {
    const more = [...this.parts.values()].filter((part) => part.n >= n);
    if (more.length === 0) return;
    for (const { messageId } of more) if (messageId !== null) await this.messenger.remove(this.place, messageId);
    await this.deps.replies.dropFrom(this.reply, n);
    more.forEach((part) => this.parts.delete(part.n));
  }
}

/** Waits, but not longer than until something has happened. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}

import type { Logger } from 'pino';
import type { ChatAddress, DialogStep, Language, OpenUpdate, Reply, ReplyContent } from '../../contracts/dialog.js';
import type { Messenger, Source } from '../../contracts/messenger.js';
import type { Delivery } from '../../contracts/news.js';
import type { DeliveriesRepository } from '../../adapters/store/deliveries.repository.js';
import type { RepliesRepository } from '../../adapters/store/replies.repository.js';
import { languageFor } from '../../domain/dialog/language.js';
import { votedOn } from '../../domain/news/cards.js';
import type { FailedMessages } from '../dialogs/failed-messages.js';
import { OverdueChats } from '../dialogs/overdue-chats.js';
import { ReplyWriter } from '../dialogs/reply-writer.js';
import type { NewsContent } from './news-content.js';
import type { NewsClock } from './news.service.js';

/** Longest time for which a chat waits for what is due, in milliseconds; then it looks again. */
const LONGEST_WAIT_MS = 3_600_000;

export interface DeliveriesParts {
  deliveries: DeliveriesRepository;
  content: Pick<NewsContent, 'of'>;
  replies: RepliesRepository;
  failed: Pick<FailedMessages, 'isLost'>;
  clock: NewsClock;
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  log: Logger;
}

/** Writes news in chats: each message once, and again in its place when what it shows has changed. */
export class DeliveriesService {
  private readonly overdue: OverdueChats;

  constructor(private readonly parts: DeliveriesParts) {
    const { deliveries, clock } = parts;
    this.overdue = new OverdueChats(
      (after, most) => deliveries.overdue(after, most),
      (address) => clock.pokeDialog(address),
    );
  }

  /**
   * Writes the next message about news in a chat, if one is due. Safe to repeat.
   * @param count from one: how often this was tried
   * @throws AppError of what is away; DeliveryError; Superseded: then it is to be tried again
   */
  async deliverNext(address: ChatAddress, count: number): Promise<DialogStep> {
    const delivery = await this.parts.deliveries.next(address);
    if (!delivery) return this.due(address);
    try {
      await this.deliver(delivery);
    } catch (error) {
      await this.giveUp(delivery, address, error, count);
    }
    return { isMore: true, waitMs: null };
  }

  /** Whether something is to be written in a chat, or when. */
  async due(address: ChatAddress): Promise<DialogStep> {
    const ms = await this.parts.deliveries.dueIn(address);
    if (ms === 0) return { isMore: true, waitMs: null };
    return { isMore: false, waitMs: ms === null ? null : Math.min(ms, LONGEST_WAIT_MS) };
  }

  /** Has a reply with buttons to vote show how the vote stands from now on. Safe to repeat. */
  async follow(reply: Reply): Promise<void> {
    const n = reply.content && votedOn(reply.content);
    if (typeof n === 'number') await this.parts.deliveries.follow(reply, n);
  }

  /** As `follow`, of a message that shows something else since a button below it was pressed. Safe to repeat. */
  async followPressed({ daoId, chat, messageId }: OpenUpdate, shown: ReplyContent): Promise<void> {
    const n = votedOn(shown);
    if (n === undefined || daoId === null || messageId === null) return;
    await this.parts.deliveries.followMessage({ daoId, chat, messageId }, n);
  }

  /** Wakes chats in which something ought to be written by now. */
  async sweep(): Promise<void> {
    await this.overdue.wakeNext();
  }

  private async deliver(delivery: Delivery): Promise<void> {
    const { deliveries, content, replies, messengers } = this.parts;
    const { id, news, version, place, speaks, language, isAnew } = delivery;
    const messenger = messengers[place.source];
    if (!messenger || delivery.isClosed || !(await deliveries.isStillFor(delivery))) return this.end(delivery);
    const spoken: Language = speaks ?? languageFor('', language);
    const told = await content.of(delivery, spoken);
    if (!told) return deliveries.finish({ id, daoId: news.daoId, version });
    const begun = await replies.beginNews({ id, daoId: news.daoId, chat: delivery.chat }, told);
    const reply: Reply = {
      ...{ id, daoId: news.daoId, chat: delivery.chat, place, replyTo: null, language: spoken },
      ...{ content: told, requestId: null, generation: begun.generation, isNew: begun.isNew, parts: begun.parts },
    };
    const writer = new ReplyWriter(this.parts, messenger, reply);
    await (isAnew ? writer.refresh(told) : writer.complete(told));
    await writer.finish();
    await deliveries.finish({ id, daoId: news.daoId, version });
  }

  /** What cannot be written is nothing to wait for; a message that is there stays as it is. */
  private async end(delivery: Delivery): Promise<void> {
    const { deliveries } = this.parts;
    const { id, news, version, isAnew } = delivery;
    if (isAnew) return deliveries.finish({ id, daoId: news.daoId, version });
    await deliveries.giveUp(delivery);
    await this.parts.replies.giveUp(id, news.daoId);
    // Where nobody else was told, others may be reached.
    if (news.kind === 'gate_asked') await this.parts.clock.pokeNews(news.daoId);
  }

  private async giveUp(delivery: Delivery, address: ChatAddress, error: unknown, count: number): Promise<void> {
    const { id, chat, news } = delivery;
    const fields = { delivery: id, dao_id: news.daoId, kind: news.kind };
    if (await this.parts.failed.isLost({ address, chat, error, count, fields })) await this.end(delivery);
  }
}

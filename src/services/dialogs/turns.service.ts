import { Mutex } from 'async-mutex';
import type { Logger } from 'pino';
import type { ChatAddress, DialogStep, OpenUpdate, Reply } from '../../contracts/dialog.js';
import type { Messenger, Source } from '../../contracts/messenger.js';
import { plainText } from '../../contracts/rich-text.js';
import type { InboxRepository, NextUpdate } from '../../adapters/store/inbox.repository.js';
import type { RecordedReply, RepliesRepository, ReplyMade } from '../../adapters/store/replies.repository.js';
import type { RequestsRepository } from '../../adapters/store/requests.repository.js';
import { wordsOf } from '../../domain/dialog/joining.js';
import { languageFor } from '../../domain/dialog/language.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import { AppError } from '../../errors/app-error.js';
import type { Accepted } from '../accepted.js';
import type { OutcomesService } from '../outcomes.service.js';
import type { RequestsService } from '../requests.service.js';
import type { DeliveriesService } from '../news/deliveries.service.js';
import { giveUpIfLost, type FailedMessages } from './failed-messages.js';
import type { JoiningService } from './joining.js';
import type { MemoryService } from './memory.service.js';
import type { MessageRate } from './message-rate.js';
import { placeOf, replyOf } from './reply-of.js';
import { ReplyWriter } from './reply-writer.js';
import { RequestReply } from './request-reply.js';
import { stopRequest } from './stop-request.js';
import type { Strangers } from './strangers.js';
import { isRefusal, type Attempt, type Conversation, type Opened, type Turn } from './turn.js';

export interface TurnsParts {
  inbox: InboxRepository;
  replies: RepliesRepository;
  requests: RequestsRepository;
  accepted: Pick<RequestsService, 'joined' | 'cancel'>;
  outcomes: OutcomesService;
  conversation: Conversation;
  failed: Pick<FailedMessages, 'isLost'>;
  /** What is answered as one. */
  joining: Pick<JoiningService, 'settle'>;
  /** How much of a person is answered. */
  rate: Pick<MessageRate, 'beyond'>;
  memory: Pick<MemoryService, 'isDue'>;
  /** Whoever no DAO answers. */
  strangers: Pick<Strangers, 'invitedTo' | 'told'>;
  /** What is written in chats in which nobody waits. */
  news: Pick<DeliveriesService, 'deliverNext' | 'due' | 'follow'>;
  /** Undefined: there is no bot of this platform here. */
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  defaultDao: () => string | undefined;
  log: Logger;
}

/** Messages of chats, answered one after the other. Whatever is repeated finds what of it is done. */
export class TurnsService {
  /**
   * A process begins to answer one message at a time: where more come in than it can answer they wait with Temporal, and
   * whoever takes in the next one need not stand behind them.
   */
  private readonly opening = new Mutex();

  constructor(private readonly parts: TurnsParts) {}

  /**
   * Answers the next message of a chat, if there is one; else writes the news that is due in it.
   * @throws AppError of what is away; DeliveryError; Superseded: then it is to be tried again
   */
  async answerNext(address: ChatAddress, attempt: Attempt): Promise<DialogStep> {
    const next = await this.parts.inbox.next(address, 'turn', this.parts.defaultDao());
    if (!next) return this.parts.news.deliverNext(address, attempt.count);
    const settled = await this.parts.joining.settle(next);
    if ('step' in settled) return settled.step;
    const { update } = settled;
    try {
      await this.answer(update, attempt);
      return { ...(await this.behind(update)), ...(await this.memoryOf(update)) };
    } catch (error) {
      await giveUpIfLost(this.parts, update, error, attempt.count);
    }
    return this.behind(update);
  }

  /** What is next behind a message: others, else news. */
  private behind({ isMore, address }: NextUpdate): Promise<DialogStep> | DialogStep {
    return isMore ? { isMore, waitMs: null } : this.parts.news.due(address);
  }

  /** Whether a dialog has grown too long, once nobody in it waits. */
  private async memoryOf({ isMore, daoId, chat }: NextUpdate): Promise<Pick<DialogStep, 'remember'>> {
    if (isMore || daoId === null) return {};
    const isDue = await this.parts.memory.isDue({ daoId, chat }).catch(() => false);
    return isDue ? { remember: { daoId, chat } } : {};
  }

  private async answer(update: OpenUpdate, { count, signal }: Attempt): Promise<void> {
    const { address, body } = update;
    const messenger = this.parts.messengers[address.source];
    if (!messenger || update.isClosed || body.kind !== 'message') return this.drop(update, messenger);
    const daoId = update.daoId ?? (await this.parts.strangers.invitedTo(update));
    if (daoId === null) return this.answerStranger(update, messenger, count === 1);
    const text = wordsOf(body);
    const turn: Turn = { update, daoId, text, language: languageFor(text, update.language, update.speaks) };
    const reply = await this.replyTo(turn, count === 1);
    if (reply === null) return this.drop(update, messenger);
    if (!reply) return this.parts.inbox.finish(update.id);
    const writer = new ReplyWriter(this.parts, messenger, reply.reply);
    if (reply.reply.content) await writer.complete(reply.reply.content);
    else await this.showAnswer(turn, writer, reply, signal);
    await this.parts.news.follow(reply.reply);
    await writer.finish();
  }

  /** Says, if anything, that no DAO answers. Of that nothing is kept: it may come twice where a process dies meanwhile. */
  private async answerStranger(update: OpenUpdate, messenger: Messenger, isFirst: boolean): Promise<void> {
    const body = update.isStopped ? undefined : await this.parts.strangers.told(update, isFirst);
    if (!body) return this.drop(update, messenger);
    const replyTo = update.messageId === null ? {} : { replyTo: update.messageId };
    await messenger.create(placeOf(update), { body, buttons: [], ...replyTo }, `${update.id}.0`);
    await this.parts.inbox.finish(update.id, 'dropped');
  }

  /** Ends what nobody answers. That the platform goes on showing that an answer will come is no reason not to. */
  private async drop({ id }: OpenUpdate, messenger: Messenger | undefined): Promise<void> {
    try {
      await messenger?.unanswered?.(id);
    } catch (error) {
      this.parts.log.debug({ update: id, err: error }, 'an answer that will not come could not be taken away');
    }
    await this.parts.inbox.finish(id, 'dropped');
  }

  /** Shows the answer of a request. @throws AppError `SHUTTING_DOWN`: it has not come to its end here */
  private async showAnswer(
    { language, daoId }: Turn,
    writer: ReplyWriter,
    { reply: { requestId }, accepted }: ReplyToWrite,
    signal: AbortSignal,
  ): Promise<void> {
    const followed = accepted ?? (await this.joined(requestId ?? '', daoId));
    const shown = new RequestReply(this.parts.outcomes, writer, phrasesIn(language));
    if (!(await shown.write(followed, signal))) throw new AppError('SHUTTING_DOWN');
  }

  private async joined(requestId: string, daoId: string): Promise<Accepted> {
    const record = await this.parts.requests.find(requestId, daoId);
    if (!record) throw new AppError('REQUEST_NOT_FOUND');
    return this.parts.accepted.joined(record);
  }

  /**
   * The reply to a message: as it is on record, or made now. Undefined: there is nothing to say; null: nobody answers it.
   * @param isFirst whether it is tried for the first time: what was let in once stays so
   */
  private async replyTo(turn: Turn, isFirst: boolean): Promise<ReplyToWrite | null | undefined> {
    const { update, daoId } = turn;
    const earlier = update.isAgain ? await this.parts.replies.claim(update.id, daoId) : undefined;
    if (earlier?.revision === update.revision) return this.toWrite(turn, earlier);
    // What is begun is shown as it was stopped; of this nobody has seen anything.
    if (update.isStopped) return null;
    const beyond = isFirst ? await this.parts.rate.beyond(turn) : undefined;
    if (beyond === null) return null;
    const opened = beyond ? { content: beyond } : await this.opened(turn);
    if (!opened) return undefined;
    const made: ReplyMade =
      'content' in opened ? { content: opened.content } : { requestId: opened.accepted.requestId };
    const begun = await this.parts.replies.begin(update, daoId, made);
    return this.toWrite(turn, begun, 'accepted' in opened ? opened.accepted : undefined);
  }

  /** Of what was stopped while it was being begun nobody else has known the request. */
  private async toWrite(turn: Turn, begun: RecordedReply, accepted?: Accepted): Promise<ReplyToWrite> {
    const { isStopped, isDone, requestId } = begun;
    if (isStopped && !isDone && requestId !== null) {
      await stopRequest(this.parts.accepted, requestId, turn.update.actor);
    }
    return { reply: replyOf(turn, begun), ...(accepted && { accepted }) };
  }

  private async opened(turn: Turn): Promise<Opened> {
    try {
      return await this.opening.runExclusive(() => this.parts.conversation.open(turn));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { failed } = phrasesIn(turn.language);
      return { content: { body: plainText(failed(error.code, error.message)), buttons: [] } };
    }
  }
}

/** A reply, and its request if that was begun just now. */
interface ReplyToWrite {
  reply: Reply;
  accepted?: Accepted;
}

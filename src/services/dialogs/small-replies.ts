import type { Logger } from 'pino';
import type { ChatAddress, DialogStep, OpenUpdate, ReplyContent } from '../../contracts/dialog.js';
import type { Messenger, Source } from '../../contracts/messenger.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import type { RepliesRepository } from '../../adapters/store/replies.repository.js';
import { languageFor } from '../../domain/dialog/language.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import type { DeliveriesService } from '../news/deliveries.service.js';
import { giveUpIfLost, type FailedMessages } from './failed-messages.js';
import { placeOf, replyOf } from './reply-of.js';
import { ReplyWriter } from './reply-writer.js';
import type { Attempt } from './turn.js';

export interface SmallRepliesParts {
  inbox: Pick<InboxRepository, 'next' | 'finish'>;
  replies: RepliesRepository;
  failed: Pick<FailedMessages, 'isLost'>;
  news: Pick<DeliveriesService, 'followPressed'>;
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  defaultDao: () => string | undefined;
  log: Logger;
}

/** What is shown of acts that are done: messages of our own, created once, and messages that change. */
export class SmallReplies {
  constructor(private readonly parts: SmallRepliesParts) {}

  /**
   * Shows what is left of the next act of a chat, if there is one. Safe to repeat.
   * @throws AppError of what is away; DeliveryError; Superseded: then it is to be tried again
   */
  async sayNext(address: ChatAddress, { count }: Attempt): Promise<DialogStep> {
    const { inbox } = this.parts;
    const update = await inbox.next(address, 'say', this.parts.defaultDao());
    if (!update) return { isMore: false, waitMs: null };
    const { id, left = {}, isMore } = update;
    try {
      if (left.shows) {
        await this.change(update, left.shows);
        await this.parts.news.followPressed(update, left.shows);
      }
      if (left.says) await this.say(update, left.says);
      await inbox.finish(id);
    } catch (error) {
      await giveUpIfLost(this.parts, update, error, count);
    }
    return { isMore, waitMs: null };
  }

  /** Says something in answer to what came in, once, however often it is done. */
  private async say(update: OpenUpdate, content: ReplyContent): Promise<void> {
    const { daoId, address, language, speaks } = update;
    const messenger = this.parts.messengers[address.source];
    if (daoId === null || !messenger || update.isClosed) return;
    const begun = await this.parts.replies.begin(update, daoId, { content });
    if (begun.isDone) return;
    const reply = replyOf({ update, daoId, language: languageFor('', language, speaks) }, begun);
    const writer = new ReplyWriter(this.parts, messenger, reply);
    await writer.complete(content);
    await writer.finish();
  }

  /** Changes the message that a press was about. It fails nobody: what the press was for is done. */
  private async change(update: OpenUpdate, { body, buttons }: ReplyContent): Promise<void> {
    const messenger = this.parts.messengers[update.address.source];
    if (!messenger || update.messageId === null) return;
    const [piece = body] = messenger.split(body);
    try {
      await messenger.edit(placeOf(update), update.messageId, { body: piece, buttons });
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      this.parts.log.debug({ update: update.id, err: error }, 'a message was not changed after a press');
    }
  }
}

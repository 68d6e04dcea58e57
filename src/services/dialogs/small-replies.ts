import type { Logger } from 'pino';
import type { OpenUpdate, ReplyContent } from '../../contracts/dialog.js';
import type { Messenger, Source } from '../../contracts/messenger.js';
import type { RepliesRepository } from '../../adapters/store/replies.repository.js';
import { languageFor } from '../../domain/dialog/language.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import { placeOf, replyOf } from './reply-of.js';
import { ReplyWriter } from './reply-writer.js';

export interface SmallRepliesParts {
  replies: RepliesRepository;
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  log: Logger;
}

/** What is said beside turns: messages of our own, created once, and messages that change. */
export class SmallReplies {
  constructor(private readonly parts: SmallRepliesParts) {}

  /**
   * Says something in answer to what came in, once, however often it is done; or ends what was begun to be said.
   * @throws DeliveryError, Superseded: then it is to be tried again
   */
  async say(update: OpenUpdate, content: ReplyContent | undefined): Promise<void> {
    const { daoId, id, address, language, speaks } = update;
    const messenger = this.parts.messengers[address.source];
    if (daoId === null || !messenger || update.isClosed || !(content || update.isAgain)) return;
    const { replies } = this.parts;
    const begun = content ? await replies.begin(update, daoId, { content }) : await replies.claim(id, daoId);
    if (!begun?.content || begun.isDone) return;
    const reply = replyOf({ update, daoId, language: languageFor('', language, speaks) }, begun);
    const writer = new ReplyWriter(this.parts, messenger, reply);
    await writer.complete(begun.content);
    await writer.finish();
  }

  /** Changes the message that a press was about. It fails nobody: what the press was for is done. */
  async change(update: OpenUpdate, { body, buttons }: ReplyContent): Promise<void> {
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

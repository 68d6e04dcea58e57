import type { Complaint, Mark } from '../../../contracts/conversation.js';
import type { ReplyContent } from '../../../contracts/dialog.js';
import { storable } from '../../../contracts/text.js';
import type { FeedbackRepository } from '../../../adapters/store/feedback.repository.js';
import type { OffersRepository } from '../../../adapters/store/offers.repository.js';
import type { PendingRepository } from '../../../adapters/store/pending.repository.js';
import type { ShownAnswersRepository } from '../../../adapters/store/shown-answers.repository.js';
import { button, complaintButtons } from '../../../domain/dialog/buttons.js';
import type { Phrases } from '../../../domain/dialog/phrases.js';
import type { Press } from '../../../domain/dialog/presses.js';
import type { AccessService } from '../../access.service.js';
import { BOTS_KEY, type Pressed, type Turn } from '../turn.js';
import { namedBy, question, said } from './asked.js';

/** What reactions say of an answer. */
const REACTIONS: Readonly<Record<string, Mark>> = { '👍': 'good', '❤': 'good', '🔥': 'good', '👎': 'bad', '💩': 'bad' };
/** How some platforms ask for an emoji to be drawn. */
const VARIANT = '\uFE0F';
const LONGEST_COMMENT = 2_000;

export interface FeedbackParts {
  access: Pick<AccessService, 'require'>;
  feedback: Pick<FeedbackRepository, 'mark' | 'takeBack' | 'comment'>;
  answers: Pick<ShownAnswersRepository, 'isTurnOf' | 'ofMessage'>;
  pending: Pick<PendingRepository, 'ask' | 'drop'>;
  offers: Pick<OffersRepository, 'make'>;
}

type Placed = Pick<Turn, 'daoId' | 'update'>;

/** What people think of answers, and what was wrong with them. */
export class FeedbackTalk {
  constructor(private readonly parts: FeedbackParts) {}

  /** A button under an answer. @throws AppError */
  async press(
    placed: Placed,
    { requestId, mark }: Extract<Press, { what: 'mark' }>,
    phrases: Phrases,
  ): Promise<Pressed> {
    if (!(await this.isOfChat(placed, requestId))) return { told: phrases.notYours };
    const says = await this.mark(placed, requestId, { mark, way: 'button' }, phrases);
    return { told: mark === 'good' ? phrases.thanksGood : phrases.thanksBad, says };
  }

  /** Reactions to a message of ours, as they are now. @throws AppError */
  async react(placed: Placed, marks: readonly string[], phrases: Phrases): Promise<ReplyContent | undefined> {
    const { daoId, update } = placed;
    if (update.messageId === null) return undefined;
    const answer = await this.parts.answers.ofMessage(daoId, update.chat, update.messageId);
    const requestId = answer?.requestId ?? null;
    if (requestId === null || !(await this.isOfChat(placed, requestId))) return undefined;
    const mark = marks.map((one) => REACTIONS[one.replaceAll(VARIANT, '')]).find((one) => one !== undefined);
    if (mark !== undefined) return this.mark(placed, requestId, { mark, way: 'reaction' }, phrases);
    await this.parts.feedback.takeBack({ daoId, requestId, actor: update.actor });
    return undefined;
  }

  /** A button that says what was wrong. @throws AppError */
  async complain(placed: Placed, press: Extract<Press, { what: 'wrong' }>, phrases: Phrases): Promise<Pressed> {
    const { update, daoId } = placed;
    const { requestId, complaint } = press;
    if (!(await this.isOfChat(placed, requestId))) return { told: phrases.notYours };
    if (!(await this.comment(placed, requestId, complaint))) return { told: phrases.others };
    if (complaint === ('other' satisfies Complaint)) {
      await this.parts.pending.ask(update, daoId, { kind: 'complaint', requestId });
      const words = question(phrases.inYourWords, update, phrases);
      return { told: words, shows: said(words) };
    }
    await this.parts.pending.drop(update, daoId);
    return { told: phrases.thanksComment, shows: said(phrases.thanksComment) };
  }

  /** What was wrong, in somebody's own words. */
  async explained(turn: Turn, requestId: string, phrases: Phrases): Promise<ReplyContent> {
    const words = storable(turn.text).trim();
    await this.comment(turn, requestId, words.slice(0, LONGEST_COMMENT));
    // It may have been a question all the same.
    const asks = { command: '', args: '', said: turn.text };
    const id = await this.parts.offers.make(turn.update, turn.daoId, asks);
    return said(phrases.thanksComment, [[button(phrases.offerAsk, { what: 'offer', id, choice: 'ask' })]]);
  }

  private comment({ daoId, update }: Placed, requestId: string, words: string): Promise<boolean> {
    return this.parts.feedback.comment({ daoId, requestId, actor: update.actor }, words);
  }

  /** @returns the question what was wrong, for whoever has not said so yet */
  private async mark(
    { daoId, update }: Placed,
    requestId: string,
    { mark, way }: { mark: Mark; way: 'button' | 'reaction' },
    phrases: Phrases,
  ): Promise<ReplyContent | undefined> {
    const isNew = await this.parts.feedback.mark({ daoId, requestId, actor: update.actor }, mark, way);
    if (mark !== 'bad' || !(isNew || update.isAgain)) return undefined;
    await this.parts.pending.ask(update, daoId, { kind: 'complaint', requestId });
    return said(question(phrases.whatWasWrong, update, phrases), complaintButtons(requestId, phrases));
  }

  /** Whether an answer was one of the chat's own; whoever asks may look at what is said in the DAO. */
  private async isOfChat(placed: Placed, requestId: string): Promise<boolean> {
    await this.parts.access.require(BOTS_KEY, namedBy(placed), 'chat.read');
    return this.parts.answers.isTurnOf(placed.daoId, placed.update.chat, requestId);
  }
}

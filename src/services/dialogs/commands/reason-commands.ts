import { GUEST_ROLE, isEntitlement } from '../../../contracts/access.js';
import type { Refused, ReplyContent } from '../../../contracts/dialog.js';
import type { ShownAnswer, ShownAnswersRepository } from '../../../adapters/store/shown-answers.repository.js';
import type { RequestRecord } from '../../../adapters/store/requests.repository.js';
import { costOf, reasonsFor } from '../../../domain/dialog/reasons.js';
import { AppError } from '../../../errors/app-error.js';
import { isErrorCode } from '../../../errors/catalogue.js';
import type { RequestsService } from '../../requests.service.js';
import { BOTS_KEY } from '../turn.js';
import { paragraphs, said, type Asked, type Handlers } from './asked.js';
import type { Refusals } from './refusals.js';

export interface ReasonCommandsParts {
  answers: Pick<ShownAnswersRepository, 'ofMessage' | 'lastTo'>;
  requests: Pick<RequestsService, 'visible'>;
  refusals: Pick<Refusals, 'lacking'>;
}

/** How an answer came about, and what it cost: from the record alone. */
export class ReasonCommands {
  readonly handlers: Handlers = {
    why: (asked) => this.tell(asked, (record) => reasonsFor(record, asked.phrases)),
    cost: (asked) => this.tell(asked, (record) => costOf(record, asked.phrases)),
  };

  constructor(private readonly parts: ReasonCommandsParts) {}

  private async tell(asked: Asked, words: (record: RequestRecord) => ReplyContent['body']): Promise<ReplyContent> {
    const { reason } = asked.phrases;
    const answer = await this.answer(asked);
    if (!answer) return said(reason.none);
    if (answer.refused) return this.refused(asked, answer.refused);
    if (answer.requestId === null) return said(reason.own);
    const record = await this.visible(asked, answer.requestId);
    return said(record ? words(record) : reason.others);
  }

  /** The answer that is replied to, or else the last one to whoever asks. */
  private async answer({ turn: { update, daoId } }: Asked): Promise<ShownAnswer | undefined> {
    const replyTo = update.body.kind === 'message' ? update.body.replyTo : undefined;
    const named = replyTo === undefined ? undefined : await this.parts.answers.ofMessage(daoId, update.chat, replyTo);
    return named ?? this.parts.answers.lastTo(update, daoId);
  }

  private async visible({ turn }: Asked, requestId: string): Promise<RequestRecord | undefined> {
    try {
      return await this.parts.requests.visible(BOTS_KEY, requestId, { userId: turn.update.actor });
    } catch (error) {
      if (error instanceof AppError && error.code === 'REQUEST_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Why somebody was refused: what was lacking, who has it, and what would change that. */
  private async refused({ turn, acting, phrases }: Asked, { code, lacks }: Refused): Promise<ReplyContent> {
    const { reason, failed } = phrases;
    if (lacks === undefined || !isEntitlement(lacks)) {
      return paragraphs([reason.refused, failed(code, isErrorCode(code) ? new AppError(code).message : code)]);
    }
    const roles = reason.rolesNow(acting.rights.roles.join(', '));
    const remedy = acting.rights.roles.includes(GUEST_ROLE) ? reason.remedyGuest : undefined;
    return paragraphs([reason.refused, await this.parts.refusals.lacking(turn, lacks), roles, remedy]);
  }
}

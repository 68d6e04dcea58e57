import { WINDOW_SECONDS, type RequestCounter } from '../../adapters/limits/request-counter.js';
import type { ShownAnswersRepository } from '../../adapters/store/shown-answers.repository.js';
import type { OpenUpdate, ReplyContent } from '../../contracts/dialog.js';
import { plainText } from '../../contracts/rich-text.js';
import { inTime } from '../../domain/dialog/limited.js';
import { phrasesIn } from '../../domain/dialog/phrases.js';
import type { Turn } from './turn.js';

const CODE = 'RATE_LIMITED';
/** So often in a minute somebody is told something in answer to what is never refused: a stop, a mark, a press. */
const MOST_BESIDE = 5;

export interface MessageRateParts {
  counter: Pick<RequestCounter, 'take'>;
  answers: Pick<ShownAnswersRepository, 'wasRefusedSince'>;
  /** Most messages of a person in a DAO that are answered in a minute. */
  perMinute: () => number;
}

/** How many messages of a person are answered in a minute: one who floods costs a DAO no more than that. */
export class MessageRate {
  constructor(private readonly parts: MessageRateParts) {}

  /**
   * Counts a message in, or refuses it.
   * @returns undefined: it may be answered; else what its person is told, or null where they were told so already, in this
   *   chat and minute
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async beyond({ update, daoId, language }: Turn): Promise<ReplyContent | null | undefined> {
    const { counter, answers, perMinute } = this.parts;
    const { allowed, resetMs } = await counter.take(`person:${daoId} ${update.actor}`, perMinute());
    if (allowed) return undefined;
    const since = new Date(Date.now() + resetMs - WINDOW_SECONDS * 1_000);
    if (await answers.wasRefusedSince(update, daoId, { code: CODE, since })) return null;
    const phrases = phrasesIn(language);
    const body = plainText(phrases.tooManyMessages(inTime(resetMs / 1_000, phrases)));
    return { body, buttons: [], refused: { code: CODE } };
  }

  /**
   * Counts what is said beside turns to what somebody did. That is done however often they do it; the messages about it
   * would stand in front of everybody else's in their chat.
   * @returns whether it may be said
   */
  async maySayBeside({ actor, isAgain }: Pick<OpenUpdate, 'actor' | 'isAgain'>): Promise<boolean> {
    // What was begun to be said is ended.
    if (isAgain) return true;
    return (await this.parts.counter.take(`beside:${actor}`, MOST_BESIDE)).allowed;
  }
}

import { GrammyError, HttpError } from 'grammy';
import { cutText } from '../../contracts/text.js';
import { DeliveryError, type DeliveryDetail, type DeliveryProblem } from '../../errors/delivery-error.js';

/** What is known about a call when it fails. */
export interface CallContext {
  method: string;
  /** It stands in every address, so it is taken out of whatever is told. */
  token: string;
}

/** What a caller is asked to wait when the platform does not say how long, in milliseconds. */
const DEFAULT_WAIT_MS = 1_000;
/** Longest description that is passed on, in UTF-16 units. */
const LONGEST = 200;

/** Of the system: there was no connection, so nothing can have been done. */
const NEVER_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'];

/** Descriptions of errors with status 400. They are all that tells one from another. */
const CLOSED =
  /chat not found|user not found|PEER_ID_INVALID|CHAT_WRITE_FORBIDDEN|not enough rights to send|have no rights to send|group chat was deactivated/i;
const MISSING =
  /message to (edit|delete) not found|message can't be (edited|deleted)|MESSAGE_ID_INVALID|message identifier is not specified/i;
const UNCHANGED = /message is not modified/i;
const TOO_LATE = /query is too old|query ID is invalid/i;

type Sentence = readonly [DeliveryProblem, string, DeliveryDetail?];

const isRefusal = (error: unknown, description: RegExp): boolean =>
  error instanceof GrammyError && error.error_code === 400 && description.test(error.description);

/** Whether an edit was refused because the message says this already. It must be one of ours then. */
export const isUnchanged = (error: unknown): boolean => isRefusal(error, UNCHANGED);

/** Whether the answer to a press came when nobody waited for it any more. */
export const isTooLate = (error: unknown): boolean => isRefusal(error, TOO_LATE);

function judgeBadRequest({ description, parameters }: GrammyError, method: string): Sentence {
  const { migrate_to_chat_id: movedTo } = parameters;
  if (movedTo !== undefined) return ['moved', 'the group has become a supergroup', { movedTo: String(movedTo) }];
  const said = `Telegram refused ${method}: ${description}`;
  if (CLOSED.test(description)) return ['closed', said];
  return [MISSING.test(description) ? 'missing' : 'refused', said];
}

/** An answer of the Bot API that says no. */
function judgeAnswer(error: GrammyError, method: string): Sentence {
  const { error_code: code, description, parameters } = error;
  if (code === 429) {
    const asked = parameters.retry_after;
    const retryAfterMs = asked === undefined ? DEFAULT_WAIT_MS : asked * 1_000;
    return ['limited', `Telegram asks to slow down (${method})`, { retryAfterMs }];
  }
  // A token of a wrong shape is an address that is not there.
  if (code === 401 || code === 404) {
    return ['unreachable', `Telegram does not know this bot (HTTP ${code}): check TELEGRAM_BOT_TOKEN`];
  }
  if (code === 403) return ['closed', `Telegram refused ${method}: ${description}`];
  if (code === 409) return ['unreachable', `Telegram hands updates to somebody else: ${description}`];
  if (code >= 400 && code < 500) return judgeBadRequest(error, method);
  return ['unreachable', `Telegram cannot do ${method} now (HTTP ${code})`, { maybeDone: true }];
}

/** No answer of the Bot API. What was thrown holds the address, and with it the token: only its code is passed on. */
function judgeNoAnswer(error: unknown, method: string): Sentence {
  const inner = error instanceof HttpError ? error.error : error;
  const { code, type } =
    typeof inner === 'object' && inner !== null ? (inner as { code?: unknown; type?: unknown }) : {};
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code)) {
    return ['unreachable', `Telegram does not answer ${method} (${code})`, { maybeDone: !NEVER_SENT.includes(code) }];
  }
  const what = type === 'invalid-json' ? 'answered with something that is no JSON to' : 'did not answer';
  return ['unreachable', `Telegram ${what} ${method}`, { maybeDone: true }];
}

/**
 * Turns what grammY threw into a `DeliveryError`. Nothing of the thrown error is kept but words: its address holds the
 * token, its payload what members wrote.
 */
export function translateTelegramError(error: unknown, { method, token }: CallContext): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const judged = error instanceof GrammyError ? judgeAnswer(error, method) : judgeNoAnswer(error, method);
  const [problem, message, detail] = judged;
  const told = cutText(message.replaceAll(token, '[token]'), LONGEST);
  return new DeliveryError(problem, told, detail);
}

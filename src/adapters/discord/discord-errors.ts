import { DiscordAPIError, HTTPError, RateLimitError } from '@discordjs/rest';
import { DeliveryError, type DeliveryDetail, type DeliveryProblem } from '../../errors/delivery-error.js';

/** Codes that Discord gives its refusals, where the status alone does not tell. */
const UNKNOWN_MESSAGE = 10_008;
const NOT_OURS = 50_005;

/** Where Discord names no time, or none that could be waited for, in milliseconds. */
const LEAST_WAIT_MS = 250;
const LONGEST_REASON = 200;
/** Of these the call never reached Discord. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** A call that Discord refused or did not answer. What the client's own errors hold beside this (addresses with tokens in them) stays there. */
export class DiscordError extends DeliveryError {
  constructor(
    problem: DeliveryProblem,
    message: string,
    detail: DeliveryDetail = {},
    /** Discord's own code of a refusal. */
    readonly code?: number,
  ) {
    super(problem, message, detail);
  }
}

/** Translates what the client throws. */
export function discordErrorOf(error: unknown): DiscordError {
  if (error instanceof RateLimitError) {
    const { retryAfter, global: isGlobal, scope } = error;
    const retryAfterMs = Math.max(LEAST_WAIT_MS, Math.ceil(retryAfter));
    const of = isGlobal ? 'the whole bot' : scope;
    return new DiscordError('limited', `Discord bears no more for ${retryAfterMs} ms (limit of: ${of})`, {
      retryAfterMs,
    });
  }
  if (error instanceof DiscordAPIError) return refusalOf(error);
  if (error instanceof HTTPError) {
    return new DiscordError('unreachable', `Discord failed with status ${error.status}`, { maybeDone: true });
  }
  const code = codeOf(error);
  const maybeDone = !NOT_SENT.has(code);
  return new DiscordError('unreachable', `Discord did not answer${code === '' ? '' : ` (${code})`}`, { maybeDone });
}

function refusalOf(error: DiscordAPIError): DiscordError {
  const code = Number(error.code);
  const reason = `${error.message.replace(/\s+/g, ' ').slice(0, LONGEST_REASON)} (${error.status}, ${code})`;
  return new DiscordError(problemOf(error.status, code), `Discord refused: ${reason}`, {}, code);
}

function problemOf(status: number, code: number): DeliveryProblem {
  if (code === UNKNOWN_MESSAGE || code === NOT_OURS) return 'missing';
  if (status === 401 || status === 403 || status === 404) return 'closed';
  return 'refused';
}

/** What kind of failure of the network it was, by the code of the error or of what caused it. */
function codeOf(error: unknown): string {
  if (!Error.isError(error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name === 'AbortError' ? 'timeout' : codeOf(error.cause);
}

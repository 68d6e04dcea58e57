import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { CallerKey } from '../../contracts/access.js';
import { toAppError } from '../../middleware/error.filter.js';
import type { Named } from '../../services/access.service.js';

/** Who reads. */
export interface Reader {
  key: CallerKey;
  /** Who acts and where, as the call says it, unless something more particular does. */
  actingIn: (named?: Named) => Named;
}

/** Refusals after which there might as well be nothing: told apart, they would tell what there is. */
const NOTHING_THERE: readonly number[] = [400, 403, 404, 422];

/** What is not there, not theirs, and no address at all are one answer. */
export const nothingAt = (uri: string): ProtocolError =>
  new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    'There is nothing at this address, or it is not open to you. resources/list shows what is.',
    { uri },
  );

/** Whether what was thrown says that there is nothing, or nothing open to whoever reads. */
export const isNothing = (thrown: unknown): boolean => NOTHING_THERE.includes(toAppError(thrown).status);

/** A refusal as the protocol has it where there is no result to hold it. What is unknown stays a secret of the log. */
export function protocolError(thrown: unknown): ProtocolError {
  if (thrown instanceof ProtocolError) return thrown;
  const { code, message, status, retryAfterSeconds: wait } = toAppError(thrown);
  const kind = status < 500 && status !== 429 ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
  return new ProtocolError(kind, `${code}: ${message}`, { code, ...(wait !== undefined && { retry_after_s: wait }) });
}

/** Reads something, or throws as the protocol has it. */
export async function readAt<T>(uri: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw isNothing(error) ? nothingAt(uri) : protocolError(error);
  }
}

/** As `readAt`, of something that has no address. */
export async function answering<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    throw protocolError(error);
  }
}

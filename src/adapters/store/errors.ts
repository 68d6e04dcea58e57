import { AppError } from '../../errors/app-error.js';

/**
 * SQLSTATE classes of a server that is away, starting or stopping: 08 connection, 53 resources, 57P operator, 58 system;
 * and 25P03 and 25P04, sessions that it ended since their transaction took too long.
 */
const AWAY = /^(08|53|57P|58|25P03|25P04)/;
/** A lock, or a statement, that took longer than the server's limits. The session goes on. */
const TOO_LONG = new Set(['55P03', '57014']);
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
/** Texts of the `pg` client, which carries no code for these. */
const CLIENT_TEXT =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|PGlite is closed|not queryable/i;

/** Whether an error means that the database is away, rather than that the statement is wrong. */
export function isStoreAway(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'STORE_UNAVAILABLE';
  // Node's own errors may come from another realm than ours, where `instanceof` does not know them.
  if (!Error.isError(error)) return false;
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.some(isStoreAway);
  const code = codeOf(error);
  return AWAY.test(code) || NETWORK.has(code) || CLIENT_TEXT.test(error.message);
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

const tookTooLong = (error: unknown): boolean => Error.isError(error) && TOO_LONG.has(codeOf(error));

/**
 * Runs a statement; a database that is away, or too busy to do it within the limits, becomes `STORE_UNAVAILABLE`,
 * everything else passes as it is.
 */
export async function guardStore<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    if (!(error instanceof AppError) && (isStoreAway(error) || tookTooLong(error))) {
      throw new AppError('STORE_UNAVAILABLE', undefined, {}, { cause: error });
    }
    throw error;
  }
}

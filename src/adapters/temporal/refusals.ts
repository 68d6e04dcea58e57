import { isGrpcServiceError, NamespaceNotFoundError, ServiceError } from '@temporalio/client';
import { AppError } from '../../errors/app-error.js';

/** Answers of a server that is there and does not want: to try again would not help. */
const GRPC = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, PERMISSION_DENIED: 7, UNAUTHENTICATED: 16 } as const;
const REFUSALS: readonly number[] = Object.values(GRPC);

/**
 * What the server said, if it said anything. The client wraps it; the services of a native connection throw it as it is,
 * with the words in the message.
 */
function toldBy(error: unknown): { code: number; words: string } | undefined {
  // Both are of this name, whatever the class.
  const told = !isGrpcServiceError(error) && error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(told) ? { code: told.code, words: `${told.message} ${told.details}` } : undefined;
}

/** Whether the server is there and refused what it was asked. */
export function isRefusal(error: unknown): boolean {
  const told = toldBy(error);
  return error instanceof NamespaceNotFoundError || (told !== undefined && REFUSALS.includes(told.code));
}

/** Whether a start was refused since the server does not know our namespace, or not our search attributes any more. */
export function isForgotten(error: unknown): boolean {
  const told = toldBy(error);
  return (
    error instanceof NamespaceNotFoundError ||
    (told?.code === GRPC.INVALID_ARGUMENT && /search attribute/i.test(told.words)) ||
    (told?.code === GRPC.NOT_FOUND && /namespace/i.test(told.words))
  );
}

/** Whether a signal was refused since its workflow was told too much in one run. */
function isFull(error: unknown): boolean {
  const told = toldBy(error);
  return told?.code === GRPC.INVALID_ARGUMENT && /limit for signal/i.test(told.words);
}

/**
 * A poke, where its workflow has room for one. A run that has none ends as soon as what it does has ended, and the next one
 * looks for everything by itself.
 * @throws what the poke does
 */
export async function unlessFull(poke: Promise<unknown>): Promise<void> {
  try {
    await poke;
  } catch (error) {
    if (!(error instanceof AppError) || !isFull(error.cause)) throw error;
  }
}

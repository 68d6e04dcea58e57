import type { InboundBody, OpenUpdate, Unanswered } from '../../contracts/dialog.js';
import { commandOf } from './command.js';

/** Most messages that are answered as one. */
export const MOST_JOINED = 20;
/** A message waits for those that belong to it for so many times the pause between two of them, at most. */
const MOST_PAUSES = 5;

/** What is to be done about messages that may belong together. */
export type Joining =
  /** There may be more soon. */
  | { waitMs: number }
  /** Those that are answered with the first one, in their order. */
  | { ids: string[] };

/** All that a message says, with what is answered with it. */
export const wordsOf = ({ text, more = [] }: Extract<InboundBody, { kind: 'message' }>): string =>
  [text, ...more.map((said) => said.text)].join('\n');

/** Whether a message is words and nothing else: a command, a caption or what a button says stands by itself. */
const isPlain = (body: InboundBody): boolean =>
  body.kind === 'message' &&
  body.text.trim() !== '' &&
  body.attachment === undefined &&
  body.isQuestion === undefined &&
  commandOf(body.text) === undefined;

/**
 * Whether messages may still be joined to one. In Discord there are none: what is said there is a command, and has a place
 * for its answer of its own.
 */
export const isJoinable = ({ address, body, daoId, isClosed, isStopped }: OpenUpdate): boolean =>
  address.source === 'tg' &&
  daoId !== null &&
  !isClosed &&
  !isStopped &&
  isPlain(body) &&
  body.kind === 'message' &&
  body.more === undefined;

/**
 * Which messages are answered with the first one of a chat, or how long to wait for more: until the newest of them is so
 * old, but not for ever.
 * @param behind what stands behind it, in order
 * @param withinMs longest pause between two that belong together
 */
export function joining(
  first: Pick<OpenUpdate, 'actor' | 'receivedAt'>,
  behind: readonly Unanswered[],
  withinMs: number,
  now: number,
): Joining {
  const began = first.receivedAt.getTime();
  const ids: string[] = [];
  let newest = began;
  for (const { id, actor, body, receivedAt, isFree } of behind) {
    const at = receivedAt.getTime();
    const belongs = isFree && actor === first.actor && isPlain(body) && at - newest <= withinMs;
    // Whatever comes later comes after this.
    if (!belongs || ids.length + 1 === MOST_JOINED) return { ids };
    ids.push(id);
    newest = Math.max(newest, at);
  }
  const waitMs = Math.min(newest + withinMs, began + MOST_PAUSES * withinMs) - now;
  return waitMs > 0 ? { waitMs } : { ids };
}

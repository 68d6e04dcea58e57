/**
 * Why a platform did not do what was asked of it. `limited`: not now. `closed`: never in this chat (the bot was blocked or
 * removed, the chat is gone). `moved`: the chat has another id. `missing`: that message is not there. `refused`: never in this
 * form. `unreachable`: no answer, or one that tells nothing.
 */
export type DeliveryProblem = 'limited' | 'closed' | 'moved' | 'missing' | 'refused' | 'unreachable';

/** What is known of a failed delivery beside its kind. */
export interface DeliveryDetail {
  /** Of `limited`: how long, in milliseconds. */
  retryAfterMs?: number;
  /** Of `moved`: the new id of the chat. */
  movedTo?: string;
  /** Whether the platform may have done it all the same. */
  maybeDone?: boolean;
}

/** A call of a chat platform that failed, translated once. Its message never holds a token. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  constructor(
    readonly problem: DeliveryProblem,
    message: string,
    readonly detail: DeliveryDetail = {},
  ) {
    super(message);
  }
}

import { PLATFORM_OWNER, type CallerKey } from '../../contracts/access.js';
import type { Language, Left, OpenUpdate, ReplyContent } from '../../contracts/dialog.js';
import { BOTS_KEY_ID, BOTS_PRINCIPAL } from '../../contracts/ids.js';
import { AppError } from '../../errors/app-error.js';
import type { Accepted } from '../accepted.js';

/** The key with which bots act for the people whom their platforms name. It has no secret: nobody calls with it. */
export const BOTS_KEY: CallerKey = {
  ...{ id: BOTS_KEY_ID, daoId: null, principal: BOTS_PRINCIPAL, gateway: true, owner: PLATFORM_OWNER, scopes: null },
};

/** So often something is tried in a chat that fails for no reason known; behind it others wait. */
export const MOST_ATTEMPTS = 5;

/** A try at a part of a dialog. */
export interface Attempt {
  /** From one. */
  count: number;
  /** Aborted when this process is to go on with it no longer. */
  signal: AbortSignal;
}

/** A message whose turn it is. */
export interface Turn {
  update: OpenUpdate;
  daoId: string;
  language: Language;
  text: string;
}

/** What came of a message: words, a request that answers it, or nothing that is shown. */
export type Opened = { content: ReplyContent } | { accepted: Accepted } | undefined;

/** What is made of messages. */
export interface Conversation {
  /** @throws AppError: refusals are told to the person, what is away is tried again */
  open(turn: Turn): Promise<Opened>;
}

/** What came of a press, and what is to be shown of it. */
export interface Pressed extends Left {
  /** What the person is told at once. */
  told?: string | undefined;
  /** Whether turns are to be looked at. */
  wakesTurns?: boolean;
}

/** What is made of presses, of marks, and of there being nothing to stop. */
export interface Presses {
  press(update: OpenUpdate, data: string): Promise<Pressed>;
  /** @returns what is said in the chat, if anything */
  react(update: OpenUpdate, marks: readonly string[]): Promise<ReplyContent | undefined>;
  /**
   * @param many what was stopped
   * @returns what is said in the chat, if anything
   */
  stopped(update: OpenUpdate, many: number): Promise<ReplyContent | undefined>;
}

/** What is away comes back: nothing is told, and it is tried again. */
const AWAY: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'TEMPORAL_UNAVAILABLE', 'SHUTTING_DOWN']);

/** Whether an error is a refusal that somebody can be told; all others are for whoever tries again. */
export const isRefusal = (error: unknown): error is AppError => error instanceof AppError && !AWAY.has(error.code);

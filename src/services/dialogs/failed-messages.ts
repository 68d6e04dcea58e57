import type { Logger } from 'pino';
import type { ChatAddress, OpenUpdate } from '../../contracts/dialog.js';
import type { ChatsRepository } from '../../adapters/store/chats.repository.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import type { RepliesRepository } from '../../adapters/store/replies.repository.js';
import type { Source } from '../../contracts/messenger.js';
import { AppError } from '../../errors/app-error.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import type { DialogClock } from './dialogs.service.js';
import { Superseded } from './reply-writer.js';
import { MOST_ATTEMPTS } from './turn.js';

/** Platforms that tell when the bot is in a chat again. */
const TELL_OF_PRESENCE: ReadonlySet<Source> = new Set<Source>(['tg']);

/** A message that could not be shown in a chat. */
export interface FailedMessage {
  address: ChatAddress;
  /** Id of the chat's row. */
  chat: string;
  error: unknown;
  /** From one: how often it was tried. */
  count: number;
  /** What it is called in the log. */
  fields: Readonly<Record<string, unknown>>;
}

export interface FailedMessagesParts {
  chats: Pick<ChatsRepository, 'setPresence' | 'move'>;
  clock: DialogClock;
  log: Logger;
}

/** Decides what becomes of messages that could not be shown: others wait behind each of them. */
export class FailedMessages {
  constructor(private readonly parts: FailedMessagesParts) {}

  /**
   * Whether a message is to be given up. One whose chat has another id now is not: it is shown there, and that chat is
   * awake when this returns.
   * @throws what it failed of, where it is to be tried again; AppError `STORE_UNAVAILABLE`, `TEMPORAL_UNAVAILABLE`
   */
  async isLost({ address, chat, error, count, fields: about }: FailedMessage): Promise<boolean> {
    const { chats, clock, log } = this.parts;
    const fields = { ...about, source: address.source, attempt: count, err: error };
    const { problem, detail } = error instanceof DeliveryError ? error : { problem: undefined, detail: {} };
    if (problem === 'moved' && detail.movedTo !== undefined) {
      await chats.move(address, detail.movedTo);
      await clock.pokeDialog({ ...address, chat: detail.movedTo });
      return false;
    }
    const isUnforeseen = !(error instanceof AppError || error instanceof DeliveryError || error instanceof Superseded);
    if (isUnforeseen) log.error(fields, 'a message could not be written');
    if (problem === 'closed') await this.close(address, chat);
    else if (problem !== 'refused' && !(isUnforeseen && count >= MOST_ATTEMPTS)) throw error;
    log.warn(fields, 'a message cannot be shown in a chat; it is given up');
    return true;
  }

  /** Leaves a chat as it is where nobody would tell that it is open again. */
  private async close({ source }: ChatAddress, chat: string): Promise<void> {
    if (TELL_OF_PRESENCE.has(source)) await this.parts.chats.setPresence(chat, false);
  }
}

/** What giving up takes. */
export interface GivingUp {
  failed: Pick<FailedMessages, 'isLost'>;
  inbox: Pick<InboxRepository, 'finish'>;
  replies: Pick<RepliesRepository, 'giveUp'>;
}

/**
 * Ends what came in whose answer can never be shown: others wait behind it.
 * @param count from one: how often it was tried
 * @throws what it failed of, where it is to be tried again, as `FailedMessages.isLost` does
 */
export async function giveUpIfLost(
  { failed, inbox, replies }: GivingUp,
  { id, chat, address, daoId }: OpenUpdate,
  error: unknown,
  count: number,
): Promise<void> {
  if (!(await failed.isLost({ address, chat, error, count, fields: { update: id, dao_id: daoId } }))) return;
  await replies.giveUp(id, daoId);
  await inbox.finish(id, 'dropped');
}

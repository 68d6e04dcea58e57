import type { Logger } from 'pino';
import type { CreatedAgain, StrayMessagesRepository } from '../../adapters/store/stray-messages.repository.js';
import type { Messenger, Source } from '../../contracts/messenger.js';
import { DeliveryError, type DeliveryProblem } from '../../errors/delivery-error.js';

/** Most messages of which nothing is known that are touched below one. */
const MOST = 20;
/** Where the platform says so, it says so tomorrow, too. */
const FOR_GOOD: readonly DeliveryProblem[] = ['closed', 'moved', 'refused', 'missing'];

export interface StrayMessagesParts {
  strays: Pick<StrayMessagesRepository, 'createdAgain' | 'unknownBelow' | 'looked'>;
  messengers: Readonly<Partial<Record<Source, Messenger>>>;
  log: Logger;
}

/**
 * Removes messages that came twice: ours, just below one that was created again, and known to nobody. Nobody waits for
 * it, and each touch takes a place in the chat's line: so it is done once the reply is shown, beside everything else.
 */
export class StrayMessages {
  private looking: Promise<void> | undefined;

  constructor(private readonly parts: StrayMessagesParts) {}

  /** Begins to look, unless that is under way. What was not looked for to the end is looked for again by the next sweep. */
  sweep(): Promise<void> {
    this.looking ??= this.look()
      .catch((error: unknown) => {
        this.parts.log.warn({ err: error }, 'messages that may have come twice could not be looked for');
      })
      .finally(() => {
        this.looking = undefined;
      });
    return Promise.resolve();
  }

  /** Looks below all messages that were created again. @throws AppError `STORE_UNAVAILABLE` */
  async look(): Promise<void> {
    for (const created of await this.parts.strays.createdAgain()) {
      const messenger = this.parts.messengers[created.place.source];
      if (messenger) await this.below(created, messenger);
    }
  }

  private async below(created: CreatedAgain, messenger: Messenger): Promise<void> {
    const { strays, log } = this.parts;
    let removed = 0;
    try {
      for (const id of await strays.unknownBelow(created, MOST)) {
        if (!(await messenger.isOurs(created.place, id))) continue;
        await messenger.remove(created.place, id);
        removed += 1;
      }
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      log.warn(
        { reply: created.replyId, err: error },
        'a message that may have come twice was not looked for to the end',
      );
      if (!FOR_GOOD.includes(error.problem)) return;
    }
    await strays.looked(created, removed);
  }
}

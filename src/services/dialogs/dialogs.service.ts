import type { Logger } from 'pino';
import { addressOf, type ChatAddress, type Inbound, type Lane } from '../../contracts/dialog.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';

/** Where the workflows of chats are told that something came in. */
export interface DialogClock {
  /** @throws AppError `TEMPORAL_UNAVAILABLE` */
  pokeDialog(address: ChatAddress, lane?: Lane): Promise<void>;
}

/** The door for everything that comes in from platforms. */
export class DialogsService {
  constructor(
    private readonly inbox: InboxRepository,
    private readonly clock: DialogClock,
    private readonly log: Logger,
  ) {}

  /**
   * Takes something in. When this returns, nothing that happens to this process loses it; taken in again it changes
   * nothing.
   * @throws AppError `STORE_UNAVAILABLE`, `TEMPORAL_UNAVAILABLE`: then the platform is to deliver it again
   */
  async receive(inbound: Inbound): Promise<void> {
    const { place, lane } = inbound;
    const { id, state, isNew } = await this.inbox.accept(inbound);
    if (!isNew) this.log.info({ update: id, state }, 'an update was delivered again');
    if (state === 'waiting' || state === 'open') await this.clock.pokeDialog(addressOf(place), lane);
  }

  /**
   * Takes back what came in and was not accepted, so that nobody does it later.
   * @returns false: somebody does it already
   * @throws AppError `STORE_UNAVAILABLE`
   */
  withdraw(updateKey: string): Promise<boolean> {
    return this.inbox.withdraw(updateKey);
  }

  /** Wakes chats in which something ought to be done by now. */
  async sweep(): Promise<void> {
    for (const address of await this.inbox.overdue()) await this.clock.pokeDialog(address);
  }
}

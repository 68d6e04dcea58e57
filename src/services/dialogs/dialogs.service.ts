import type { Logger } from 'pino';
import { addressOf, type ChatAddress, type Inbound, type Lane } from '../../contracts/dialog.js';
import type { InboxRepository } from '../../adapters/store/inbox.repository.js';
import { OverdueChats } from './overdue-chats.js';

/** Where the workflows of chats are told that something came in. */
export interface DialogClock {
  /** @throws AppError `TEMPORAL_UNAVAILABLE` */
  pokeDialog(address: ChatAddress, lane?: Lane): Promise<void>;
}

/** The door for everything that comes in from platforms. */
export class DialogsService {
  private readonly overdue: OverdueChats;

  /** @param mostWaiting most messages that wait in a chat, as the profile says at the moment */
  constructor(
    private readonly inbox: InboxRepository,
    private readonly clock: DialogClock,
    private readonly mostWaiting: () => number,
    private readonly log: Logger,
  ) {
    this.overdue = new OverdueChats(
      (after, most) => inbox.overdue(after, most),
      (address) => clock.pokeDialog(address),
    );
  }

  /**
   * Takes something in. When this returns, nothing that happens to this process loses it; taken in again it changes
   * nothing.
   * @returns false: too much waits in the chat, its person was told so a moment ago, and nothing comes of it
   * @throws AppError `STORE_UNAVAILABLE`, `TEMPORAL_UNAVAILABLE`: then the platform is to deliver it again
   */
  async receive(inbound: Inbound): Promise<boolean> {
    const { place, lane } = inbound;
    const { id, state, isNew, isBeyond } = await this.inbox.accept(inbound, this.mostWaiting());
    if (!isNew) this.log.info({ update: id, state }, 'an update was delivered again');
    else if (isBeyond) this.log.debug({ update: id, state }, 'too much waits in a chat; a message is left out');
    if (state === 'waiting' || state === 'open') await this.clock.pokeDialog(addressOf(place), isBeyond ? 'act' : lane);
    return !(isBeyond && state === 'dropped');
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
    await this.overdue.wakeNext();
  }
}

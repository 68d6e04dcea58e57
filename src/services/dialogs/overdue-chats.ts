import type { ChatAddress } from '../../contracts/dialog.js';

/** So many chats are woken at a time. */
const AT_ONCE = 200;

/** A chat in which something ought to be done by now. */
export interface OverdueChat {
  /** Of its row. */
  id: string;
  address: ChatAddress;
}

/**
 * Wakes chats in which something ought to be done by now: some at a time, then those behind them, then from the first one on
 * again. So none stands for ever behind others, in which somebody is at work as it should be, or which cannot be woken.
 */
export class OverdueChats {
  private after = '';

  /** @param find those behind a row, in the order of their rows */
  constructor(
    private readonly find: (after: string, most: number) => Promise<OverdueChat[]>,
    private readonly wake: (address: ChatAddress) => Promise<void>,
  ) {}

  /** Wakes the next ones. @throws AppError `STORE_UNAVAILABLE`, `TEMPORAL_UNAVAILABLE` */
  async wakeNext(): Promise<void> {
    const found = await this.find(this.after, AT_ONCE);
    for (const { id, address } of found) {
      this.after = id;
      await this.wake(address);
    }
    if (found.length < AT_ONCE) this.after = '';
  }
}

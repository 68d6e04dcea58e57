import type { DialogStep } from '../../contracts/dialog.js';
import type { InboxRepository, NextUpdate } from '../../adapters/store/inbox.repository.js';
import { isJoinable, joining, MOST_JOINED } from '../../domain/dialog/joining.js';

/** A message with all that is answered with it; or what to do before it is answered. */
export type Settled = { update: NextUpdate } | { step: DialogStep };

/** Messages that somebody sends quickly one after the other, answered as one. */
export class JoiningService {
  /** @param withinMs longest pause between two of them, as the profile says at the moment; 0: each is by itself */
  constructor(
    private readonly inbox: Pick<InboxRepository, 'behind' | 'join'>,
    private readonly withinMs: () => number,
  ) {}

  /**
   * Decides, once and on record, what is answered with a message; or has its chat wait for more.
   * @throws AppError `STORE_UNAVAILABLE`
   */
  async settle(update: NextUpdate): Promise<Settled> {
    const withinMs = this.withinMs();
    if (withinMs === 0 || !isJoinable(update)) return { update };
    const behind = update.isMore ? await this.inbox.behind(update, MOST_JOINED) : [];
    const found = joining(update, behind, withinMs, Date.now());
    if ('waitMs' in found) return { step: { isMore: false, waitMs: found.waitMs } };
    const joined = await this.inbox.join(update, found.ids);
    // Another one, which is being replaced, has decided it just now.
    if (!joined) return { step: { isMore: true, waitMs: null } };
    // Nobody has begun with a message of which this was not decided.
    return { update: { ...update, ...joined, isAgain: false, isMore: behind.length > found.ids.length } };
  }
}

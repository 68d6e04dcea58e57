import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Inbound } from '../../contracts/dialog.js';
import type { DiscordDeed } from '../../schemas/discord.js';
import type { DialogsService } from '../../services/dialogs/dialogs.service.js';

/** Discord waits for three seconds and never asks again: after so long a person is told that it was not accepted. */
const ACCEPT_MS = 1_800;
/** For so long it is tried to take something back before a person is told so, in milliseconds. */
const TAKE_BACK_MS = 500;
const AGAIN_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** What became of what somebody did. `full`: too much waits where they are. */
export type Acceptation = 'accepted' | 'full' | 'refused';

/** Where interactions are kept, so that whoever answers can reach them. */
export interface InteractionKeeper {
  /** @returns false: it is kept already */
  keep(interaction: {
    updateKey: string;
    id: string;
    applicationId: string;
    token: string;
    isPrivate: boolean;
  }): Promise<boolean>;
}

/** What became of something within a time; undefined: nothing yet. */
async function within<T>(ms: number, outcome: Promise<T>): Promise<{ value: T } | { error: unknown } | undefined> {
  const over = new AbortController();
  const settled = outcome.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  const first = await Promise.race([settled, late]);
  over.abort();
  return first;
}

/**
 * Takes in what people do in Discord. Either it is written down and its chat is awake before Discord is answered, or its
 * person is told that it was not accepted, and then nobody does it later.
 */
export class Acceptance {
  private readonly stopping = new AbortController();

  constructor(
    private readonly dialogs: Pick<DialogsService, 'receive' | 'withdraw'>,
    private readonly keeper: InteractionKeeper,
    private readonly log: Logger,
  ) {}

  async accept(deed: DiscordDeed, inbound: Inbound, isPrivate: boolean): Promise<Acceptation> {
    let isRepeated = false;
    const take = async (): Promise<boolean> => {
      const { id, application_id: applicationId, token } = deed;
      isRepeated = !(await this.keeper.keep({ updateKey: inbound.updateKey, id, applicationId, token, isPrivate }));
      return this.dialogs.receive(inbound);
    };
    const taken = take();
    const outcome = await within(ACCEPT_MS, taken);
    if (outcome && 'value' in outcome) return outcome.value ? 'accepted' : 'full';
    this.log.warn(
      { update: inbound.updateKey, err: outcome?.error },
      outcome ? 'an interaction could not be taken in' : 'an interaction could not be taken in in time',
    );
    // Whoever sends it again takes nothing back that was accepted before.
    return isRepeated || !(await this.takeBack(inbound.updateKey, taken)) ? 'accepted' : 'refused';
  }

  /** Ends what is still being tried in the background. */
  stop(): void {
    this.stopping.abort();
  }

  /** @returns false: somebody does it already, so that it was accepted after all */
  private async takeBack(updateKey: string, taken: Promise<unknown>): Promise<boolean> {
    const first = await within(TAKE_BACK_MS, this.dialogs.withdraw(updateKey));
    if (first && 'value' in first && !first.value) return false;
    // What is still under way may be written down after this.
    void this.takeBackLater(updateKey, taken);
    return true;
  }

  private async takeBackLater(updateKey: string, taken: Promise<unknown>): Promise<void> {
    const { signal } = this.stopping;
    await taken.catch(() => undefined);
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const isTakenBack = await this.dialogs.withdraw(updateKey);
        if (!isTakenBack) this.log.warn({ update: updateKey }, 'what was not accepted had begun; it goes on');
        return;
      } catch (error) {
        if (failures === 0)
          this.log.warn({ update: updateKey, err: error }, 'it could not be taken back; trying again');
        const pause = Math.min(AGAIN_MS * 2 ** failures, LONGEST_PAUSE_MS);
        await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }
}

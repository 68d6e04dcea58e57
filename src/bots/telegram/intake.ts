import type { Logger } from 'pino';
import { AppError } from '../../errors/app-error.js';
import { TelegramUpdateIdSchema, TelegramUpdateSchema } from '../../schemas/telegram.js';
import type { DialogsService } from '../../services/dialogs/dialogs.service.js';
import { readUpdate, type TelegramSelf } from './read-update.js';

/** Where updates of Telegram come in, however they were fetched. */
export class TelegramIntake {
  private self: TelegramSelf | undefined;

  constructor(
    private readonly dialogs: Pick<DialogsService, 'receive'>,
    private readonly log: Logger,
  ) {}

  /** Tells who the bot is; before that nothing can be taken in. */
  introduce(self: TelegramSelf): void {
    this.self = self;
  }

  /**
   * Takes an update in. What is nothing to us, or cannot be read, is done with by that: it must not hold up what comes
   * behind it.
   * @throws AppError `BODY_INVALID` for what is no update; `STORE_UNAVAILABLE`, `TEMPORAL_UNAVAILABLE`, `STARTING`
   */
  async take(update: unknown): Promise<void> {
    const known = TelegramUpdateIdSchema.safeParse(update);
    if (!known.success) throw new AppError('BODY_INVALID', 'This is no update of Telegram: it has no update_id.');
    if (!this.self) throw new AppError('BOT_STARTING');
    const parsed = TelegramUpdateSchema.safeParse(update);
    if (!parsed.success) {
      const fields = {
        update_id: known.data.update_id,
        problems: parsed.error.issues.map(({ path }) => path.join('.')),
      };
      this.log.warn(fields, 'an update of Telegram could not be read; it is left out');
      return;
    }
    const inbound = readUpdate(parsed.data, this.self);
    if (inbound) await this.dialogs.receive(inbound);
  }
}

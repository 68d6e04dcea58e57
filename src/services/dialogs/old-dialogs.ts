import type { Logger } from 'pino';
import type { OldDialogsRepository } from '../../adapters/store/old-dialogs.repository.js';

/** Forgets what chats wrote and were shown, once it was kept for as long as the profile says. */
export class OldDialogs {
  constructor(
    private readonly old: OldDialogsRepository,
    private readonly keptDays: () => number,
    private readonly log: Logger,
  ) {}

  /** Forgets some of it. @throws AppError `STORE_UNAVAILABLE` */
  async sweep(): Promise<void> {
    const count = await this.old.forget(this.keptDays());
    if (count > 0) this.log.info({ count }, 'old messages of chats deleted');
  }
}

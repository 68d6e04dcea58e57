import type { Logger } from 'pino';
import type { NewsStep } from '../../contracts/news.js';
import type { NewsRepository } from '../../adapters/store/news.repository.js';
import { toldAt } from '../../domain/news/quiet-hours.js';
import type { DialogClock } from '../dialogs/dialogs.service.js';

/** Most chats that are told at a time. */
const AT_ONCE = 5;
/** After a change one looks for news so long later: others may follow at once, in milliseconds. */
const LOOK_AFTER_MS = 150;

/** Where the workflow of a DAO's news is told to look. */
export interface NewsClock extends DialogClock {
  /** @throws AppError `TEMPORAL_UNAVAILABLE` */
  pokeNews(daoId: string): Promise<void>;
}

export interface NewsParts {
  news: NewsRepository;
  clock: NewsClock;
  /** Whether there is anybody here who writes. */
  isOn: () => boolean;
  log: Logger;
}

/** Brings what happened to whom it is for. */
export class NewsService {
  private readonly looking = new Set<string>();

  constructor(private readonly parts: NewsParts) {
    parts.news.onChange((daoId) => {
      this.changed(daoId);
    });
  }

  /**
   * Makes messages for some more people, and tells some chats that there is something to write. Safe to repeat, and to do
   * in several places at once.
   * @throws AppError `STORE_UNAVAILABLE`, `TEMPORAL_UNAVAILABLE`
   */
  async step(daoId: string): Promise<NewsStep> {
    const { news, clock } = this.parts;
    const isMore = await news.spreadNext(daoId, toldAt);
    const round = await news.nextRound(daoId);
    if (!round) return isMore ? { isMore, waitMs: null } : { isMore, waitMs: await news.roundIn(daoId) };
    for (let at = 0; at < round.chats.length; at += AT_ONCE) {
      await Promise.all(round.chats.slice(at, at + AT_ONCE).map(({ address }) => clock.pokeDialog(address, 'turn')));
    }
    await news.endRound(round);
    return { isMore: true, waitMs: null };
  }

  /** Finds what follows from the time alone, and what nobody has spread. */
  async sweep(): Promise<void> {
    const { news, clock, isOn } = this.parts;
    await news.forgetOld();
    if (!isOn()) return;
    await news.derive();
    for (const daoId of await news.overdue()) await clock.pokeNews(daoId);
  }

  /** Nobody waits for it, and no change fails for it: what is missed here the sweep finds. */
  private changed(daoId: string): void {
    if (!this.parts.isOn() || this.looking.has(daoId)) return;
    this.looking.add(daoId);
    setTimeout(() => void this.look(daoId), LOOK_AFTER_MS).unref();
  }

  private async look(daoId: string): Promise<void> {
    const { news, clock, log } = this.parts;
    this.looking.delete(daoId);
    try {
      if (await news.isPending(daoId)) await clock.pokeNews(daoId);
    } catch (error) {
      log.debug({ dao_id: daoId, err: error }, 'news was not looked for; this is done later');
    }
  }
}

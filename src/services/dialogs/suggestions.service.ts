import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatsRepository, Saying } from '../../adapters/store/chats.repository.js';
import type { AccessService } from '../access.service.js';
import type { ProposalsService } from '../proposals.service.js';
import { BOTS_KEY } from './turn.js';

/** Most suggestions that are shown, and most proposals that are looked through for them. */
const MOST = 25;
const LOOKED_AT = 200;
/** Whoever types waits no longer, in milliseconds. */
const WITHIN_MS = 1_500;

export interface SuggestionsParts {
  chats: Pick<ChatsRepository, 'daoOf'>;
  access: Pick<AccessService, 'resolve'>;
  proposals: Pick<ProposalsService, 'page'>;
  defaultDao: () => string | undefined;
}

/** Who is typing what, and where. */
export interface Typing extends Omit<Saying, 'text'> {
  typed: string;
}

/** What is suggested to somebody while they type. */
export class SuggestionsService {
  constructor(private readonly parts: SuggestionsParts) {}

  /** Whether there is a DAO in which somebody can be answered. @throws AppError `STORE_UNAVAILABLE` */
  async hasDao(saying: Saying): Promise<boolean> {
    const usual = this.parts.defaultDao();
    return usual !== undefined || (await this.parts.chats.daoOf(saying, usual)) !== undefined;
  }

  /**
   * Proposals of the chat's DAO whose number or title fits, the newest first; none where the person may not read them.
   * @throws AppError those of access
   */
  async proposals(typing: Typing): Promise<{ n: number; title: string }[]> {
    const late = sleep(WITHIN_MS, [], { ref: false });
    return Promise.race([this.found(typing), late]);
  }

  private async found({ place, space, actor, typed }: Typing): Promise<{ n: number; title: string }[]> {
    const { chats, access, proposals, defaultDao } = this.parts;
    const daoId = await chats.daoOf({ place, space, actor, text: '' }, defaultDao());
    if (daoId === undefined) return [];
    // Asked here and not there: nobody is refused anything by typing, so nothing of it goes on the record.
    const { rights } = await access.resolve(BOTS_KEY, { daoId, userId: actor });
    if (!rights.entitlements.includes('chat.read')) return [];
    const { items } = await proposals.page(daoId, { limit: LOOKED_AT });
    const wanted = typed.trim().toLowerCase();
    const fits = items.filter(({ n, title }) => `${n}`.startsWith(wanted) || title.toLowerCase().includes(wanted));
    return fits.slice(0, MOST).map(({ n, title }) => ({ n, title }));
  }
}

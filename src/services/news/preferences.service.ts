import type { CallerKey } from '../../contracts/access.js';
import { TOPICS, type Preferences, type QuietHours, type Topic } from '../../contracts/news.js';
import type { PreferencesRepository } from '../../adapters/store/preferences.repository.js';
import { isTimeZone } from '../../domain/news/quiet-hours.js';
import { AppError } from '../../errors/app-error.js';
import type { AccessService, Named } from '../access.service.js';

/** What somebody changes of what they want to hear. */
export interface PreferencesPatch {
  mute?: readonly Topic[];
  unmute?: readonly Topic[];
  /** Null: never quiet. */
  quiet?: QuietHours | null;
  timeZone?: string;
}

/** What a member of a DAO wants to hear, and when not. It is each member's own, and nobody else's. */
export class PreferencesService {
  constructor(
    private readonly preferences: PreferencesRepository,
    private readonly access: AccessService,
  ) {}

  /** @throws AppError `MEMBER_NOT_FOUND` for a guest, and those of access */
  async get(key: CallerKey, named: Named): Promise<Preferences> {
    const { daoId, member } = await this.own(key, named);
    return this.preferences.of(daoId, member);
  }

  /**
   * Changes what somebody wants, and leaves what is not named as it was.
   * @throws AppError `BODY_INVALID` for a time zone that there is not, `MEMBER_NOT_FOUND` for a guest, and those of access
   */
  async change(key: CallerKey, named: Named, patch: PreferencesPatch): Promise<Preferences> {
    const { daoId, member } = await this.own(key, named);
    const before = await this.preferences.of(daoId, member);
    const { mute = [], unmute = [], quiet = before.quiet, timeZone = before.timeZone } = patch;
    if (!isTimeZone(timeZone)) throw new AppError('BODY_INVALID', `There is no time zone "${timeZone}".`);
    const isMuted = (topic: Topic): boolean =>
      mute.includes(topic) || (before.muted.includes(topic) && !unmute.includes(topic));
    const after = { muted: TOPICS.filter(isMuted), quiet, timeZone };
    await this.preferences.put(daoId, member, after);
    return after;
  }

  /** Where a member lives, as they said, or as most do. */
  async zoneOf(daoId: string, member: string): Promise<string> {
    return (await this.preferences.of(daoId, member)).timeZone;
  }

  private async own(key: CallerKey, named: Named): Promise<{ daoId: string; member: string }> {
    const { daoId, facts } = await this.access.require(key, named, 'chat.read');
    if (facts.member === undefined) throw new AppError('MEMBER_NOT_FOUND');
    return { daoId, member: facts.member };
  }
}

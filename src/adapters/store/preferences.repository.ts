import { USUAL_PREFERENCES, type Preferences } from '../../contracts/news.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** What members want to hear, and when not. */
export class PreferencesRepository {
  constructor(private readonly tenants: Tenants) {}

  /** As the member set it, or as usual. */
  async of(daoId: string, member: string): Promise<Preferences> {
    const row = await guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('preferences')
        .where('dao_id', '=', daoId)
        .where('member_id', '=', member)
        .select(['muted', 'quiet_from', 'quiet_to', 'time_zone'])
        .executeTakeFirst(),
    );
    if (!row) return USUAL_PREFERENCES;
    const { quiet_from: from, quiet_to: to } = row;
    const quiet = from === null || to === null ? null : { from, to };
    return { muted: row.muted, quiet, timeZone: row.time_zone };
  }

  /** Keeps what a member wants, in place of what they wanted before. */
  async put(daoId: string, member: string, { muted, quiet, timeZone }: Preferences): Promise<void> {
    const values = {
      muted: [...muted],
      ...{ quiet_from: quiet?.from ?? null, quiet_to: quiet?.to ?? null, time_zone: timeZone },
    };
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .insertInto('preferences')
        .values({ dao_id: daoId, member_id: member, ...values })
        .onConflict((conflict) => conflict.columns(['dao_id', 'member_id']).doUpdateSet(values))
        .execute(),
    );
  }
}

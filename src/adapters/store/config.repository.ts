import { sql } from 'kysely';
import type { RoutingTable } from '../../contracts/routing.js';
import type { Tenants } from './tenants.js';
import { guardStore } from './errors.js';

/** A profile as it became active. */
export interface Activation {
  /** Which profile: its name, or its file. */
  profile: string;
  /** Of the whole resolved profile. */
  hash: string;
  /** As written, with what it extends. */
  document: unknown;
  /** As compiled where it became active. */
  compiled: RoutingTable;
  /** Who confirmed it; null where nobody had to. */
  confirmedBy: string | null;
}

export type RecordedActivation = Activation & { at: Date };

/** Profiles in the order in which they became active, and which changes somebody has confirmed. */
export class ConfigRepository {
  constructor(private readonly tenants: Tenants) {}

  /** The last activation of a profile, in whatever process. */
  async latest(profile: string): Promise<RecordedActivation | undefined> {
    const row = await guardStore(() =>
      this.tenants.all
        .selectFrom('config_activations')
        .where('profile', '=', profile)
        .orderBy('seq', 'desc')
        .limit(1)
        .select(['profile', 'hash', 'document', 'compiled', 'confirmed_by', 'at'])
        .executeTakeFirst(),
    );
    if (!row) return undefined;
    const { confirmed_by: confirmedBy, ...rest } = row;
    return { ...rest, confirmedBy };
  }

  /**
   * Records an activation, unless the last one of this profile has the same hash: another process was quicker.
   * @returns whether it was recorded
   */
  async record({ profile, hash, document, compiled, confirmedBy }: Activation): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql`
        insert into config_activations (profile, hash, table_hash, document, compiled, confirmed_by)
        select ${profile}::text, ${hash}::text, ${compiled.hash}::text,
          ${JSON.stringify(document)}::jsonb, ${JSON.stringify(compiled)}::jsonb, ${confirmedBy}::text
        where ${hash} is distinct from (
          select hash from config_activations where profile = ${profile} order by seq desc limit 1
        )
        returning seq
      `.execute(this.tenants.all),
    );
    return rows.length === 1;
  }

  /**
   * Who confirmed this hash since a profile last became active. Older confirmations do not count: what somebody wanted
   * once, and has left since, must not come back by saving a file.
   */
  async confirmedBy(hash: string, profile: string): Promise<string | undefined> {
    const last = this.tenants.all
      .selectFrom('config_activations')
      .where('profile', '=', profile)
      .select(sql<Date>`coalesce(max(at), '-infinity')`.as('at'));
    const row = await guardStore(() =>
      this.tenants.all
        .selectFrom('config_confirmations')
        .where('hash', '=', hash)
        .where('at', '>', last)
        .select('confirmed_by')
        .executeTakeFirst(),
    );
    return row?.confirmed_by;
  }

  /** Writes down that somebody wants exactly this profile. */
  async confirm(hash: string, confirmedBy: string): Promise<void> {
    await guardStore(() =>
      this.tenants.all
        .insertInto('config_confirmations')
        .values({ hash, confirmed_by: confirmedBy })
        .onConflict((conflict) => conflict.column('hash').doUpdateSet({ confirmed_by: confirmedBy, at: sql`now()` }))
        .execute(),
    );
  }
}

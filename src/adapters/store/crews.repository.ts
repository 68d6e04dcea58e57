import { sql } from 'kysely';
import type { CrewDefinition } from '../../contracts/crew.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** A crew of a DAO's own. */
export interface OwnCrew {
  definition: CrewDefinition;
  /** Of what it says. */
  hash: string;
  /** Of the row, for `If-Match`. */
  version: string;
  updatedAt: Date;
  /** As the record names whoever changed it last. */
  updatedBy: string;
}

/** Crews that DAOs made themselves, and what crews said when runs of them began. */
export class CrewsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** All of a DAO by their ids; there are few. */
  async list(daoId: string): Promise<OwnCrew[]> {
    const rows = await guardStore(() => own(this.tenants.of(daoId), daoId).orderBy('id').execute());
    return rows.map(toOwn);
  }

  async find(daoId: string, id: string): Promise<OwnCrew | undefined> {
    return guardStore(() => findCrew(this.tenants.of(daoId), daoId, id));
  }

  /** Keeps what a crew says, once: runs of it are to find it as it is now. */
  async keepVersion(daoId: string, hash: string, definition: CrewDefinition): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .insertInto('crew_versions')
        .values({ dao_id: daoId, crew: definition.id, hash, definition: JSON.stringify(definition) })
        .onConflict((conflict) => conflict.columns(['dao_id', 'crew', 'hash']).doNothing())
        .execute(),
    );
  }
}

const own = (db: Db, daoId: string) =>
  db
    .selectFrom('crews')
    .where('dao_id', '=', daoId)
    .select(['definition', 'hash', 'version', 'updated_at', 'updated_by']);

type Row = Awaited<ReturnType<ReturnType<typeof own>['execute']>>[number];

const toOwn = ({ definition, hash, version, updated_at, updated_by }: Row): OwnCrew => ({
  definition,
  hash,
  version,
  updatedAt: updated_at,
  updatedBy: updated_by,
});

export async function findCrew(db: Db, daoId: string, id: string): Promise<OwnCrew | undefined> {
  const row = await own(db, daoId).where('id', '=', id).executeTakeFirst();
  return row && toOwn(row);
}

/** Creates or replaces a DAO's crew. Within an audited change. */
export async function putCrew(
  db: Db,
  daoId: string,
  { definition, hash, by }: { definition: CrewDefinition; hash: string; by: string },
): Promise<OwnCrew> {
  const values = { definition: JSON.stringify(definition), hash, updated_by: by };
  const row = await db
    .insertInto('crews')
    .values({ dao_id: daoId, id: definition.id, ...values })
    .onConflict((conflict) =>
      conflict
        .columns(['dao_id', 'id'])
        .doUpdateSet({ ...values, version: sql<string>`crews.version + 1`, updated_at: sql<Date>`now()` }),
    )
    .returning(['definition', 'hash', 'version', 'updated_at', 'updated_by'])
    .executeTakeFirstOrThrow();
  return toOwn(row);
}

export async function deleteCrew(db: Db, daoId: string, id: string): Promise<void> {
  await db.deleteFrom('crews').where('dao_id', '=', daoId).where('id', '=', id).execute();
}

/** How many crews of its own a DAO has. */
export async function countCrews(db: Db, daoId: string): Promise<number> {
  const row = await db
    .selectFrom('crews')
    .where('dao_id', '=', daoId)
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
}

import type { Source } from '../../contracts/messenger.js';
import type { Db } from './tenants.js';

/** A group or a guild. */
export interface Space {
  source: Source;
  space: string;
}

/**
 * Maps a group or a guild to a DAO, in whose scope the handle is.
 * @param by who does it, by the name that the record has for them
 * @returns whether it is mapped to this DAO now, and was not before; `others`: it is another's
 */
export async function linkSpace(
  db: Db,
  { source, space }: Space,
  daoId: string,
  by: string,
): Promise<'linked' | 'already' | 'others'> {
  const added = await db
    .insertInto('spaces')
    .values({ source, space_id: space, dao_id: daoId, linked_by: by })
    .onConflict((conflict) => conflict.doNothing())
    .returning('dao_id')
    .executeTakeFirst();
  if (added) return 'linked';
  // No other DAO's row is seen from here.
  const own = await db
    .selectFrom('spaces')
    .where('source', '=', source)
    .where('space_id', '=', space)
    .select('dao_id')
    .executeTakeFirst();
  return own ? 'already' : 'others';
}

/** Ends the mapping of a group or a guild to the DAO of the handle's scope. False: there is none. */
export async function unlinkSpace(db: Db, { source, space }: Space): Promise<boolean> {
  const row = await db
    .deleteFrom('spaces')
    .where('source', '=', source)
    .where('space_id', '=', space)
    .returning('dao_id')
    .executeTakeFirst();
  return row !== undefined;
}

import { sql } from 'kysely';
import { isStoreAway } from './errors.js';
import type { Db } from './tenants.js';

/**
 * Runs a part of a transaction that may fail alone: then nothing of the part stays, and the transaction goes on.
 * Nothing may go on the record within it, as the record would not know that the part was taken back.
 */
export async function inSavepoint<T>(db: Db, part: () => Promise<T>): Promise<T> {
  await sql`savepoint part`.execute(db);
  try {
    const result = await part();
    await sql`release savepoint part`.execute(db);
    return result;
  } catch (error) {
    if (!isStoreAway(error)) await sql`rollback to savepoint part`.execute(db);
    throw error;
  }
}

/** SQLSTATE classes of a statement that was refused for what it says, as it would be again: data, constraints. */
const REFUSED = /^2[23]/;

/** Whether the database refused a statement for what it says, not for the moment or for a mistake in it. */
export const isRefusedByStore = (error: unknown): boolean =>
  Error.isError(error) && 'code' in error && typeof error.code === 'string' && REFUSED.test(error.code);

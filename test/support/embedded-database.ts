import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded, type Database } from '../../src/adapters/store/database.js';

/** An embedded database that was made beforehand: as PGlite makes it, or with the schema in place. */
export type Made = 'empty' | 'migrated';

/**
 * Lays a copy of an embedded database into a home folder: PGlite takes seconds to make one from nothing. Where none was
 * made beforehand (jest was started by hand) the folder stays empty, and whoever opens it makes one.
 */
export async function layEmbedded(made: Made, home: string): Promise<void> {
  const { TEST_EMBEDDED } = process.env;
  if (!TEST_EMBEDDED) return;
  await cp(join(TEST_EMBEDDED, made, 'database'), join(home, 'database'), { recursive: true });
}

/**
 * An embedded database in a folder of its own, which goes when it is closed.
 * @param before what is done in the folder before the product opens it
 */
export async function openCopy(made: Made, before?: (home: string) => Promise<void>): Promise<Database> {
  const home = await mkdtemp(join(tmpdir(), 'dagi-test-home-'));
  await layEmbedded(made, home);
  await before?.(home);
  const database = await openEmbedded(home);
  // Does nothing to a copy of today's schema.
  if (made === 'migrated') await database.migrate();
  return {
    ...database,
    close: async () => {
      await database.close();
      await rm(home, { recursive: true });
    },
  };
}

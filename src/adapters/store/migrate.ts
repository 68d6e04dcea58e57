import { readdirSync, readFileSync } from 'node:fs';
import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { packagePath } from '../../../config/paths.js';
import { AppError } from '../../errors/app-error.js';
import type { Db } from './database.js';
import { guardStore, isStoreAway } from './errors.js';

const folder = packagePath('src', 'adapters', 'store', 'migrations');

function readMigrations(): Record<string, Migration> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return Object.fromEntries(files.toSorted().map((file) => [file.replace(/\.sql$/, ''), fromFile(file)]));
}

function fromFile(file: string): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      // PGlite prepares each statement, so a file is run statement by statement. No migration has a ";" in a body.
      const statements = readFileSync(`${folder}/${file}`, 'utf8').split(/;\s*$/m);
      for (const statement of statements.filter((text) => text.trim() !== '')) await sql.raw(statement).execute(db);
    },
  };
}

/**
 * Brings the schema up to date. Several processes may call it at once: Kysely takes a lock in the database.
 * @returns names of the migrations that were applied now
 * @throws AppError `STORE_UNAVAILABLE` if the database is away, `SETUP_FAILED` if it refuses a migration
 */
export async function migrate(db: Db): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(readMigrations()) } });
  return guardStore(async () => {
    const { error, results } = await migrator.migrateToLatest();
    if (isStoreAway(error)) throw error;
    if (error !== undefined) {
      throw new AppError('SETUP_FAILED', 'The database could not be migrated.', {}, { cause: error });
    }
    return (results ?? []).map(({ migrationName }) => migrationName);
  });
}

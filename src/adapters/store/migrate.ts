import { readdirSync, readFileSync } from 'node:fs';
import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import pRetry from 'p-retry';
import { packagePath } from '../../../config/paths.js';
import { AppError } from '../../errors/app-error.js';
import { guardStore, isStoreAway } from './errors.js';
import { PLATFORM_ROLE, TENANT_ROLE, type Db } from './tenants.js';

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

const ROLES = [TENANT_ROLE, PLATFORM_ROLE];
/** Roles belong to the whole server: two installations that start at once may meet there. */
const ROLES_RETRY = { retries: 5, minTimeout: 20, maxTimeout: 200 };

/**
 * Makes a database ready as its owner: roles that statements run under, the schema, and leave for the product's login to
 * take those roles.
 * @param login asks for the product's login; absent where the owner's session itself is used
 * @returns names of the migrations that were applied now
 * @throws AppError `STORE_UNAVAILABLE` if the database is away, `SETUP_FAILED` if it refuses
 */
export async function prepare(owner: Db, login?: () => Promise<string>): Promise<string[]> {
  await asSetUp('The roles of the database could not be created', () => ensureRoles(owner));
  const applied = await migrate(owner);
  if (login) await asSetUp('The roles of the database could not be granted', async () => grantRoles(owner, await login()));
  return applied;
}

async function ensureRoles(owner: Db): Promise<void> {
  const { rows } = await sql<{ name: string; strong: boolean }>`
    select rolname as name, rolsuper or rolbypassrls as strong from pg_roles where rolname = any (${ROLES})
  `.execute(owner);
  const strong = rows.find((role) => role.strong);
  if (strong) throw new AppError('SETUP_FAILED', `The role ${strong.name} may bypass row-level security: take that from it.`);
  for (const role of ROLES.filter((name) => !rows.some((row) => row.name === name))) {
    await sql`create role ${sql.id(role)} nologin noinherit`.execute(owner);
  }
}

/** Grants what the login cannot take yet: to grant it again is for those alone who may grant it. */
async function grantRoles(owner: Db, login: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select rolname as name from pg_roles where rolname = any (${ROLES}) and not pg_has_role(${login}::name, oid,
      case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)
  `.execute(owner);
  for (const { name } of rows) await sql`grant ${sql.id(name)} to ${sql.id(login)}`.execute(owner);
}

/** Runs a step in which two installations of a server may disturb each other, and says who can help if it fails. */
async function asSetUp(what: string, step: () => Promise<void>): Promise<void> {
  const again = ({ error }: { error: Error }): boolean => !(error instanceof AppError);
  try {
    await pRetry(() => guardStore(step), { ...ROLES_RETRY, shouldRetry: again });
  } catch (error) {
    if (error instanceof AppError) throw error;
    const remedy = ROLES.map((role) => `create role ${role} nologin; grant ${role} to LOGIN;`).join(' ');
    const message = `${what}. Give the owner CREATEROLE, or run as an administrator: ${remedy}`;
    throw new AppError('SETUP_FAILED', message, {}, { cause: error });
  }
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

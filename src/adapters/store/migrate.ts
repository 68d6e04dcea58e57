import { readdirSync, readFileSync } from 'node:fs';
import { sql, type Kysely, type QueryExecutorProvider } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import pRetry from 'p-retry';
import { packagePath } from '../../../config/paths.js';
import { AppError } from '../../errors/app-error.js';
import { guardStore, isStoreAway } from './errors.js';
import { DATABASE_MARK, PLATFORM_ROLE, TENANT_ROLE, type Db } from './tenants.js';

const folder = packagePath('src', 'adapters', 'store', 'migrations');

function readMigrations(): Record<string, Migration> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return Object.fromEntries(files.toSorted().map((file) => [file.replace(/\.sql$/, ''), fromFile(file)]));
}

/** PGlite prepares each statement, so a file is run one by one: up to a ";" at a line's end, but for those within $$. */
const STATEMENT = /(?:\$\$.*?\$\$|(?!\$\$).)+?;\s*$/gms;
/** The roles as migrations call them. */
const ROLE = new RegExp(String.raw`\b(?:${TENANT_ROLE}|${PLATFORM_ROLE})\b`, 'g');

function fromFile(file: string): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const text = readFileSync(`${folder}/${file}`, 'utf8').replace(ROLE, `$&_${await markOf(db)}`);
      for (const statement of text.match(STATEMENT) ?? []) await sql.raw(statement).execute(db);
    },
  };
}

/** What the names of roles end with in this database. */
async function markOf(db: QueryExecutorProvider): Promise<string> {
  const { rows } = await sql<{ mark: string }>`select ${sql.raw(DATABASE_MARK)} as mark`.execute(db);
  return rows[0]?.mark ?? '';
}

async function rolesOf(db: QueryExecutorProvider): Promise<string[]> {
  const mark = await markOf(db);
  return [TENANT_ROLE, PLATFORM_ROLE].map((role) => `${role}_${mark}`);
}

/** Two processes that start at once may meet at the roles. */
const ROLES_RETRY = { retries: 5, minTimeout: 20, maxTimeout: 200 };

/**
 * Makes a database ready as its owner: roles that statements run under, the schema, and leave for the product's login to
 * take those roles.
 * @param login asks for the product's login; absent where the owner's session itself is used
 * @returns names of the migrations that were applied now
 * @throws AppError `STORE_UNAVAILABLE` if the database is away, `SETUP_FAILED` if it refuses
 */
export async function prepare(owner: Db, login?: () => Promise<string>): Promise<string[]> {
  const roles = await guardStore(() => rolesOf(owner));
  await asSetUp('The roles of the database could not be created', roles, () => ensureRoles(owner, roles));
  const applied = await migrate(owner);
  if (login) {
    const granted = async (): Promise<void> => grantRoles(owner, roles, await login());
    await asSetUp('The roles of the database could not be granted', roles, granted);
  }
  return applied;
}

async function ensureRoles(owner: Db, roles: string[]): Promise<void> {
  const { rows } = await sql<{ name: string; strong: boolean }>`
    select rolname as name, rolsuper or rolbypassrls as strong from pg_roles where rolname = any (${roles})
  `.execute(owner);
  const strong = rows.find((role) => role.strong);
  if (strong)
    throw new AppError('SETUP_FAILED', `The role ${strong.name} may bypass row-level security: take that from it.`);
  for (const role of roles.filter((name) => !rows.some((row) => row.name === name))) {
    await sql`create role ${sql.id(role)} nologin noinherit`.execute(owner);
  }
}

/** Grants what the login cannot take yet: to grant it again is for those alone who may grant it. */
async function grantRoles(owner: Db, roles: string[], login: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select rolname as name from pg_roles where rolname = any (${roles}) and not pg_has_role(${login}::name, oid,
      case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)
  `.execute(owner);
  for (const { name } of rows) await sql`grant ${sql.id(name)} to ${sql.id(login)}`.execute(owner);
}

/** Runs a step in which two processes may disturb each other, and says who can help if it fails. */
async function asSetUp(what: string, roles: string[], step: () => Promise<void>): Promise<void> {
  const again = ({ error }: { error: Error }): boolean => !(error instanceof AppError);
  try {
    await pRetry(() => guardStore(step), { ...ROLES_RETRY, shouldRetry: again });
  } catch (error) {
    if (error instanceof AppError) throw error;
    const remedy = roles.map((role) => `create role ${role} nologin; grant ${role} to LOGIN;`).join(' ');
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

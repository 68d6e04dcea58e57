import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { openPostgres, type Database, type PostgresOptions } from '../../src/adapters/store/database.js';
import { PLATFORM_ROLE, roleHere, TENANT_ROLE } from '../../src/adapters/store/tenants.js';
import { AppError } from '../../src/errors/app-error.js';
import { createDao } from '../factories/access.js';
import { createDatabase, TestPostgres } from '../support/postgres.js';
import { administratorOf } from './databases.js';

/** Runs statements as the server's administrator. */
async function administer(url: string, ...statements: string[]): Promise<void> {
  const db = administratorOf(url);
  for (const statement of statements) await sql.raw(statement).execute(db);
  await db.destroy();
}

/** What the roles of a database are called: a DAO's, and the platform's. */
async function rolesOf(url: string): Promise<[tenant: string, platform: string]> {
  const db = administratorOf(url);
  const { rows } = await sql<{ tenant: string; platform: string }>`
    select ${sql.raw(roleHere(TENANT_ROLE))} as tenant, ${sql.raw(roleHere(PLATFORM_ROLE))} as platform`.execute(db);
  await db.destroy();
  return [rows[0]?.tenant ?? '', rows[0]?.platform ?? ''];
}

const as = (url: string, username: string): string => Object.assign(new URL(url), { username }).href;

// Roles belong to a whole server, so each of these has one of its own.
describe('a PostgreSQL whose one login owns the tables and makes the roles', () => {
  it('should work, and again after its restart', async () => {
    const server = await TestPostgres.start();
    try {
      const url = await createDatabase(server.url, 'own');
      await administer(url, 'create role one login createrole', 'alter database own owner to one');
      await administer(url, 'alter schema public owner to one');
      for (const restart of [false, true]) {
        const database = openPostgres(as(url, 'one'));
        expect((await database.migrate()).length > 0).toBe(!restart);
        expect(await createDao(database)).toBe(!restart);
        expect(await database.of('greenfood-dao').selectFrom('daos').select('id').execute()).toHaveLength(1);
        await database.close();
      }
    } finally {
      await server.stop();
    }
  });
});

describe('a PostgreSQL whose tables belong to another login than the product’s', () => {
  let server: TestPostgres;
  let databases = 0;
  const opened: Database[] = [];

  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));
  afterAll(() => server.stop());

  /** An empty database of an owner's own, and a login for the product. */
  async function prepared(ownerMay: string): Promise<{ owner: string; login: string; url: string }> {
    const [owner, login] = [`owner_${(databases += 1)}`, `login_${databases}`];
    const url = await createDatabase(server.url, `separate_${databases}`);
    await administer(
      url,
      `create role ${owner} login ${ownerMay}`,
      `create role ${login} login`,
      `alter database separate_${databases} owner to ${owner}`,
      `alter schema public owner to ${owner}`,
    );
    return { owner, login, url };
  }

  function opens(url: string, options: PostgresOptions = {}): Database {
    const database = openPostgres(url, options);
    opened.push(database);
    return database;
  }

  /** What a statement of a login of its own says, right after others of its connection. */
  async function told(url: string, ...statements: string[]): Promise<unknown> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      for (const statement of statements.slice(0, -1)) await client.query(statement);
      return await client.query<Record<string, unknown>>(statements.at(-1)!).then(({ rows }) => rows, String);
    } finally {
      await client.end();
    }
  }

  describe('which the owner has made ready', () => {
    let url: string;
    let login: string;
    let owner: string;
    let tenant: string;
    let platform: string;
    let database: Database;

    beforeAll(async () => {
      let base: string;
      ({ owner, login, url: base } = await prepared('createrole'));
      url = as(base, login);
      [tenant, platform] = await rolesOf(base);
      database = openPostgres(url, { migrationUrl: as(base, owner) });
      expect(await database.migrate()).not.toEqual([]);
      for (const id of ['a', 'b']) await createDao(database, { id, members: { 'tg:1': ['member'] } });
    });
    afterAll(() => database.close());

    it('should work, with the tables the owner’s and every DAO apart', async () => {
      const owners = sql<{ owner: string }>`
        select distinct relowner::regrole::text as owner from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')`;
      expect((await owners.execute(database.all)).rows).toEqual([{ owner }]);
      const members = (of: Database['all']) => of.selectFrom('members').select('dao_id').orderBy('dao_id').execute();
      expect(await members(database.of('a'))).toEqual([{ dao_id: 'a' }]);
      expect(await members(database.all)).toEqual([{ dao_id: 'a' }, { dao_id: 'b' }]);
      const again = opens(url, { migrationUrl: database.kind === 'postgres' ? as(url, owner) : url });
      expect(await again.migrate()).toEqual([]);
    });

    it('should follow a stamp and a deleted DAO though its login may write to neither’s table', async () => {
      const stamp = async (): Promise<string | undefined> =>
        (await database.of('a').selectFrom('daos').select('access_stamp').executeTakeFirst())?.access_stamp;
      const before = await stamp();
      await database.of('a').updateTable('members').set({ roles: [] }).execute();
      expect(Number(await stamp())).toBeGreaterThan(Number(before));
      await createDao(database, { id: 'gone' });
      await database.all.deleteFrom('daos').where('id', '=', 'gone').execute();
      expect(await database.of('gone').selectFrom('members').selectAll().execute()).toEqual([]);
      expect(await database.all.selectFrom('roles').where('dao_id', '=', 'gone').selectAll().execute()).toEqual([]);
    });

    it.each([
      ['alter table members disable row level security', /must be owner of table members/],
      ['alter table members no force row level security', /must be owner of table members/],
      ['drop policy of_dao on members', /must be owner of (table|relation) members/],
      ['alter policy of_dao on members using (true)', /must be owner of (table|relation) members/],
      ['create policy open on members using (true)', /must be owner of (table|relation) members/],
      ['alter table audit add column x int', /must be owner of table audit/],
      ['drop table audit', /must be owner of table audit/],
      ['truncate audit', /permission denied/],
      ['delete from audit', /permission denied/],
      [`update audit set entry = ''`, /permission denied/],
      ['drop function raise_access_stamp()', /must be owner of function/],
      ['alter role TENANT bypassrls', /permission denied/],
      ['alter role TENANT superuser', /permission denied/],
      ['create table public.mine (id int)', /permission denied for schema public/],
    ])('should not let the login %s, under any of its roles', async (statement, refusal) => {
      for (const role of ['none', tenant, platform]) {
        const said = await told(url, `set role ${role}`, statement.replace('TENANT', tenant));
        expect([role, said]).toEqual([role, expect.stringMatching(refusal)]);
      }
    });

    it('should not let the login become the owner, nor look past the policies', async () => {
      expect(await told(url, `set role ${owner}`)).toMatch(/permission denied to set role/);
      const count = 'select count(*)::int as seen from members';
      expect(await told(url, `set role ${tenant}`, 'set row_security = off', count)).toMatch(
        /row-level security policy/,
      );
      // Whoever names no DAO sees none.
      expect(await told(url, `set role ${tenant}`, count)).toEqual([{ seen: 0 }]);
      expect(await told(url, `set role ${tenant}`, `set dagi.dao = 'b'`, count)).toEqual([{ seen: 1 }]);
    });
  });

  it('should let no login of another database of the server in, whatever it may take there', async () => {
    const [one, other] = [await prepared('createrole'), await prepared('createrole')];
    for (const { url, login, owner } of [one, other]) {
      const database = opens(as(url, login), { migrationUrl: as(url, owner) });
      await database.migrate();
      await createDao(database, { id: 'a', members: { 'tg:1': ['member'] } });
    }
    const [theirs, own] = [await rolesOf(one.url), await rolesOf(other.url)];
    const count = 'select count(*)::int as seen from members';
    // Whoever may log in may connect to every database.
    for (const intruder of [other.login, other.owner]) {
      const url = as(one.url, intruder);
      for (const role of theirs) expect(await told(url, `set role ${role}`)).toMatch(/permission denied to set role/);
      for (const role of theirs) expect(await told(url, `grant ${role} to ${intruder}`)).toMatch(/permission denied/);
      expect(await told(url, count)).toMatch(/permission denied for table members/);
    }
    for (const role of own) {
      const said = await told(as(one.url, other.login), `set role ${role}`, `set dagi.dao = 'a'`, count);
      expect([role, said]).toEqual([role, expect.stringMatching(/permission denied for table members/)]);
    }
  });

  // `migrate` grants again what the login has, which only whoever may grant can do.
  it('should need no owner who may create roles where the administrator has made and granted them', async () => {
    const { owner, login, url } = await prepared('nocreaterole');
    await ensureRoles(url);
    await administer(url, `grant ${(await rolesOf(url)).join(', ')} to ${login}`);
    const database = opens(as(url, login), { migrationUrl: as(url, owner) });
    expect(await database.migrate()).not.toEqual([]);
    await createDao(database, { id: 'a' });
    expect(await database.of('a').selectFrom('daos').select('id').execute()).toEqual([{ id: 'a' }]);
  });

  it('should say what to run where the owner may not grant the roles', async () => {
    const { owner, login, url } = await prepared('nocreaterole');
    await ensureRoles(url);
    const database = opens(as(url, login), { migrationUrl: as(url, owner) });
    const refusal = await database.migrate().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal).toMatchObject({ code: 'SETUP_FAILED' });
    expect(String(refusal)).toMatch(new RegExp(`could not be granted.*grant ${(await rolesOf(url))[0]} to`, 's'));
  });

  it('should tell a login that may not take the roles which one it is', async () => {
    const { owner, login, url } = await prepared('createrole');
    await opens(as(url, owner)).migrate();
    const database = opens(as(url, login));
    const statements = [
      database.all.selectFrom('daos').select('id').execute(),
      database.of('a').selectFrom('daos').select('id').execute(),
      database.ping(),
    ];
    for (const outcome of await Promise.allSettled(statements)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringMatching(/set role "dagi_a/) as unknown },
      });
    }
  });

  async function ensureRoles(url: string): Promise<void> {
    for (const role of await rolesOf(url)) {
      await administer(
        url,
        `do $$ begin create role ${role} nologin noinherit; exception when duplicate_object then null; end $$`,
      );
    }
  }
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { openPostgres, type Database, type Db } from '../../src/adapters/store/database.js';
import { DATABASE_MARK, PLATFORM_ROLE, TENANT_ROLE } from '../../src/adapters/store/tenants.js';
import { createDao } from '../factories/access.js';
import { freshDatabase } from '../support/postgres.js';
import {
  aRowOf,
  insertRow,
  SHARED,
  tableNames,
  tenantTables,
  type Row,
  type TenantTable,
} from '../support/tenant-tables.js';
import { DATABASES, type Fresh } from './databases.js';

/** Tables of the installation. No handle of a DAO may use them at all. */
const OF_THE_PLATFORM = [
  'config_activations',
  'config_confirmations',
  'interactions',
  'platform_grants',
  'rate_limits',
  'secrets',
  'shared_states',
];
const DENIED = /permission denied|row-level security/;

describe.each(DATABASES)('tenants of %s', (_name, open) => {
  let fresh: Fresh;
  let database: Database;
  let tables: TenantTable[];
  /** What the roles are called here: the platform's, and a DAO's. */
  let platform: string;
  let tenant: string;
  /** Rows of each table, by DAO. */
  const rows = { a: new Map<string, Row[]>(), b: new Map<string, Row[]>() };

  beforeAll(async () => {
    fresh = await open();
    ({ database } = fresh);
    const { rows: marks } = await sql<{ mark: string }>`select ${sql.raw(DATABASE_MARK)} as mark`.execute(database.all);
    [platform, tenant] = [`${PLATFORM_ROLE}_${marks[0]?.mark}`, `${TENANT_ROLE}_${marks[0]?.mark}`];
    tables = await tenantTables(database.all);
    for (const dao of ['a', 'b'] as const) {
      const chat = { id: `chat of ${dao}`, source: 'tg', chat_id: dao, kind: 'private' };
      rows[dao].set('chats', [await insertRow(database.all, 'chats', chat)]);
      for (const table of tables) {
        const inserted: Row[] = [];
        for (let number = 0; number < table.rows; number += 1) {
          const row = await aRowOf(database.all, table, dao, rows[dao], number);
          inserted.push(await insertRow(database.all, table.name, row));
        }
        rows[dao].set(table.name, inserted);
      }
      // Gates were told of as they were made: here each table has the rows that it was given.
      await sql`delete from news where dao_id = ${dao} and key like 'gate/%'`.execute(database.all);
    }
  });
  afterAll(() => fresh.drop());

  const may = async (role: string, table: string, what: string): Promise<boolean> => {
    const { rows: found } = await sql<{ may: boolean }>`
      select has_table_privilege(${role}, ${table}, ${what}) as may`.execute(database.all);
    return found[0]?.may ?? false;
  };
  const everythingOf = async (dao: string): Promise<unknown> => {
    const all: Record<string, unknown> = {};
    for (const { name, owner } of tables) {
      const { rows: found } = await sql`select * from ${sql.table(name)} where ${sql.ref(owner)} = ${dao}`.execute(
        database.all,
      );
      all[name] = found;
    }
    return all;
  };

  it('should be all tables but those of the installation, which no DAO’s handle may use', async () => {
    const names = await tableNames(database.all);
    const ofDaos = tables.map(({ name }) => name);
    expect(names.filter((name) => ![...ofDaos, ...SHARED].includes(name))).toEqual(OF_THE_PLATFORM);
    expect(ofDaos.length).toBeGreaterThanOrEqual(15);
    for (const table of OF_THE_PLATFORM) {
      for (const what of ['SELECT', 'INSERT', 'UPDATE', 'DELETE']) expect(await may(tenant, table, what)).toBe(false);
      await expect(sql`select * from ${sql.table(table)}`.execute(database.of('a'))).rejects.toThrow(DENIED);
    }
  });

  it('should have row-level security and the same two policies on every table', async () => {
    for (const { name, owner } of tables) {
      const { rows: found } = await sql<{ secured: boolean }>`
        select relrowsecurity as secured from pg_class where oid = ${name}::regclass`.execute(database.all);
      const { rows: policies } = await sql`
        select polname::text as name, polcmd::text as command, polpermissive as permissive,
          array(select rolname::text from pg_roles where oid = any (polroles)) as roles,
          pg_get_expr(polqual, polrelid) as sees, pg_get_expr(polwithcheck, polrelid) as writes
        from pg_policy where polrelid = ${name}::regclass order by 1`.execute(database.all);
      const own = `(${owner} = current_setting('dagi.dao'::text, true))`;
      const both = { command: '*', permissive: true, writes: null };
      expect({ name, found, policies }).toEqual({
        name,
        found: [{ secured: true }],
        policies: [
          { ...both, name: 'of_all', roles: [platform], sees: 'true' },
          {
            ...both,
            name: 'of_dao',
            roles: [tenant],
            // The installation's own chain has no name.
            sees: owner === 'chain' ? `(${own} AND (chain <> ''::text))` : own,
          },
        ],
      });
    }
  });

  it('should refer to rows of the same DAO alone, since references do not ask whose they are', () => {
    const owners = new Map(tables.map(({ name, owner }) => [name, owner]));
    for (const { name, owner, references } of tables) {
      for (const { table, from, to } of references.filter((one) => owners.has(one.table))) {
        expect([name, table, to[from.indexOf(owner)]]).toEqual([name, table, owners.get(table)]);
      }
    }
  });

  it('should read what is their own', async () => {
    for (const { name, owner, rows: count } of tables) {
      const { rows: seen } = await sql<Row>`select * from ${sql.table(name)}`.execute(database.of('a'));
      expect([name, seen.map((row) => row[owner])]).toEqual([name, Array.from({ length: count }, () => 'a')]);
      const { rows: theirs } = await sql`select * from ${sql.table(name)} where ${sql.ref(owner)} <> 'a'`.execute(
        database.of('a'),
      );
      expect([name, theirs]).toEqual([name, []]);
    }
    const { rows: everybody } = await sql<{ dao_id: string }>`select dao_id from members order by 1`.execute(
      database.all,
    );
    expect(everybody.map(({ dao_id }) => dao_id)).toEqual(['a', 'a', 'b', 'b']);
  });

  it('should write to no row of another, move none there and delete none', async () => {
    const before = await everythingOf('b');
    for (const { name, owner, rows: count } of tables.toReversed()) {
      const [table, column] = [sql.table(name), sql.ref(owner)];
      const changed = (statement: ReturnType<typeof sql>): Promise<unknown> =>
        statement.execute(database.of('a')).then(({ numAffectedRows }) => Number(numAffectedRows ?? 0), String);
      const [updates, deletes] = [await may(tenant, name, 'UPDATE'), await may(tenant, name, 'DELETE')];
      const none = (allowed: boolean): unknown => (allowed ? 0 : expect.stringMatching(/permission denied/));
      const own = updates ? count : (expect.stringMatching(/permission denied/) as unknown);
      expect([name, await changed(sql`update ${table} set ${column} = ${column} where ${column} = 'b'`)]).toEqual([
        name,
        none(updates),
      ]);
      expect([name, await changed(sql`update ${table} set ${column} = ${column}`)]).toEqual([name, own]);
      expect([name, await changed(sql`update ${table} set ${column} = 'b'`)]).toEqual([
        name,
        expect.stringMatching(DENIED),
      ]);
      expect([name, await changed(sql`delete from ${table} where ${column} = 'b'`)]).toEqual([name, none(deletes)]);
    }
    const after = await everythingOf('b');
    expect(after).toEqual(before);
  });

  it('should add no row to another', async () => {
    const before = await everythingOf('b');
    for (const table of tables) {
      const row = await aRowOf(database.all, table, 'b', rows.b, 2);
      await expect(insertRow(database.of('a'), table.name, row)).rejects.toThrow(DENIED);
    }
    expect(await everythingOf('b')).toEqual(before);
  });

  it('should only add to the record', async () => {
    for (const role of [platform, tenant]) {
      for (const table of ['audit', 'audit_heads']) {
        for (const what of ['UPDATE', 'DELETE'])
          expect([table, what, await may(role, table, what)]).toEqual([table, what, false]);
      }
      expect(await may(role, 'audit_chains', 'DELETE')).toBe(false);
    }
    await expect(sql`delete from audit`.execute(database.all)).rejects.toThrow(DENIED);
    await expect(sql`update audit set entry = ''`.execute(database.all)).rejects.toThrow(DENIED);
  });

  it('should run as roles that own nothing, and can neither pass policies nor become another', async () => {
    const { rows: found } = await sql`
      select rolname as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin
          or rolreplication or rolinherit as strong,
        exists (select from pg_class where relowner = r.oid) as owns,
        exists (select from pg_auth_members where member = r.oid) as belongs,
        has_schema_privilege(r.oid, 'public', 'CREATE') as creates
      from pg_roles r where rolname in (${platform}, ${tenant}) order by 1`.execute(database.all);
    const weak = { strong: false, owns: false, belongs: false, creates: false };
    expect(found).toEqual([platform, tenant].map((name) => ({ name, ...weak })));
    for (const table of await tableNames(database.all)) {
      for (const what of ['TRUNCATE', 'REFERENCES', 'TRIGGER']) {
        for (const role of [platform, tenant])
          expect([role, table, what, await may(role, table, what)]).toEqual([role, table, what, false]);
      }
    }
    const whoami = sql<{ role: string }>`select current_user::text as role`;
    expect((await whoami.execute(database.of('a'))).rows).toEqual([{ role: tenant }]);
    expect((await whoami.execute(database.all)).rows).toEqual([{ role: platform }]);
    expect((await whoami.execute(database.vital)).rows).toEqual([{ role: platform }]);
  });
});

/** DAOs each of which has as many members as its number says, over as few connections as there may be. */
const FEW_CONNECTIONS: [string, () => Promise<Fresh>][] = [
  DATABASES[0]!,
  [
    'PostgreSQL',
    async () => {
      const { url, drop } = await freshDatabase();
      const database = openPostgres(url, { poolSize: 1 });
      await database.migrate();
      return { database, drop: () => database.close().then(drop) };
    },
  ],
];

describe.each(FEW_CONNECTIONS)('scopes that share a connection of %s', (_name, open) => {
  let fresh: Fresh;
  let database: Database;
  const DAOS = ['d1', 'd2', 'd3', 'd4', 'd5'];

  beforeAll(async () => {
    fresh = await open();
    ({ database } = fresh);
    for (const [at, id] of DAOS.entries()) {
      const members = Object.fromEntries(Array.from({ length: at + 1 }, (_, n) => [`tg:${n}`, ['member']]));
      await createDao(database, { id, members });
    }
  });
  afterAll(() => fresh.drop());

  /** Whose members a handle sees, and how many. */
  const seen = async (db: Db): Promise<Record<string, number>> => {
    const { rows } = await sql<{ dao_id: string; members: number }>`
      select dao_id, count(*)::int as members from members group by 1 order by 1`.execute(db);
    return Object.fromEntries(rows.map(({ dao_id, members }) => [dao_id, members]));
  };
  const own = (at: number): Record<string, number> => ({ [DAOS[at]!]: at + 1 });
  const everybody = Object.assign({}, ...DAOS.map((_, at) => own(at))) as Record<string, number>;
  const handleOf = (at: number): Db => (at < DAOS.length ? database.of(DAOS[at]!) : database.all);

  it.each([
    ['of everything', () => database.all],
    ['of another DAO', () => database.of('d2')],
    ['of the same DAO', () => database.of('d1')],
  ])('should be kept after a transaction %s that failed', async (_what, other) => {
    await seen(database.of('d1'));
    const wrong = other()
      .transaction()
      .execute((db) => sql`select 1 / 0`.execute(db));
    await expect(wrong).rejects.toThrow(/division by zero/);
    expect(await seen(database.of('d1'))).toEqual(own(0));
    const thrown = other()
      .transaction()
      .execute(async (db) => {
        await sql`update members set name = 'x'`.execute(db);
        await sql`select set_config('dagi.dao', 'd3', true)`.execute(db);
        throw new Error('thought better of it');
      });
    await expect(thrown).rejects.toThrow('thought better of it');
    expect(await seen(database.of('d1'))).toEqual(own(0));
    expect(await seen(database.all)).toEqual(everybody);
    await expect(sql`select * from nowhere`.execute(other())).rejects.toThrow(/nowhere/);
    expect(await seen(database.of('d1'))).toEqual(own(0));
    expect(await seen(database.of('no-dao'))).toEqual({});
  });

  it('should be kept apart by two hundred at once, some within transactions, some of which fail', async () => {
    const one = async (turn: number): Promise<void> => {
      const at = (turn * 7) % (DAOS.length + 1);
      const db = handleOf(at);
      const expected = at < DAOS.length ? own(at) : everybody;
      if (turn % 3 === 0) {
        expect(await seen(db)).toEqual(expected);
        return;
      }
      const fails = turn % 3 === 1;
      const told = db.transaction().execute(async (within) => {
        const first = await seen(within);
        // Of one DAO alone: two that change all rows would wait for each other.
        if (at < DAOS.length) await sql`update members set name = ${String(turn)}`.execute(within);
        if (fails) throw new Error(JSON.stringify(first));
        return [first, await seen(within)];
      });
      if (fails) await expect(told).rejects.toThrow(JSON.stringify(expected));
      else expect(await told).toEqual([expected, expected]);
    };
    await Promise.all(Array.from({ length: 200 }, (_, turn) => one(turn)));
  });

  it('should hold for more DAOs than there are handles kept', async () => {
    const first = database.of('d1');
    for (let n = 0; n < 600; n += 1) database.of(`dao-${n}`);
    expect(database.of('d1')).not.toBe(first);
    expect([await seen(first), await seen(database.of('d1')), await seen(database.of('dao-1'))]).toEqual([
      own(0),
      own(0),
      {},
    ]);
  });
});

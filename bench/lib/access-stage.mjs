// Databases of the access bench: many DAOs in each, the product's own handles, and other ways to reach the same rows.
import { CompiledQuery, Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBuild } from '../../test/support/parts.mjs';
import { TestPostgres } from '../../test/support/postgres.ts';
import { localOn, unboundOn } from './access-scopes.mjs';

export const daoOf = (n) => `dao-${n}`;
export const memberOf = (dao, n) => `p_${dao}_${n}`;
export const userOf = (dao, n) => `tg:${dao}-${n}`;
/** The second id of a tenth of the members. */
export const secondOf = (dao, n) => `dc:${dao}-${n}`;
export const hasSecond = (n) => n % 10 === 0;
export const roleOf = (n) => (n === 0 ? 'admin' : n % 5 === 0 ? 'contributor' : 'member');

/** DAOs with their roles, members and ids, in five statements. */
async function seed(db, { daos, members }) {
  const { loadDefaultRoles } = await fromBuild('config/seed.js');
  const roles = Object.entries(loadDefaultRoles()).map(([name, entitlements]) => ({ name, entitlements }));
  const run = (text, ...values) => db.executeQuery(CompiledQuery.raw(text, values));
  const all = 'generate_series(0, $1::int - 1) d cross join generate_series(0, $2::int - 1) m';
  await run(
    `insert into daos (id, name, facts) select 'dao-' || d, 'DAO ' || d, '{}' from generate_series(0, $1::int - 1) d`,
    daos,
  );
  await run(
    `insert into roles (dao_id, name, entitlements)
     select d.id, r.name, r.entitlements from daos d cross join jsonb_to_recordset($1::jsonb) r (name text, entitlements text[])`,
    JSON.stringify(roles),
  );
  await run(
    `insert into members (dao_id, id, name, roles)
     select 'dao-' || d, 'p_' || d || '_' || m, 'Member ' || m,
       array[case when m = 0 then 'admin' when m % 5 = 0 then 'contributor' else 'member' end]
     from ${all}`,
    daos,
    members,
  );
  await run(
    `insert into identities (dao_id, user_id, member_id)
     select 'dao-' || d, 'tg:' || d || '-' || m, 'p_' || d || '_' || m from ${all}
     union all
     select 'dao-' || d, 'dc:' || d || '-' || m, 'p_' || d || '_' || m from ${all} where m % 10 = 0`,
    daos,
    members,
  );
  await run('analyze');
  const { rows } = await run('select count(*)::int as n from identities');
  return rows[0].n;
}

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {import('kysely').Kysely<any>} owner a handle that no policy binds
 * @property {(size?: number) => object} open the product's own handles, with so many connections
 * @property {(size: number) => object} unbound the owner's connections in the shape of the product's handles
 * @property {(size: number) => object} local a scope that each statement sets in a transaction of its own
 * @property {() => Promise<void>} close
 */

/** A PostgreSQL server of our own. @returns {Promise<Stage & { url: string, identities: number }>} */
export async function onPostgres(size) {
  const { openPostgres } = await fromBuild('src/adapters/store/database.js');
  const { roleHere, TENANT_ROLE } = await fromBuild('src/adapters/store/tenants.js');
  const server = await TestPostgres.start();
  const opened = [];
  const keep = (one) => {
    opened.push(one);
    return one;
  };
  const pool = (max, first) => {
    const made = keep(
      new pg.Pool({
        connectionString: server.url,
        max,
        ...(first && { onConnect: async (client) => void (await client.query(first)) }),
      }),
    );
    made.close = () => made.end();
    return made;
  };
  await keep(openPostgres(server.url)).migrate();
  const asTenant = `select set_config('role', ${roleHere(TENANT_ROLE)}, false)`;
  const owner = new Kysely({ dialect: new PostgresDialect({ pool: pool(1) }) });
  const identities = await seed(owner, size);
  return {
    name: 'PostgreSQL',
    url: server.url,
    owner,
    identities,
    open: (poolSize = 10) => keep(openPostgres(server.url, { poolSize })),
    unbound: (max) => unboundOn(new PostgresDialect({ pool: pool(max) })),
    local: (max) => localOn(new PostgresDialect({ pool: pool(max, asTenant) })),
    close: async () => {
      await Promise.all(opened.map((one) => one.close()));
      await server.stop();
    },
  };
}

/** The embedded database: one for the product's handles, and one that no role was ever set in. @returns {Promise<Stage>} */
export async function onEmbedded(size) {
  const { openEmbedded } = await fromBuild('src/adapters/store/database.js');
  const { roleHere, TENANT_ROLE } = await fromBuild('src/adapters/store/tenants.js');
  const folder = mkdtempSync(join(tmpdir(), 'dagi-bench-access-'));
  // Filled by the product itself, so that both have the same schema; then each is opened in its own way.
  for (const home of ['scoped', 'bare']) {
    const database = await openEmbedded(join(folder, home));
    await database.migrate();
    await database.close();
  }
  const pglite = await PGlite.create(join(folder, 'bare', 'database'));
  const dialect = new PGliteDialect({ pglite });
  const owner = new Kysely({ dialect });
  const identities = await seed(owner, size);
  const scoped = await openEmbedded(join(folder, 'scoped'));
  await seed(scoped.all, size);
  return {
    name: 'embedded',
    owner,
    identities,
    open: () => scoped,
    unbound: () => unboundOn(dialect, owner),
    local: () => localOn(dialect, roleHere(TENANT_ROLE)),
    close: async () => {
      await scoped.close();
      await pglite.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

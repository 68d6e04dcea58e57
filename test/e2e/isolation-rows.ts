import { sql } from 'kysely';
import type { Database } from '../../src/adapters/store/database.js';

/** The column by which a row belongs to a DAO. */
const OWNER_COLUMNS = ['dao_id', 'chain'];

/** Tables of the installation: what they say must not change either. */
const OF_THE_INSTALLATION = [
  'platform_grants',
  'config_activations',
  'config_confirmations',
  'interactions',
  'secrets',
];

/** Tables that change with time, or with whatever anybody asks, and hold nothing of a DAO. */
const RESTLESS = ['shared_states', 'rate_limits', 'kysely_migration', 'kysely_migration_lock'];

interface Column {
  name: string;
  owner: string | null;
}

/** All tables, each with the column that says whose a row is. A new table without one must be in a list above. */
async function tables(database: Database): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select c.relname as name, (
      select a.attname from pg_attribute a where a.attrelid = c.oid and a.attname = any (${OWNER_COLUMNS}::name[])
    ) as owner
    from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1
  `.execute(database.all);
  const known = rows.map((row) => (row.name === 'daos' ? { ...row, owner: 'id' } : row));
  const strange = known.find(
    ({ name, owner }) => owner === null && !OF_THE_INSTALLATION.includes(name) && !RESTLESS.includes(name),
  );
  if (strange) throw new Error(`nothing says whose the rows of ${strange.name} are: see test/e2e/isolation-rows.ts`);
  return known.filter(({ name }) => !RESTLESS.includes(name));
}

/** Every row that is not of this DAO, as text, by table. */
export async function rowsBeside(database: Database, daoId: string): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { name, owner } of await tables(database)) {
    const where = owner === null ? sql`true` : sql`t.${sql.ref(owner)} is distinct from ${daoId}`;
    const { rows } = await sql<{ row: string }>`
      select to_jsonb(t)::text as row from ${sql.table(name)} t where ${where} order by 1
    `.execute(database.all);
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}

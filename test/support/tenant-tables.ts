/**
 * Tables of a database as its catalogue tells of them, and a row of a DAO for each. Nothing here names a table that it
 * could find, so that a new one is held to the same rules.
 */
import { sql, type RawBuilder } from 'kysely';
import type { Db } from '../../src/adapters/store/database.js';

export interface TenantTable {
  name: string;
  /** Which column says whose a row is. */
  owner: string;
  columns: Column[];
  references: Reference[];
  /** How many rows a DAO can have: one, where its id is the whole key. */
  rows: number;
}

interface Column {
  name: string;
  type: string;
  required: boolean;
}

/** A foreign key, column by column. */
interface Reference {
  table: string;
  from: string[];
  to: string[];
}

export type Row = Readonly<Record<string, unknown>>;

/** Values that a check asks for and its text does not tell plainly. */
const SPECIAL: Readonly<Record<string, (number: number) => Row>> = {
  dialogs: (number) => ({ actor: 'tg:1', session_id: `session ${number}` }),
  invitations: () => ({ user_id: 'tg:invited' }),
};

/** Tables of no one DAO that DAOs look into: `dao_id` in them says something else. */
export const SHARED = ['chats'];

/** All tables of the product, with DAOs or not, whoever may use them. */
export async function tableNames(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname not like 'kysely%' order by 1
  `.execute(db);
  return rows.map(({ name }) => name);
}

/** Tables whose rows belong to DAOs, those first that others refer to. */
export async function tenantTables(db: Db): Promise<TenantTable[]> {
  const found: TenantTable[] = [];
  for (const name of await tableNames(db)) {
    if (SHARED.includes(name)) continue;
    const columns = await columnsOf(db, name);
    const owner = name === 'daos' ? 'id' : columns.find((one) => one.name === 'dao_id' || one.name === 'chain')?.name;
    if (owner === undefined) continue;
    const rows = (await primaryKey(db, name)).every((column) => column === owner) ? 1 : 2;
    found.push({ name, owner, columns, references: await referencesOf(db, name), rows });
  }
  return inOrder(found);
}

async function columnsOf(db: Db, table: string): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select attname as name, format_type(atttypid, null) as type,
      attnotnull and not atthasdef and attidentity = '' as required
    from pg_attribute where attrelid = ${table}::regclass and attnum > 0 and not attisdropped order by attnum
  `.execute(db);
  return rows;
}

async function referencesOf(db: Db, table: string): Promise<Reference[]> {
  const named = (relation: string, keys: string): RawBuilder<unknown> => sql`(
    select array_agg(a.attname::text order by k.at)
    from unnest(${sql.ref(keys)}) with ordinality k (number, at)
    join pg_attribute a on a.attrelid = ${sql.ref(relation)} and a.attnum = k.number
  )`;
  const { rows } = await sql<Reference>`
    select confrelid::regclass::text as table,
      ${named('c.conrelid', 'c.conkey')} as "from", ${named('c.confrelid', 'c.confkey')} as "to"
    from pg_constraint c where conrelid = ${table}::regclass and contype = 'f'
  `.execute(db);
  return rows;
}

async function primaryKey(db: Db, table: string): Promise<string[]> {
  const { rows } = await sql<{ column: string }>`
    select a.attname as column from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where i.indrelid = ${table}::regclass and i.indisprimary
  `.execute(db);
  return rows.map(({ column }) => column);
}

function inOrder(tables: TenantTable[]): TenantTable[] {
  const sorted: TenantTable[] = [];
  const done = new Set<string>(SHARED);
  while (sorted.length < tables.length) {
    const next = tables.find(
      ({ name, references }) => !done.has(name) && references.every(({ table }) => table === name || done.has(table)),
    );
    if (!next) throw new Error('tables refer to each other in a circle');
    sorted.push(next);
    done.add(next.name);
  }
  return sorted;
}

/**
 * A row of a DAO, as small as the table allows.
 * @param others rows of the same DAO that this one may have to refer to, by table
 * @param number of the row, which makes it another than those of other numbers
 */
export async function aRowOf(
  db: Db,
  { name, owner, columns, references }: TenantTable,
  dao: string,
  others: ReadonlyMap<string, readonly Row[]>,
  number: number,
): Promise<Row> {
  const checked = await checkedValues(db, name);
  const values: Record<string, unknown> = {};
  for (const { name: column, type, required } of columns) {
    if (required) values[column] = checked[column] ?? plain(type, `${dao}-${column}-${number}`, number);
  }
  Object.assign(values, SPECIAL[name]?.(number));
  for (const [at, { table, from, to }] of references.entries()) {
    const parents = others.get(table) ?? [];
    // Two references to one table lead to different rows of it.
    const parent = parents[(number + at) % parents.length];
    if (!parent || from.every((column) => values[column] === undefined)) continue;
    from.forEach((column, n) => (values[column] = parent[to[n]!]));
  }
  return { ...values, [owner]: dao };
}

/** The first of the values that a check lists. */
async function checkedValues(db: Db, table: string): Promise<Record<string, string>> {
  const { rows } = await sql<{ text: string }>`
    select pg_get_constraintdef(oid) as text from pg_constraint where conrelid = ${table}::regclass and contype = 'c'
  `.execute(db);
  const listed = rows.flatMap(({ text }) => [...text.matchAll(/^CHECK \(\((\w+) = ANY \(ARRAY\['([^']*)'/g)]);
  return Object.fromEntries(listed.map(([, column = '', value = '']) => [column, value]));
}

function plain(type: string, text: string, number: number): unknown {
  if (type === 'jsonb' || type === 'json' || type.endsWith('[]')) return '{}';
  if (/^(bigint|integer|numeric|double|real|smallint)/.test(type)) return number + 1;
  if (/^(timestamp|date)/.test(type)) return new Date(Date.UTC(2026, 0, number + 1));
  if (type === 'boolean') return false;
  if (type === 'text') return text;
  throw new Error(`no value for a column of type ${type}`);
}

/** Inserts a row; gives all of it. */
export async function insertRow(db: Db, table: string, row: Row): Promise<Row> {
  const columns = sql.join(Object.keys(row).map((column) => sql.ref(column)));
  const { rows } = await sql<Row>`
    insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))}) returning *
  `.execute(db);
  return rows[0] ?? {};
}

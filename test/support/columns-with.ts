import { sql } from 'kysely';
import type { Db } from '../../src/adapters/store/database.js';

/** A column of a table of ours. */
export interface Column {
  name: string;
  table: string;
  column: string;
}

/** Columns of our tables as the catalogue has them, which tells of all tables, whoever may read them. */
export async function allColumns(db: Db): Promise<Column[]> {
  const { rows } = await sql<{ table: string; column: string }>`
    select c.relname as table, a.attname as column
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
      and not a.attisdropped and c.relname not like 'kysely%'
    order by 1, 2
  `.execute(db);
  return rows.map(({ table, column }) => ({ table, column, name: `${table}.${column}` }));
}

/** Those in which a word stands, in whatever row of whatever DAO. */
export async function columnsWith(db: Db, columns: readonly Column[], word: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name, table, column } of columns) {
    const { rows } = await sql`
      select 1 from ${sql.id(table)} where ${sql.id(column)}::text ilike ${`%${word}%`} limit 1
    `.execute(db);
    if (rows.length > 0) found.push(name);
  }
  return found;
}

import type { Database } from '../../../src/adapters/store/database.js';

/** The product as it runs, and what of it can be looked at from outside. */
export interface Served {
  url: string;
  home: string;
  adminKey: string;
  database: Database;
  databaseUrl: string;
  logFile: string;
}

/** The DAO that is attacked, and the one of which nothing may be seen. */
export const ATTACKED = 'amber';
export const OTHER = 'birch';

/** Who acts in each DAO, by the role that they have. */
export const PEOPLE: Readonly<Record<string, string>> = { admin: 'tg:1', member: 'tg:12', contributor: 'tg:13' };

import type { Kysely } from 'kysely';
import type { Schema } from './schema.js';

export type Db = Kysely<Schema>;

/** Handles on the database, by whose data they reach. */
export interface Tenants {
  /** What belongs to one DAO. Nothing else is there, whatever a statement says: the database's policies see to it. */
  of(daoId: string): Db;
  /**
   * Everything: for work that spans DAOs, or belongs to none. Who may use it is a list in
   * `test/architecture/tenants.test.ts`.
   */
  readonly all: Db;
}

/** Whose data a session reaches: that of a DAO, or (null) everybody's. */
export type Scope = string | null;

/** Roles of the database under which statements run. They own nothing, and no policy lets the first see two DAOs. */
export const TENANT_ROLE = 'dagi_app';
export const PLATFORM_ROLE = 'dagi_all';

/** Handles that are made once for each scope that is in use, and forgotten when many others were. */
export const DAO_HANDLES = 500;

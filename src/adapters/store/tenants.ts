import type { Kysely } from 'kysely';
import type { Schema } from './schema.js';

export type Db = Kysely<Schema>;

/** Tables that every call waits for: who the caller is, and the state that processes share. */
export type VitalTables = Pick<Schema, 'api_keys' | 'platform_grants' | 'shared_states'>;

/** Handles on the database, by whose data they reach. */
export interface Tenants {
  /** What belongs to one DAO. Nothing else is there, whatever a statement says: the database's policies see to it. */
  of(daoId: string): Db;
  /**
   * Everything: for work that spans DAOs, or belongs to none. Who may use it is a list in
   * `test/architecture/tenants.test.ts`.
   */
  readonly all: Db;
  /**
   * What every call waits for, of whichever DAO: over connections that nothing else takes, so that nobody is turned away
   * while reports have taken those of `all`.
   */
  readonly vital: Kysely<VitalTables>;
  /**
   * No table: for functions of the database that see to it themselves whom they tell what. In whatever scope the session
   * happens to be, since entering another one takes as long as such a question. Over the connections of `vital`.
   */
  readonly scopeless: Kysely<unknown>;
}

/** Whose data a session reaches: that of a DAO, or (null) everybody's. */
export type Scope = string | null;

/**
 * Roles of the database under which statements run, as migrations call them. They own nothing, and no policy lets the
 * first see two DAOs.
 */
export const TENANT_ROLE = 'dagi_app';
export const PLATFORM_ROLE = 'dagi_all';

/**
 * SQL for what the name of a role ends with in the database that runs it. Roles belong to a whole server: under names of
 * its own, no login of another database there has leave to take them.
 */
export const DATABASE_MARK = `left(encode(sha256(convert_to(current_database(), 'UTF8')), 'hex'), 8)`;

/** SQL for the full name of a role. */
export const roleHere = (role: string): string => `'${role}_' || ${DATABASE_MARK}`;

/**
 * Time limits that the server keeps, in milliseconds; 0: none. Without them it works on, or waits for a lock, for a
 * client that has long given up.
 */
export interface SessionLimits {
  lock: number;
  statement: number;
  /** Of a transaction in which nothing is asked. */
  idle: number;
}

/** Of the product's statements, which take a few milliseconds. */
export const SESSION_LIMITS: SessionLimits = { lock: 2_000, statement: 4_500, idle: 10_000 };

/** The first statement of a connection: its limits, and its role unless it stays who it is. */
export function sessionOf(limits: SessionLimits, role?: string): string {
  const settings = [
    `set_config('lock_timeout', '${limits.lock}', false)`,
    `set_config('statement_timeout', '${limits.statement}', false)`,
    `set_config('idle_in_transaction_session_timeout', '${limits.idle}', false)`,
    ...(role === undefined ? [] : [`set_config('role', ${roleHere(role)}, false)`]),
  ];
  return `select ${settings.join(', ')}`;
}

/** Handles that are made once for each scope that is in use, and forgotten when many others were. */
export const DAO_HANDLES = 500;

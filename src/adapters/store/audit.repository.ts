import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import stableStringify from 'safe-stable-stringify';
import type { AuditEvent, AuditRow } from '../../contracts/audit.js';
import { API_PRINCIPAL_PREFIX } from '../../contracts/ids.js';
import { chainHash, strangerId, PLATFORM_CHAIN, type AuditEntry } from '../../domain/audit.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** Adds to the record within the transaction of a change. */
export type Recorder = (event: AuditEvent) => Promise<void>;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The record of who did, or was refused, what: a chain per DAO, and one of the installation. Append-only. */
export class AuditRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Writes something down that changed nothing else. @param daoId null: about the installation */
  async append(daoId: string | null, event: AuditEvent): Promise<void> {
    await this.recorded(daoId, async (_db, record) => record(event));
  }

  /**
   * Runs a change and writes down what it was: both, or neither. The chain's head is locked first, so audited changes of
   * one DAO come one after the other, in all processes, and may rely on what they read.
   * @param daoId null: a change of the installation, which may reach everything
   */
  async recorded<T>(daoId: string | null, change: (db: Db, record: Recorder) => Promise<T>): Promise<T> {
    const chain = daoId ?? PLATFORM_CHAIN;
    const handle = daoId === null ? this.tenants.all : this.tenants.of(daoId);
    return guardStore(() =>
      handle.transaction().execute(async (db) => {
        const head = await lockHead(db, chain);
        const result = await change(db, async (event) => {
          head.seq += 1;
          head.hash = await insert(db, chain, head, event);
        });
        await db.updateTable('audit_chains').set({ seq: String(head.seq), hash: head.hash }).where('chain', '=', chain).execute();
        return result;
      }),
    );
  }

  /** Rows of a chain in their order, behind `after`. */
  async page(daoId: string | null, after: number, limit: number): Promise<AuditRow[]> {
    const chain = daoId ?? PLATFORM_CHAIN;
    const rows = await guardStore(() =>
      (daoId === null ? this.tenants.all : this.tenants.of(daoId))
        .selectFrom('audit')
        .where('chain', '=', chain)
        .where('seq', '>', String(after))
        .orderBy('seq')
        .limit(limit)
        .select(['seq', 'entry', 'hash'])
        .execute(),
    );
    return rows.map(({ seq, entry, hash }) => ({ seq: Number(seq), entry, hash }));
  }
}

interface Head {
  seq: number;
  hash: string;
  salt: string;
}

async function lockHead(db: Db, chain: string): Promise<Head> {
  await db.insertInto('audit_chains').values({ chain }).onConflict((conflict) => conflict.doNothing()).execute();
  const row = await db
    .selectFrom('audit_chains')
    .where('chain', '=', chain)
    .select(['seq', 'hash', 'salt'])
    .forUpdate()
    .executeTakeFirstOrThrow();
  return { ...row, seq: Number(row.seq) };
}

/** @returns the row's hash */
async function insert(db: Db, chain: string, { seq, hash: before, salt }: Head, event: AuditEvent): Promise<string> {
  const named = async (userId: string): Promise<string> =>
    userId.startsWith(API_PRINCIPAL_PREFIX) ? userId : ((await memberOf(db, chain, userId)) ?? strangerId(sha256, salt, userId));
  const { action, detail = {} } = event;
  const { rows } = await sql<{ at: Date }>`select date_trunc('milliseconds', clock_timestamp()) as at`.execute(db);
  const at = rows[0]?.at ?? new Date();
  const actor = await named(event.actor);
  const subject = typeof event.subject === 'string' ? event.subject : await named(event.subject.user);
  const fields: AuditEntry = { seq, chain, at: at.toISOString(), actor, action, subject, detail };
  const entry = stableStringify(fields);
  const hash = chainHash(sha256, before, entry);
  await db.insertInto('audit').values({ chain, seq: String(seq), entry, hash, at, actor, action, subject }).execute();
  return hash;
}

async function memberOf(db: Db, chain: string, userId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('identities')
    .where('dao_id', '=', chain)
    .where('user_id', '=', userId)
    .select('member_id')
    .executeTakeFirst();
  return row?.member_id;
}

import { Semaphore, withTimeout, type SemaphoreInterface } from 'async-mutex';
import { sql } from 'kysely';
import stableStringify from 'safe-stable-stringify';
import { isOwnKey, type AnsweredKey } from '../../contracts/access.js';
import {
  chainHash,
  chainOf,
  strangerId,
  type AuditEntry,
  type AuditEvent,
  type AuditPlace,
  type AuditRow,
} from '../../contracts/audit.js';
import { API_PRINCIPAL_PREFIX } from '../../contracts/ids.js';
import { AppError } from '../../errors/app-error.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';
import { sha256 } from '../digest.js';

/** Adds to the record within the transaction of a change. @returns how the record names whoever acted */
export type Recorder = (event: AuditEvent) => Promise<string>;

/**
 * Audited changes of one chain that this process makes at once. They wait for each other anyway, each holding a
 * connection: more of them would leave none to other DAOs.
 */
const AT_ONCE = 2;
/** Most time that a change waits for its turn here, in milliseconds; the lock itself has a limit of the server's. */
const TURN_MS = 5_000;
const BUSY = 'Too many changes wait for each other here; try again shortly.';

/** Which rows of a chain to show. */
export interface AuditFilter {
  /** Behind this row. */
  after: number;
  limit: number;
  action?: string | undefined;
  /** As the record names them, or a member by the id of a platform. */
  actor?: string | undefined;
}

/** The record of who did, or was refused, what: a chain per DAO, and one of the installation. Append-only. */
export class AuditRepository {
  private readonly gates = new Map<string, { semaphore: SemaphoreInterface; users: number }>();

  /** @param changed called after each change of a DAO */
  constructor(
    private readonly tenants: Tenants,
    private readonly changed: (daoId: string) => void = () => undefined,
  ) {}

  /**
   * Writes something down that changed nothing else.
   * @param place as of `recorded`
   * @returns how the record names whoever acted
   */
  async append(place: string | null | AuditPlace, event: AuditEvent): Promise<string> {
    return this.recorded(place, async (_db, record) => record(event));
  }

  /**
   * Runs a change and writes down what it was: both, or neither. The chain's head is locked first, so audited changes of
   * one DAO come one after the other, in all processes, and may rely on what they read.
   * @param place the DAO, or null for a change of the installation, which may reach everything; with the key through
   *   which somebody acts, wherever one does
   * @throws AppError `STORE_UNAVAILABLE`, also where others hold the chain for too long
   */
  async recorded<T>(place: string | null | AuditPlace, change: (db: Db, record: Recorder) => Promise<T>): Promise<T> {
    const { daoId, key } = typeof place === 'object' && place !== null ? place : { daoId: place };
    const chain = chainOf(daoId);
    const result = await this.inTurn(chain, () =>
      guardStore(() =>
        this.handle(daoId)
          .transaction()
          .execute(async (db) => {
            const head = await lockHead(db, chain);
            const before = head.seq;
            const result = await change(db, async (event) => {
              head.seq += 1;
              const { hash, actor } = await insert(db, chain, head, event, key);
              head.hash = hash;
              return actor;
            });
            if (head.seq > before) await moveHead(db, chain, head);
            return result;
          }),
      ),
    );
    if (daoId !== null) this.changed(daoId);
    return result;
  }

  /**
   * Rows of a chain in their order. Strangers are found by the record's own name alone: that it could be asked for from
   * an id would undo what is forgotten.
   */
  async page(daoId: string | null, { after, limit, action, actor }: AuditFilter): Promise<AuditRow[]> {
    const chain = chainOf(daoId);
    const db = this.handle(daoId);
    const member = actor === undefined ? undefined : await guardStore(() => memberOf(db, chain, actor));
    const rows = await guardStore(() =>
      db
        .selectFrom('audit')
        .where('chain', '=', chain)
        .where('seq', '>', String(after))
        .$if(action !== undefined, (query) => query.where('action', '=', action ?? ''))
        .$if(actor !== undefined, (query) => query.where('actor', '=', member ?? actor ?? ''))
        .orderBy('seq')
        .limit(limit)
        .select(['seq', 'entry', 'hash'])
        .execute(),
    );
    return rows.map(({ seq, entry, hash }) => ({ seq: Number(seq), entry, hash }));
  }

  /** Ids by which platforms know these members of a DAO. */
  async userIdsOf(daoId: string, members: readonly string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    if (members.length === 0) return found;
    const rows = await guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('identities')
        .where('dao_id', '=', daoId)
        .where('member_id', 'in', [...members])
        .orderBy('linked_at')
        .orderBy('user_id')
        .select(['member_id', 'user_id'])
        .execute(),
    );
    for (const { member_id: member, user_id: user } of rows) found.set(member, [...(found.get(member) ?? []), user]);
    return found;
  }

  private handle(daoId: string | null): Db {
    return daoId === null ? this.tenants.all : this.tenants.of(daoId);
  }

  /** Runs a change of a chain when few enough others of it are under way here. */
  private async inTurn<T>(chain: string, change: () => Promise<T>): Promise<T> {
    const gate = this.gates.get(chain) ?? { semaphore: aSemaphore(), users: 0 };
    this.gates.set(chain, gate);
    gate.users += 1;
    try {
      return await gate.semaphore.runExclusive(change);
    } finally {
      gate.users -= 1;
      if (gate.users === 0) this.gates.delete(chain);
    }
  }
}

const aSemaphore = (): SemaphoreInterface =>
  withTimeout(new Semaphore(AT_ONCE), TURN_MS, new AppError('STORE_UNAVAILABLE', BUSY));

/**
 * Writes something down on the chain of a DAO within a change of the installation that has just made that DAO: nobody
 * else knows it yet, so the second head that is locked is waited for by nobody.
 */
export async function recordIn(db: Db, place: AuditPlace, event: AuditEvent): Promise<void> {
  const chain = chainOf(place.daoId);
  const head = await lockHead(db, chain);
  head.seq += 1;
  ({ hash: head.hash } = await insert(db, chain, head, event, place.key));
  await moveHead(db, chain, head);
}

interface Head {
  seq: number;
  hash: string;
  salt: string;
}

async function lockHead(db: Db, chain: string): Promise<Head> {
  await db
    .insertInto('audit_chains')
    .values({ chain })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await db
    .selectFrom('audit_chains')
    .where('chain', '=', chain)
    .select(['seq', 'hash', 'salt'])
    .forUpdate()
    .executeTakeFirstOrThrow();
  return { ...row, seq: Number(row.seq) };
}

async function moveHead(db: Db, chain: string, { seq, hash }: Head): Promise<void> {
  await db
    .updateTable('audit_chains')
    .set({ seq: String(seq), hash })
    .where('chain', '=', chain)
    .execute();
}

/** @returns the row's hash, and whom it names as actor */
async function insert(
  db: Db,
  chain: string,
  { seq, hash: before, salt }: Head,
  event: AuditEvent,
  key: AnsweredKey | undefined,
): Promise<{ hash: string; actor: string }> {
  const { action } = event;
  const { rows } = await sql<{ at: Date }>`select date_trunc('milliseconds', clock_timestamp()) as at`.execute(db);
  const at = rows[0]?.at ?? new Date();
  const actor = event.known ?? (await nameOf(db, chain, salt, event.actor));
  const subject = typeof event.subject === 'string' ? event.subject : await nameOf(db, chain, salt, event.subject.user);
  const detail = { ...event.detail, ...(key && throughKey(key, actor)) };
  const fields: AuditEntry = { seq, chain, at: at.toISOString(), actor, action, subject, detail };
  const entry = stableStringify(fields);
  const hash = chainHash(sha256, before, entry);
  await db
    .insertInto('audit')
    .values({ chain, seq: String(seq), entry, hash, at, actor, action, subject })
    .execute();
  return { hash, actor };
}

/** Whoever acted did so by the hand of another, if another answers for the key. */
const throughKey = (key: AnsweredKey, actor: string): object =>
  isOwnKey(key, actor) ? {} : { key: { id: key.id, owner: key.owner } };

/** How the record names whom a platform knows by this id. */
async function nameOf(db: Db, chain: string, salt: string, userId: string): Promise<string> {
  if (userId.startsWith(API_PRINCIPAL_PREFIX)) return userId;
  return (await memberOf(db, chain, userId)) ?? strangerId(sha256, salt, userId);
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

import { sql } from 'kysely';
import { isEntitlement, type CallerKey, type KeyInfo } from '../../contracts/access.js';
import type { DaoLimits } from '../../contracts/dao.js';
import type { Db, Tenants } from './tenants.js';
import { guardStore } from './errors.js';

export interface NewKey {
  id: string;
  hash: string;
  name: string;
  dao_id: string | null;
  principal: string;
  gateway: boolean;
  owner: string;
  scopes?: string[] | null;
  replaces?: string;
}

/** Whose access tokens: a subject of an issuer, in a DAO or (null) in any. */
export interface Bearer {
  issuer: string;
  subject: string;
  daoId: string | null;
}

/** The row of a bearer. */
export type BearerRow = Omit<CallerKey, 'daoId' | 'scopes' | 'dao' | 'token'> & { revoked_at: Date | null };

const SHOWN = [
  'id',
  'name',
  'dao_id',
  'principal',
  'gateway',
  'owner',
  'scopes',
  'expires_at',
  'replaces',
  'issuer',
  'created_at',
  'last_used_at',
  'revoked_at',
] as const;

/** What the database tells of a key that opens something (`find_key`). */
interface Found extends Omit<CallerKey, 'daoId' | 'scopes' | 'dao' | 'token'> {
  dao_id: string | null;
  scopes: string[] | null;
  dao_name: string | null;
  dao_limits: DaoLimits | null;
  dao_stamp: string | null;
}

/** API keys, by the hash of their secret. */
export class KeysRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * The key with this hash, and its DAO as it stands, unless it is revoked or expired, or whoever answers for it is gone.
   * Nobody knows yet of which DAO it is.
   */
  async findActive(hash: string): Promise<CallerKey | undefined> {
    const at = performance.now();
    const { rows } = await guardStore(() =>
      sql<Found>`select * from find_key(${hash})`.execute(this.tenants.scopeless),
    );
    return rows[0] && toCaller(rows[0], at);
  }

  /** Notes that a key was used just now. */
  async touch(id: string): Promise<void> {
    await guardStore(() =>
      this.tenants.vital.updateTable('api_keys').set({ last_used_at: new Date() }).where('id', '=', id).execute(),
    );
  }

  /**
   * The row of a bearer of tokens, whether or not it was revoked. Whoever was shut out where no DAO was said is shut out of
   * all.
   */
  async bearer({ issuer, subject, daoId }: Bearer): Promise<BearerRow | undefined> {
    return guardStore(() =>
      this.tenants.vital
        .selectFrom('api_keys')
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .where(sql<boolean>`coalesce(dao_id, '') = ${daoId ?? ''}`)
        .select(['id', 'principal', 'gateway', 'owner'])
        .select(
          sql<Date | null>`coalesce(revoked_at, (
            select a.revoked_at from api_keys a where a.issuer = ${issuer} and a.subject = ${subject} and a.dao_id is null
          ))`.as('revoked_at'),
        )
        .executeTakeFirst(),
    );
  }

  /** Adds the row of a bearer unless there is one. @returns whether it was added */
  async addBearer(db: Db, { issuer, subject, daoId }: Bearer, key: Omit<NewKey, 'dao_id'>): Promise<boolean> {
    const added = await db
      .insertInto('api_keys')
      .values({ ...key, dao_id: daoId, issuer, subject })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return added !== undefined;
  }

  /** How many keys of a DAO open something, or would if whoever answers for them were there; bearers of tokens are none. */
  async count(db: Db, daoId: string): Promise<number> {
    const { count } = await db
      .selectFrom('api_keys')
      .where('dao_id', '=', daoId)
      .where('issuer', 'is', null)
      .where('revoked_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
      .select(({ fn }) => fn.countAll().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async insert(db: Db, key: NewKey): Promise<KeyInfo> {
    return db
      .insertInto('api_keys')
      .values(key)
      .returning([...SHOWN])
      .executeTakeFirstOrThrow();
  }

  /** Adds a key, or gives the key of this id a new secret; the old secret opens nothing from then on. */
  async put(key: NewKey): Promise<void> {
    await guardStore(() =>
      this.tenants.all
        .insertInto('api_keys')
        .values(key)
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ hash: key.hash, revoked_at: null }))
        .execute(),
    );
  }

  /** Keys by id, behind `after`: all, or those of one DAO. Ids grow with time. */
  async list(daoId: string | null, { after, limit }: { after: string; limit: number }): Promise<KeyInfo[]> {
    return guardStore(() => this.shown(daoId).where('id', '>', after).orderBy('id').limit(limit).execute());
  }

  /** A key of one DAO, or (null) of any. */
  async find(id: string, daoId: string | null): Promise<KeyInfo | undefined> {
    return guardStore(() => this.shown(daoId).where('id', '=', id).executeTakeFirst());
  }

  /** A key by its id, as if it had been used just now; undefined: it opens nothing any more, and no successor does. */
  async caller(id: string): Promise<CallerKey | undefined> {
    const row = await guardStore(() =>
      this.tenants.all
        .selectFrom('api_keys')
        .where((eb) => eb.or([eb('id', '=', id), eb('replaces', '=', id)]))
        .where('revoked_at', 'is', null)
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
        .select(['id', 'dao_id', 'principal', 'gateway', 'owner', 'scopes'])
        .executeTakeFirst(),
    );
    if (!row) return undefined;
    const { dao_id: daoId, scopes, ...key } = row;
    return { ...key, daoId, scopes: scopes?.filter(isEntitlement) ?? null };
  }

  /** Revokes a key. Returns whether it was not revoked before. */
  async revoke(db: Db, id: string): Promise<boolean> {
    const result = await db
      .updateTable('api_keys')
      .set({ revoked_at: new Date() })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  /**
   * Lets a key expire after some seconds, or earlier if it would anyway.
   * @returns whether it still opened something
   */
  async expire(db: Db, id: string, seconds: number): Promise<boolean> {
    const result = await db
      .updateTable('api_keys')
      .set({ expires_at: sql<Date>`least(expires_at, now() + make_interval(secs => ${seconds}))` })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  /** The id of the key that has taken the place of this one, unless it was revoked. */
  async successorOf(db: Db, id: string): Promise<string | undefined> {
    const successor = db.selectFrom('api_keys').where('replaces', '=', id).where('revoked_at', 'is', null);
    return (await successor.select('id').executeTakeFirst())?.id;
  }

  /** Whether another key has taken the place of this one. */
  async isReplaced({ id, daoId }: Pick<CallerKey, 'id' | 'daoId'>): Promise<boolean> {
    const successor = await guardStore(() => this.shown(daoId).where('replaces', '=', id).limit(1).executeTakeFirst());
    return successor !== undefined;
  }

  private shown(daoId: string | null) {
    const db = daoId === null ? this.tenants.all : this.tenants.of(daoId);
    return db
      .selectFrom('api_keys')
      .select([...SHOWN])
      .$if(daoId !== null, (query) => query.where('dao_id', '=', daoId));
  }
}

function toCaller({ dao_id, scopes, dao_name, dao_limits, dao_stamp, ...rest }: Found, at: number): CallerKey {
  const key = { ...rest, daoId: dao_id, scopes: scopes?.filter(isEntitlement) ?? null };
  if (dao_id === null || dao_name === null || dao_limits === null || dao_stamp === null) return key;
  return { ...key, dao: { id: dao_id, name: dao_name, limits: dao_limits, stamp: dao_stamp, at } };
}

import { sql, type ExpressionBuilder } from 'kysely';
import { isEntitlement, PLATFORM_OWNER, type CallerKey, type KeyInfo } from '../../contracts/access.js';
import type { VitalTables, Db, Tenants } from './tenants.js';
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
  'created_at',
  'last_used_at',
  'revoked_at',
] as const;

const owningMember = (eb: ExpressionBuilder<VitalTables, 'api_keys'>) =>
  eb
    .selectFrom('members')
    .whereRef('members.dao_id', '=', 'api_keys.dao_id')
    .whereRef('members.id', '=', 'api_keys.owner')
    .select('members.id');

/** API keys, by the hash of their secret. */
export class KeysRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * The key with this hash, and its DAO as it stands, unless it is revoked or expired, or whoever answers for it is gone.
   * Nobody knows yet of which DAO it is.
   */
  async findActive(hash: string): Promise<CallerKey | undefined> {
    const at = performance.now();
    const row = await guardStore(() =>
      this.tenants.vital
        .selectFrom('api_keys')
        .leftJoin('daos', 'daos.id', 'api_keys.dao_id')
        .where('hash', '=', hash)
        .where('revoked_at', 'is', null)
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
        .where((eb) => eb.or([eb('owner', '=', PLATFORM_OWNER), eb.exists(owningMember(eb))]))
        .select(['api_keys.id', 'dao_id', 'principal', 'gateway', 'owner', 'scopes'])
        .select(['daos.name', 'daos.limits', sql<string>`daos.access_stamp::text`.as('stamp')])
        .executeTakeFirst(),
    );
    if (!row) return undefined;
    const { dao_id: daoId, scopes, name, limits, stamp, ...rest } = row;
    const dao = daoId !== null && name !== null && limits !== null && { id: daoId, name, limits, stamp, at };
    return { ...rest, daoId, scopes: scopes?.filter(isEntitlement) ?? null, ...(dao && { dao }) };
  }

  /** Notes that a key was used just now. */
  async touch(id: string): Promise<void> {
    await guardStore(() =>
      this.tenants.vital.updateTable('api_keys').set({ last_used_at: new Date() }).where('id', '=', id).execute(),
    );
  }

  /** How many keys of a DAO open something, or would if whoever answers for them were there. */
  async count(db: Db, daoId: string): Promise<number> {
    const { count } = await db
      .selectFrom('api_keys')
      .where('dao_id', '=', daoId)
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

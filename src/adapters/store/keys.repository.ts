import type { CallerKey, KeyInfo } from '../../contracts/access.js';
import type { Db } from './database.js';
import { guardStore } from './errors.js';

export interface NewKey {
  id: string;
  hash: string;
  name: string;
  dao_id: string | null;
  principal: string;
  gateway: boolean;
}

const SHOWN = ['id', 'name', 'dao_id', 'principal', 'gateway', 'created_at', 'last_used_at', 'revoked_at'] as const;

/** API keys, by the hash of their secret. */
export class KeysRepository {
  constructor(private readonly db: Db) {}

  /** The key with this hash, unless it is revoked. */
  async findActive(hash: string): Promise<CallerKey | undefined> {
    const row = await guardStore(() =>
      this.db
        .selectFrom('api_keys')
        .where('hash', '=', hash)
        .where('revoked_at', 'is', null)
        .select(['id', 'dao_id', 'principal', 'gateway'])
        .executeTakeFirst(),
    );
    return row && { id: row.id, daoId: row.dao_id, principal: row.principal, gateway: row.gateway };
  }

  /** Notes that a key was used just now. */
  async touch(id: string): Promise<void> {
    await guardStore(() =>
      this.db.updateTable('api_keys').set({ last_used_at: new Date() }).where('id', '=', id).execute(),
    );
  }

  async insert(key: NewKey): Promise<KeyInfo> {
    return guardStore(() =>
      this.db
        .insertInto('api_keys')
        .values(key)
        .returning([...SHOWN])
        .executeTakeFirstOrThrow(),
    );
  }

  /** Adds a key, or gives the key of this id a new secret; the old secret opens nothing from then on. */
  async put(key: NewKey): Promise<void> {
    await guardStore(() =>
      this.db
        .insertInto('api_keys')
        .values(key)
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ hash: key.hash, revoked_at: null }))
        .execute(),
    );
  }

  /** All keys, or those of one DAO. */
  async list(daoId: string | null): Promise<KeyInfo[]> {
    return guardStore(() =>
      this.db
        .selectFrom('api_keys')
        .select([...SHOWN])
        .$if(daoId !== null, (query) => query.where('dao_id', '=', daoId))
        .orderBy('created_at')
        .execute(),
    );
  }

  /** Revokes a key, of one DAO if `daoId` says so. Returns whether there was one. */
  async revoke(id: string, daoId: string | null): Promise<KeyInfo | undefined> {
    return guardStore(() =>
      this.db
        .updateTable('api_keys')
        .set({ revoked_at: new Date() })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .$if(daoId !== null, (query) => query.where('dao_id', '=', daoId))
        .returning([...SHOWN])
        .executeTakeFirst(),
    );
  }
}

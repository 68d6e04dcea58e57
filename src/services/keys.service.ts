import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { PLATFORM_OWNER, type CallerKey, type KeyInfo } from '../contracts/access.js';
import { ADMIN_PRINCIPAL, API_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { KeysRepository, NewKey } from '../adapters/store/keys.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';

const ADMIN_KEY_ID = 'admin';
const KEY_PREFIX = 'dagi_';
/** The use of a key is noted this often in each process, in milliseconds. */
const NOTE_USE_MS = 60_000;

/**
 * Keys are random (256 bits) or long, so a fast hash is enough; and they are found by their hash, so the time of a
 * look-up tells nothing about a key.
 */
const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** A new secret, to be shown once. */
export const newSecret = (): string => KEY_PREFIX + randomBytes(32).toString('base64url');

export interface NewKeyRequest {
  name: string;
  daoId: string | undefined;
  /** Absent: a gateway key whose own principal is `api:<key id>`. */
  principal: string | undefined;
  /** Entitlements that it is narrowed to; absent: as the caller's key. */
  scopes?: readonly string[] | undefined;
}

/** What may be shown of a new key, and the key. */
export type NewKeyInfo = KeyInfo & { key: string };

/** Who rules over which keys: those of one DAO, or (null) all of them. */
interface Administrator {
  daoId: string | null;
  actor: string;
  acting?: Acting;
}

/** API keys: who calls. */
export class KeysService {
  /** When the use of each key was last noted, by its id. */
  private readonly noted = new Map<string, number>();

  constructor(
    private readonly keys: KeysRepository,
    private readonly access: AccessService,
    private readonly audit: AuditRepository,
  ) {}

  /** The key behind a secret, or undefined if it opens nothing. */
  async authenticate(secret: string): Promise<CallerKey | undefined> {
    const key = await this.keys.findActive(hashKey(secret));
    if (key) this.noteUse(key.id);
    return key;
  }

  /** Nobody waits for the note, and no call fails for it. */
  private noteUse(id: string): void {
    const now = Date.now();
    if (now - (this.noted.get(id) ?? -Infinity) < NOTE_USE_MS) return;
    this.noted.set(id, now);
    this.keys.touch(id).catch(() => undefined);
  }

  /** Makes `secret` the administrator's key; a former one opens nothing from then on. */
  async putAdminKey(secret: string): Promise<void> {
    await this.keys.put({
      id: ADMIN_KEY_ID,
      hash: hashKey(secret),
      name: 'administrator',
      dao_id: null,
      principal: ADMIN_PRINCIPAL,
      gateway: true,
      owner: PLATFORM_OWNER,
    });
  }

  /**
   * Creates a key that opens at most what the caller's does, now and later: it belongs to whoever made it.
   * @returns the key itself, which is kept nowhere, beside what may be shown of it
   * @throws AppError `BODY_INVALID`, `RBAC_PERMISSION_DENIED` and those of access
   */
  async create(caller: CallerKey, request: NewKeyRequest): Promise<NewKeyInfo> {
    const by = await this.administer(caller, { daoId: request.daoId });
    if (request.principal?.startsWith(API_PRINCIPAL_PREFIX)) {
      const prefix = API_PRINCIPAL_PREFIX;
      throw new AppError('BODY_INVALID', `A principal may not start with "${prefix}": those belong to keys themselves.`);
    }
    if (by.acting) await this.access.requireNoMore(by.acting, request.principal);
    const id = uuid();
    return this.add(by.actor, {
      id,
      name: request.name,
      dao_id: by.daoId,
      principal: request.principal ?? `${API_PRINCIPAL_PREFIX}${id}`,
      gateway: request.principal === undefined,
      owner: ownerOf(by.acting),
      scopes: this.scopesWithin(caller, by, request.scopes),
    });
  }

  /**
   * Gives a key a successor that opens the same. The old one works on for a while, so that nobody who uses it is cut off.
   * @param overlapSeconds for how long
   * @throws AppError `KEY_NOT_FOUND` and those of access
   */
  async rotate(caller: CallerKey, id: string, overlapSeconds: number, named: Named): Promise<NewKeyInfo> {
    const by = await this.administer(caller, named);
    const old = await this.usable(id, by.daoId);
    if (by.acting) await this.access.requireNoMore(by.acting, old.gateway ? undefined : old.principal);
    const { name, dao_id, principal, gateway, owner, scopes } = old;
    this.scopesWithin(caller, by, scopes ?? undefined);
    const successor = { id: uuid(), name, dao_id, principal, gateway, owner, scopes, replaces: id };
    return this.add(by.actor, successor, (db) => this.keys.expire(db, id, overlapSeconds));
  }

  /** Keys of a DAO, or all of them for the platform's administrator who names none. */
  async list(caller: CallerKey, named: Named): Promise<KeyInfo[]> {
    const scope = await this.administer(caller, named);
    return this.keys.list(scope.daoId);
  }

  /** Revokes a key at once, in every process. */
  async revoke(caller: CallerKey, id: string, named: Named): Promise<void> {
    const { actor, daoId } = await this.administer(caller, named);
    const key = await this.usable(id, daoId);
    await this.audit.recorded(key.dao_id, async (db, record) => {
      if (!(await this.keys.revoke(db, id))) throw new AppError('KEY_NOT_FOUND');
      await record({ actor, action: 'key.revoke', subject: id });
    });
  }

  /** Writes a new key down, with what becomes of the one before. */
  private async add(
    actor: string,
    key: Omit<NewKey, 'hash'>,
    replace?: (db: Db) => Promise<void>,
  ): Promise<NewKeyInfo> {
    const secret = newSecret();
    const info = await this.audit.recorded(key.dao_id, async (db, record) => {
      const { id, replaces, gateway, scopes } = key;
      await replace?.(db);
      const made = await this.keys.insert(db, { ...key, hash: hashKey(secret) });
      const action = replaces === undefined ? 'key.create' : 'key.rotate';
      await record({ actor, action, subject: id, detail: { gateway, scopes, ...(replaces && { replaces }) } });
      return made;
    });
    return { ...info, key: secret };
  }

  /** A key that is there and not revoked, and may be changed. */
  private async usable(id: string, daoId: string | null): Promise<KeyInfo> {
    if (id === ADMIN_KEY_ID) {
      throw new AppError('BODY_INVALID', 'The admin key is changed with DAGI_ADMIN_KEY, and in no other way.');
    }
    const key = await this.keys.find(id, daoId);
    if (!key || key.revoked_at) throw new AppError('KEY_NOT_FOUND');
    return key;
  }

  /** What a new key is narrowed to: what was asked for, and never more than the key that asks. */
  private scopesWithin(caller: CallerKey, { acting }: Administrator, wanted: readonly string[] | undefined): string[] | null {
    const missing = wanted?.find((one) => !(acting?.rights.entitlements ?? caller.scopes ?? wanted).some((own) => own === one));
    if (missing !== undefined) {
      throw new AppError('RBAC_PERMISSION_DENIED', undefined, { required_entitlement: missing, roles: acting?.rights.roles ?? [] });
    }
    const scopes = wanted ?? caller.scopes;
    return scopes && [...scopes];
  }

  /** Over which keys the caller, or the user it names, rules: those of a DAO (`key.manage`), or all (`platform.admin`). */
  private async administer(
    caller: CallerKey,
    { daoId, userId }: Named,
  ): Promise<Administrator> {
    if (daoId === undefined && caller.daoId === null) {
      return { daoId: null, ...(await this.access.requirePlatform(caller, userId)) };
    }
    const acting = await this.access.require(caller, { daoId, userId }, 'key.manage');
    return { daoId: acting.daoId, actor: acting.actor, acting };
  }
}

/** Whose rights a key made now is bound by. */
function ownerOf(acting: Acting | undefined): string {
  if (!acting || acting.facts.platformAdmin) return PLATFORM_OWNER;
  const { member } = acting.facts;
  if (member === undefined) throw new AppError('RBAC_PERMISSION_DENIED', 'Only a member can own a key.');
  return member;
}

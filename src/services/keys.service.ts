import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { CallerKey, KeyInfo } from '../contracts/access.js';
import { ADMIN_PRINCIPAL, API_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { KeysRepository } from '../adapters/store/keys.repository.js';
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
    });
  }

  /**
   * Creates a key that opens at most what the caller's does.
   * @returns the key itself, which is kept nowhere, beside what may be shown of it
   */
  async create(caller: CallerKey, request: NewKeyRequest): Promise<KeyInfo & { key: string }> {
    const { daoId, actor, acting } = await this.administer(caller, { daoId: request.daoId });
    if (request.principal?.startsWith(API_PRINCIPAL_PREFIX)) {
      throw new AppError(
        'BODY_INVALID',
        `A principal may not start with "${API_PRINCIPAL_PREFIX}": those belong to keys themselves.`,
      );
    }
    if (acting) await this.access.requireNoMore(acting, request.principal);
    const id = uuid();
    const key = newSecret();
    const info = await this.keys.insert({
      id,
      hash: hashKey(key),
      name: request.name,
      dao_id: daoId,
      principal: request.principal ?? `${API_PRINCIPAL_PREFIX}${id}`,
      gateway: request.principal === undefined,
    });
    await this.audit.append({ daoId, actor, action: 'key.create', subject: id, detail: { principal: info.principal } });
    return { ...info, key };
  }

  /** Keys of a DAO, or all of them for the platform's administrator who names none. */
  async list(caller: CallerKey, named: Named): Promise<KeyInfo[]> {
    const scope = await this.administer(caller, named);
    return this.keys.list(scope.daoId);
  }

  /** Revokes a key at once, in every process. */
  async revoke(caller: CallerKey, id: string, named: Named): Promise<void> {
    const scope = await this.administer(caller, named);
    if (id === ADMIN_KEY_ID)
      throw new AppError('BODY_INVALID', 'The admin key is changed with DAGI_ADMIN_KEY, not revoked.');
    const revoked = await this.keys.revoke(id, scope.daoId);
    if (!revoked) throw new AppError('KEY_NOT_FOUND');
    await this.audit.append({ daoId: revoked.dao_id, actor: scope.actor, action: 'key.revoke', subject: id });
  }

  /** Over which keys the caller, or the user it names, rules: those of a DAO (`key.manage`), or all (`platform.admin`). */
  private async administer(
    caller: CallerKey,
    { daoId, userId }: Named,
  ): Promise<{ daoId: string | null; actor: string; acting?: Acting }> {
    if (daoId === undefined && caller.daoId === null) {
      return { daoId: null, ...(await this.access.requirePlatform(caller, userId)) };
    }
    const acting = await this.access.require(caller, { daoId, userId }, 'key.manage');
    return { daoId: acting.daoId, actor: acting.actor, acting };
  }
}

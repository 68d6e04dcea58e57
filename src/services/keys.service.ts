import { randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import {
  ENTITLEMENTS,
  isOwnKey,
  PLATFORM_OWNER,
  type CallerKey,
  type Entitlement,
  type KeyInfo,
} from '../contracts/access.js';
import { ADMIN_PRINCIPAL, API_PRINCIPAL_PREFIX, BOTS_KEY_ID, BOTS_PRINCIPAL } from '../contracts/ids.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import type { KeysRepository, NewKey } from '../adapters/store/keys.repository.js';
import { memberByUser } from '../adapters/store/members.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { firstLacking } from '../domain/member-rules.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { pageOf, type Page, type PageRequest } from './pages.js';
import { sha256 } from '../adapters/digest.js';

const ADMIN_KEY_ID = 'admin';
const KEY_PREFIX = 'dagi_';
/** Most keys of a DAO that open something. */
const MOST_KEYS = 1_000;
/** The use of a key is noted this often in each process, in milliseconds. */
const NOTE_USE_MS = 60_000;

/**
 * Keys are random (256 bits) or long, so a fast hash is enough; and they are found by their hash, so the time of a
 * look-up tells nothing about a key.
 */
export const hashKey = sha256;

/** A new secret, to be shown once. */
export const newSecret = (): string => KEY_PREFIX + randomBytes(32).toString('base64url');

export interface NewKeyRequest {
  name: string;
  daoId: string | undefined;
  /** Absent: a gateway key whose own principal is `api:<key id>`. */
  principal: string | undefined;
  /** Entitlements that it is narrowed to; absent: as the caller's key. */
  scopes?: readonly Entitlement[] | undefined;
}

/** What may be shown of a new key, and the key. */
export type NewKeyInfo = KeyInfo & { key: string };

/** Who rules over which keys: those of one DAO, or (null) all of them. */
interface Administrator {
  caller: CallerKey;
  daoId: string | null;
  actor: string;
  /** Undefined: the platform itself, which names no DAO. */
  acting?: Acting;
}

const MANAGE = 'key.manage' satisfies Entitlement;

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
    if (key) this.used(key.id);
    return key;
  }

  /** Notes that a key was used just now. Nobody waits for the note, and no call fails for it. */
  used(id: string): void {
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

  /** Gives bots a key to act with, whose secret nobody has: it is found by its id, and opens nothing from outside. */
  async putBotsKey(): Promise<void> {
    await this.keys.put({
      id: BOTS_KEY_ID,
      hash: hashKey(newSecret()),
      name: 'bots of Telegram and Discord',
      dao_id: null,
      principal: BOTS_PRINCIPAL,
      gateway: true,
      owner: PLATFORM_OWNER,
    });
  }

  /**
   * Creates a key that opens at most what the caller's does, now and later: it belongs to whoever made it.
   * @returns the key itself, which is kept nowhere, beside what may be shown of it
   * @throws AppError `BODY_INVALID`, `RBAC_PERMISSION_DENIED` and those of access
   */
  async create(caller: CallerKey, { name, daoId, principal, scopes: wanted }: NewKeyRequest): Promise<NewKeyInfo> {
    const by = await this.makers(caller, { daoId });
    if (principal?.startsWith(API_PRINCIPAL_PREFIX)) {
      const prefix = API_PRINCIPAL_PREFIX;
      throw new AppError(
        'BODY_INVALID',
        `A principal may not start with "${prefix}": those belong to keys themselves.`,
      );
    }
    if (by.acting) await this.access.requireNoMore(by.acting, principal);
    if (wanted) await this.requireWithin(by, wanted, by.acting?.rights.entitlements ?? caller.scopes);
    const id = uuid();
    return this.add(by, {
      id,
      name,
      dao_id: by.daoId,
      principal: principal ?? `${API_PRINCIPAL_PREFIX}${id}`,
      gateway: principal === undefined,
      owner: await this.ownerOf(by),
      scopes: copied(wanted ? [...new Set(wanted)] : caller.scopes),
    });
  }

  /**
   * Gives a key a successor. The old one works on for a while, so that nobody who uses it is cut off. The secret goes to
   * the caller, so the successor opens what the old one does as far as the caller might have made it: it becomes the
   * caller's where it was somebody else's, and cannot be wider than the caller's key. What the platform made for somebody
   * else is theirs or the platform's to replace: the successor could not do all that the old one can.
   * @param overlapSeconds for how long
   * @throws AppError `KEY_NOT_FOUND` where it is gone, revoked or expired; `KEY_REPLACED` where it has a successor;
   *   `RBAC_PERMISSION_DENIED` and those of access
   */
  async rotate(
    caller: CallerKey,
    id: string,
    { overlapSeconds, daoId }: { overlapSeconds: number; daoId?: string | undefined },
  ): Promise<NewKeyInfo> {
    const by = await this.makers(caller, { daoId });
    const old = await this.usable(id, by.daoId);
    if (old.issuer !== null) {
      throw new AppError(
        'BODY_INVALID',
        'This is no key, but a bearer of access tokens: there is no secret to replace.',
      );
    }
    const { name, dao_id, principal, gateway, scopes } = old;
    if (by.acting) await this.access.requireNoMore(by.acting, gateway ? undefined : principal);
    await this.requireWithin(by, scopes ?? ENTITLEMENTS, caller.scopes);
    const mine = await this.ownerOf(by);
    if (old.owner === PLATFORM_OWNER && mine !== PLATFORM_OWNER && !(await this.isOwn(by, old))) {
      await this.refuse(by, MANAGE, 'The administrator of the platform made this key for somebody else: ask them.');
    }
    const owner = mine === PLATFORM_OWNER ? old.owner : mine;
    const successor = { id: uuid(), name, dao_id, principal, gateway, owner, scopes, replaces: id };
    return this.add(by, successor, async (db) => {
      const there = await this.keys.successorOf(db, id);
      if (there !== undefined) throw new AppError('KEY_REPLACED', undefined, { successor: there });
      if (!(await this.keys.expire(db, id, overlapSeconds))) throw new AppError('KEY_NOT_FOUND');
    });
  }

  /** Keys of a DAO, or all of them for the platform's administrator who names none. */
  async list(caller: CallerKey, named: Named, page: PageRequest): Promise<Page<KeyInfo>> {
    const { daoId } = await this.administer(caller, named);
    return pageOf(page, (after, limit) => this.keys.list(daoId, { after, limit }));
  }

  /**
   * Revokes a key at once, in every process: one of one's own, or one that opens no more than one has.
   * @throws AppError `KEY_NOT_FOUND`, `RBAC_PERMISSION_DENIED` and those of access
   */
  async revoke(caller: CallerKey, id: string, named: Named): Promise<void> {
    const by = await this.administer(caller, named);
    const { actor } = by;
    const key = await this.usable(id, by.daoId);
    if (by.acting && !(await this.isOwn(by, key))) {
      await this.access.requireNoMore(by.acting, key.gateway ? undefined : key.principal);
    }
    await this.audit.recorded({ daoId: key.dao_id, key: caller }, async (db, record) => {
      if (!(await this.keys.revoke(db, id))) throw new AppError('KEY_NOT_FOUND');
      await record({ actor, action: 'key.revoke', subject: id });
    });
  }

  /** Writes a new key down, with what becomes of the one before. */
  private async add(
    { actor, caller }: Administrator,
    key: Omit<NewKey, 'hash'>,
    replace?: (db: Db) => Promise<void>,
  ): Promise<NewKeyInfo> {
    const secret = newSecret();
    const place = { daoId: key.dao_id, key: caller };
    const info = await this.audit.recorded(place, async (db, record) => {
      const { id, dao_id, principal, replaces, gateway, owner, scopes } = key;
      await replace?.(db);
      await this.requireRoom(db, dao_id);
      const made = await this.keys.insert(db, { ...key, hash: hashKey(secret) });
      const action = replaces === undefined ? 'key.create' : 'key.rotate';
      // Whom it speaks for, if the DAO knows them; the id of a platform does not belong into the record.
      const speaksFor = gateway || dao_id === null ? undefined : (await memberByUser(db, dao_id, principal))?.id;
      const detail = { gateway, owner, scopes, ...(speaksFor && { member: speaksFor }), ...(replaces && { replaces }) };
      await record({ actor, action, subject: id, detail });
      return made;
    });
    return { ...info, key: secret };
  }

  /** The platform makes as many keys of all DAOs as it likes. @throws AppError `BODY_INVALID` */
  private async requireRoom(db: Db, daoId: string | null): Promise<void> {
    if (daoId === null || (await this.keys.count(db, daoId)) < MOST_KEYS) return;
    throw new AppError('BODY_INVALID', `A DAO has at most ${MOST_KEYS} keys: revoke some first.`);
  }

  /** Whose rights a key made now is bound by. */
  private async ownerOf(by: Administrator): Promise<string> {
    if (!by.acting || by.acting.facts.platformAdmin) return PLATFORM_OWNER;
    return by.acting.facts.member ?? this.refuse(by, MANAGE, 'Only a member can own a key.');
  }

  /** Whether the member who acts, by a key of their own, made a key or is whom it speaks for. */
  private async isOwn({ caller, acting }: Administrator, key: KeyInfo): Promise<boolean> {
    const member = acting?.facts.member;
    if (!acting || member === undefined || !isOwnKey(caller, member)) return false;
    if (key.owner === member) return true;
    return !key.gateway && (await this.access.factsOf(acting.daoId, key.principal)).member === member;
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

  /** Over which keys the caller, or the user it names, rules: those of a DAO (`key.manage`), or all (`platform.admin`). */
  private async administer(caller: CallerKey, { daoId, userId }: Named): Promise<Administrator> {
    if (daoId === undefined && caller.daoId === null) {
      return { caller, daoId: null, ...(await this.access.requirePlatform(caller, userId)) };
    }
    const acting = await this.access.require(caller, { daoId, userId }, MANAGE);
    return { caller, daoId: acting.daoId, actor: acting.actor, acting };
  }

  /**
   * As `administer`, for what hands out a secret. A new key is bound by its owner alone, so the key that asks must not
   * be bound by anybody else; and a key that goes out of use must not live on in another.
   */
  private async makers(caller: CallerKey, named: Pick<Named, 'daoId'>): Promise<Administrator> {
    const by = await this.administer(caller, named);
    if (!isOwnKey(caller, by.acting?.facts.member)) {
      await this.refuse(by, MANAGE, 'Somebody else answers for this key, so it makes no others.');
    }
    if (await this.keys.isReplaced(caller)) {
      await this.refuse(by, MANAGE, 'This key was replaced, so it makes no others: use its successor.');
    }
    return by;
  }

  /** @param among null: everything */
  private async requireWithin(
    by: Administrator,
    wanted: readonly Entitlement[] | readonly string[],
    among: readonly string[] | null,
  ): Promise<void> {
    const missing = among && firstLacking<string>(wanted, among);
    if (missing) await this.refuse(by, missing, 'A key opens no more than the one that makes it.');
  }

  /** Refuses, on the record. */
  private async refuse(
    { caller, daoId, actor, acting }: Administrator,
    entitlement: string,
    message: string,
  ): Promise<never> {
    const detail = { required_entitlement: entitlement, roles: acting?.rights.roles ?? [] };
    if (acting) await this.access.denied(acting, detail);
    else
      await this.audit.append(
        { daoId, key: caller },
        { actor, action: 'access.denied', subject: { user: actor }, detail },
      );
    throw new AppError('RBAC_PERMISSION_DENIED', message, detail);
  }
}

const copied = (scopes: readonly string[] | null): string[] | null => scopes && [...scopes];

import {
  isOwnKey,
  PLATFORM_OWNER,
  type AccessFacts,
  type Actor,
  type AnsweredKey,
  type CallerKey,
  type Entitlement,
} from '../contracts/access.js';
import type { DaoLimits } from '../contracts/dao.js';
import type { AccessRepository, Person } from '../adapters/store/access.repository.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import { resolveRights, type Rights } from '../domain/access.js';
import { resolveActor, resolveDao } from '../domain/acting.js';
import { firstLacking } from '../domain/member-rules.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { Denials } from './denials.js';

/** Somebody acting in a DAO, with what the database knows of them. */
export interface Acting {
  actor: string;
  daoId: string;
  /** Through which key. */
  key: AnsweredKey;
  facts: AccessFacts;
  rights: Rights;
  /** What the platform has given to the DAO. */
  limits?: DaoLimits;
}

/** Somebody who looks at what belongs to the installation: as far as it concerns one DAO, or (null) at everything. */
export interface Onlooker {
  actor: string;
  sees: string | null;
}

export const onlooker = ({ actor, daoId, rights }: Acting): Onlooker => ({
  actor,
  sees: rights.entitlements.includes(PLATFORM_ADMIN) ? null : daoId,
});

/** What a request names: the DAO and, for gateway keys, the user. */
export interface Named {
  daoId?: string | undefined;
  userId?: string | undefined;
}

/** What a key that somebody else answers for is told where only a person themselves may do something. */
export const OTHERS_KEY =
  'Somebody else answers for this key: use one that is your own, or that the administrator of the platform made.';

/** What a key is told that speaks for somebody who may more than whoever answers for it. */
const TOO_STRONG =
  'Whoever answers for this key may less than the one it speaks for: use a key of their own, or of the platform.';

/** What is told where the roles would be enough, and the key is not. */
export const NARROWED = 'The key does not let that through.';

/** Refusals of a key itself, whatever the person may. */
const OVERSTEPS = new Set<ErrorCode>(['ACTING_NOT_ALLOWED', 'DAO_FORBIDDEN']);

const PLATFORM_ADMIN = 'platform.admin' satisfies Entitlement;

const factsAbout = ({ dao, member, roles, limits }: Person, platformAdmin: boolean): AccessFacts => ({
  dao: { ...dao, ...(limits.weight !== undefined && { weight: limits.weight }) },
  ...(member !== null && { member }),
  roles,
  platformAdmin,
});

/** Whether somebody lacks an entitlement for the scopes, or the owner, of the key alone. */
function isNarrowed({ facts: { within, ...person } }: Acting, entitlement: Entitlement): boolean {
  return within?.includes(entitlement) === false && resolveRights(person).entitlements.includes(entitlement);
}

/** Who acts, where, and with which rights. */
export class AccessService {
  constructor(
    private readonly access: AccessRepository,
    audit: AuditRepository,
    private readonly defaultDao: () => string | undefined,
    private readonly denials = new Denials(audit),
  ) {}

  /**
   * Matches a key with what the request names, and fetches the rights. A member's key speaks for nobody who may more than
   * that member: who was given more, or lost some, after the key was made as before.
   * @throws AppError `ACTING_NOT_ALLOWED`, `DAO_FORBIDDEN` (both on the record), `DAO_REQUIRED`, `DAO_NOT_FOUND`,
   *   `STORE_UNAVAILABLE`
   */
  async resolve(key: CallerKey, named: Named): Promise<Acting> {
    const actor = await this.actorOf(key, named.userId);
    const daoId = await this.onRecord(key, () => resolveDao(key, named.daoId, this.defaultDao()));
    const [person, platformAdmin, owned] = await Promise.all([
      this.access.byUser(daoId, actor.id, key.dao),
      actor.own && key.daoId === null && this.access.hasPlatformGrant(actor.id),
      this.ownedRights(key, daoId),
    ]);
    if (!person) throw new AppError('DAO_NOT_FOUND');
    const within = owned ? owned.filter((one) => key.scopes?.includes(one) ?? true) : key.scopes && [...key.scopes];
    const about = factsAbout(person, platformAdmin);
    const facts: AccessFacts = { ...about, ...(within && { within }) };
    const acting = { actor: actor.id, daoId, key, facts, rights: resolveRights(facts), limits: person.limits };
    if (owned && !isOwnKey(key, about.member) && firstLacking(resolveRights(about).entitlements, owned) !== undefined) {
      await this.refuseActing(acting, TOO_STRONG);
    }
    return acting;
  }

  /**
   * Who acts.
   * @throws AppError `ACTING_NOT_ALLOWED`, on the record; `STORE_UNAVAILABLE`
   */
  actorOf(key: CallerKey, userId: string | undefined): Promise<Actor> {
    return this.onRecord(key, () => resolveActor(key, userId));
  }

  /**
   * Like `resolve`, and refuses, on the record, whoever lacks the entitlement.
   * @throws AppError `RBAC_PERMISSION_DENIED` and those of `resolve`
   */
  async require(key: CallerKey, named: Named, entitlement: Entitlement): Promise<Acting> {
    const acting = await this.resolve(key, named);
    if (!acting.rights.entitlements.includes(entitlement)) await this.refuse(acting, entitlement);
    return acting;
  }

  /**
   * Admits whoever rules over the whole installation: the own principal of a key of all DAOs, if it has the platform's
   * grant. No DAO is asked about, so it works on an installation that has none. A user that a gateway key names never
   * has the grant: it goes with keys, not with people.
   * @throws AppError `ACTING_NOT_ALLOWED`, `RBAC_PERMISSION_DENIED` (on the record), `STORE_UNAVAILABLE`
   */
  async requirePlatform(key: CallerKey, userId?: string): Promise<{ actor: string }> {
    const { id: actor, own } = await this.actorOf(key, userId);
    const mayHaveIt = own && key.daoId === null && (key.scopes?.includes(PLATFORM_ADMIN) ?? true);
    if (mayHaveIt && (await this.access.hasPlatformGrant(actor))) return { actor };
    const detail = { required_entitlement: PLATFORM_ADMIN, roles: [] };
    await this.denials.add({ daoId: key.daoId, actor, key, detail });
    throw new AppError('RBAC_PERMISSION_DENIED', undefined, detail);
  }

  /**
   * Admits whoever has the entitlement in the DAO that is named or meant; and, where no DAO is, whoever rules over all.
   * For what belongs to the installation and may be seen from any DAO.
   * @returns who acts, and what of it they see: what concerns their DAO, or (null, for whoever rules over all) everything
   * @throws AppError as `require` and `requirePlatform` do
   */
  async requireAnywhere(key: CallerKey, named: Named, entitlement: Entitlement): Promise<Onlooker> {
    const namesNone = named.daoId === undefined && key.daoId === null && this.defaultDao() === undefined;
    if (namesNone) return { ...(await this.requirePlatform(key, named.userId)), sees: null };
    return onlooker(await this.require(key, named, entitlement));
  }

  /**
   * Refuses, on the record, whoever would hand out more than they have themselves.
   * @param principal who is to act; undefined: whoever a gateway key names, so anybody of the DAO
   * @throws AppError `RBAC_PERMISSION_DENIED`
   */
  async requireNoMore(acting: Acting, principal: string | undefined): Promise<void> {
    const { daoId, facts, rights } = acting;
    const given: AccessFacts =
      principal === undefined
        ? { dao: facts.dao, roles: await this.access.rolesOf(daoId), platformAdmin: false }
        : await this.factsOf(daoId, principal);
    const missing = resolveRights(given).entitlements.find((one) => !rights.entitlements.includes(one));
    if (missing !== undefined) await this.refuse(acting, missing);
  }

  /**
   * Refuses, on the record, a key for which somebody else answers: for what only a person themselves may do.
   * @throws AppError `ACTING_NOT_ALLOWED`
   */
  async requireOwnKey(acting: Acting): Promise<void> {
    if (!isOwnKey(acting.key, acting.facts.member)) await this.refuseActing(acting, OTHERS_KEY);
  }

  /**
   * Refuses, on the record, to let somebody act for, or ask about, another.
   * @throws AppError `ACTING_NOT_ALLOWED`
   */
  async refuseActing(acting: Acting, message: string): Promise<never> {
    const error = new AppError('ACTING_NOT_ALLOWED', message);
    await this.denied(acting, { code: error.code });
    throw error;
  }

  /**
   * What the database knows of a person in a DAO: of whom something is asked, not who acts.
   * @throws AppError `DAO_NOT_FOUND`, `STORE_UNAVAILABLE`
   */
  async factsOf(daoId: string, userId: string): Promise<AccessFacts> {
    const person = await this.access.byUser(daoId, userId);
    if (!person) throw new AppError('DAO_NOT_FOUND');
    return factsAbout(person, false);
  }

  /** What the owner of a key may at this moment. Undefined: everything, the platform answers for it. */
  private async ownedRights({ owner, dao }: CallerKey, daoId: string): Promise<Entitlement[] | undefined> {
    if (owner === PLATFORM_OWNER) return undefined;
    const person = await this.access.byMember(daoId, owner, dao);
    // Whoever is gone answers for nothing, not even for what a guest may.
    if (typeof person?.member !== 'string') return [];
    return resolveRights(factsAbout(person, false)).entitlements;
  }

  private async refuse(acting: Acting, entitlement: Entitlement): Promise<never> {
    const detail = { required_entitlement: entitlement, roles: acting.rights.roles };
    await this.denied(acting, detail);
    if (!isNarrowed(acting, entitlement)) throw new AppError('RBAC_PERMISSION_DENIED', undefined, detail);
    throw new AppError('RBAC_PERMISSION_DENIED', NARROWED, { ...detail, narrowed_by: 'key' });
  }

  /** Puts a denial on the record, or counts it where the same one was put there a moment ago. */
  async denied({ actor, daoId, key }: Acting, detail: Record<string, unknown>): Promise<void> {
    await this.denials.add({ daoId, actor, key, detail });
  }

  /** Puts on the record that a tool was asked for what it does for nobody. */
  async deniedAtWork(daoId: string, actor: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
    // The key that the request came with was good for it: the tool refuses everybody.
    await this.denials.add({ daoId, actor, key: { id: '', owner: PLATFORM_OWNER }, detail });
  }

  /** Puts on the record what a key, or a token, was refused before it was known in which DAO it would act. */
  async deniedToKey(key: CallerKey, detail: Readonly<Record<string, unknown>>): Promise<void> {
    await this.denials.add({ daoId: key.daoId, actor: key.principal, key, detail });
  }

  /** Matches a key with a request; one that oversteps is on the record of its own DAO, and what it named is not. */
  private async onRecord<T>(key: CallerKey, match: () => T): Promise<T> {
    try {
      return match();
    } catch (error) {
      if (error instanceof AppError && OVERSTEPS.has(error.code)) {
        await this.deniedToKey(key, { code: error.code });
      }
      throw error;
    }
  }

  /** Writes down denials that were counted and not written yet. */
  async close(): Promise<void> {
    await this.denials.close();
  }
}

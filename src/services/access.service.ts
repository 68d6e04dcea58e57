import { PLATFORM_OWNER, type AccessFacts, type CallerKey, type Entitlement } from '../contracts/access.js';
import type { DaoLimits } from '../contracts/dao.js';
import type { AccessRepository, Person } from '../adapters/store/access.repository.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';
import { resolveRights, type Rights } from '../domain/access.js';
import { resolveActor, resolveDao } from '../domain/acting.js';
import { AppError } from '../errors/app-error.js';
import { Denials } from './denials.js';

/** Somebody acting in a DAO, with what the database knows of them. */
export interface Acting {
  actor: string;
  daoId: string;
  facts: AccessFacts;
  rights: Rights;
  /** What the platform has given to the DAO. */
  limits?: DaoLimits;
}

/** What a request names: the DAO and, for gateway keys, the user. */
export interface Named {
  daoId?: string | undefined;
  userId?: string | undefined;
}

const PLATFORM_ADMIN = 'platform.admin' satisfies Entitlement;

const factsAbout = ({ dao, member, roles, limits }: Person, platformAdmin: boolean): AccessFacts => ({
  dao: { ...dao, ...(limits.weight !== undefined && { weight: limits.weight }) },
  ...(member !== null && { member }),
  roles,
  platformAdmin,
});

/** Who acts, where, and with which rights. */
export class AccessService {
  constructor(
    private readonly access: AccessRepository,
    audit: AuditRepository,
    private readonly defaultDao: () => string | undefined,
    private readonly denials = new Denials(audit),
  ) {}

  /**
   * Matches a key with what the request names, and fetches the rights.
   * @throws AppError `ACTING_NOT_ALLOWED`, `DAO_FORBIDDEN`, `DAO_REQUIRED`, `DAO_NOT_FOUND`, `STORE_UNAVAILABLE`
   */
  async resolve(key: CallerKey, named: Named): Promise<Acting> {
    const actor = resolveActor(key, named.userId);
    const daoId = resolveDao(key, named.daoId, this.defaultDao());
    const [person, platformAdmin, within] = await Promise.all([
      this.access.byUser(daoId, actor.id),
      actor.own && key.daoId === null && this.access.hasPlatformGrant(actor.id),
      this.within(key, daoId),
    ]);
    if (!person) throw new AppError('DAO_NOT_FOUND');
    const facts: AccessFacts = { ...factsAbout(person, platformAdmin), ...(within && { within }) };
    return { actor: actor.id, daoId, facts, rights: resolveRights(facts), limits: person.limits };
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
    const { id: actor, own } = resolveActor(key, userId);
    const mayHaveIt = own && key.daoId === null && (key.scopes?.includes(PLATFORM_ADMIN) ?? true);
    if (mayHaveIt && (await this.access.hasPlatformGrant(actor))) return { actor };
    const detail = { required_entitlement: PLATFORM_ADMIN, roles: [] };
    await this.denials.add({ daoId: key.daoId, actor, detail });
    throw new AppError('RBAC_PERMISSION_DENIED', undefined, detail);
  }

  /**
   * Admits whoever has the entitlement in the DAO that is named or meant; and, where no DAO is, whoever rules over all.
   * For what belongs to the installation and may be seen from any DAO.
   * @throws AppError as `require` and `requirePlatform` do
   */
  async requireAnywhere(key: CallerKey, named: Named, entitlement: Entitlement): Promise<{ actor: string }> {
    const namesNone = named.daoId === undefined && key.daoId === null && this.defaultDao() === undefined;
    return namesNone ? this.requirePlatform(key, named.userId) : this.require(key, named, entitlement);
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
   * What the database knows of a person in a DAO: of whom something is asked, not who acts.
   * @throws AppError `DAO_NOT_FOUND`, `STORE_UNAVAILABLE`
   */
  async factsOf(daoId: string, userId: string): Promise<AccessFacts> {
    const person = await this.access.byUser(daoId, userId);
    if (!person) throw new AppError('DAO_NOT_FOUND');
    return factsAbout(person, false);
  }

  /** What a key lets through: what its owner may at this moment, cut to its scopes. Undefined: everything. */
  private async within({ owner, scopes }: CallerKey, daoId: string): Promise<string[] | undefined> {
    if (owner === PLATFORM_OWNER) return scopes ? [...scopes] : undefined;
    const person = await this.access.byMember(daoId, owner);
    // Whoever is gone answers for nothing, not even for what a guest may.
    if (!person || person.member === null) return [];
    const { entitlements } = resolveRights(factsAbout(person, false));
    return entitlements.filter((one) => scopes?.includes(one) ?? true);
  }

  private async refuse(acting: Acting, entitlement: string): Promise<never> {
    const detail = { required_entitlement: entitlement, roles: acting.rights.roles };
    await this.denied(acting, detail);
    throw new AppError('RBAC_PERMISSION_DENIED', undefined, detail);
  }

  /** Puts a denial on the record, or counts it where the same one was put there a moment ago. */
  async denied({ actor, daoId }: Acting, detail: Record<string, unknown>): Promise<void> {
    await this.denials.add({ daoId, actor, detail });
  }

  /** Writes down denials that were counted and not written yet. */
  async close(): Promise<void> {
    await this.denials.close();
  }
}

import { GUEST_ROLE, isOwnKey, type AccessFacts, type CallerKey, type Entitlement } from '../contracts/access.js';
import type { Member } from '../contracts/dao.js';
import type { AuditRepository, Recorder } from '../adapters/store/audit.repository.js';
import { memberById, memberByUser, rolesIn } from '../adapters/store/members.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { findLink } from '../adapters/store/votes.repository.js';
import { resolveRights } from '../domain/access.js';
import { isSettled } from '../domain/ballot.js';
import { firstLacking, givenBy, unknownRole, type GivingRole } from '../domain/member-rules.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { OTHERS_KEY, type AccessService, type Acting } from './access.service.js';
import { keepingAdmin } from './last-admin.js';

/** The member that a path names by this is whoever acts. */
export const ME = 'me';

/** Refusals that belong on the record. */
const DENIALS = new Set<ErrorCode>(['RBAC_PERMISSION_DENIED', 'ACTING_NOT_ALLOWED']);

/** A change of a DAO while nobody else can change it: by whom, and what there is at this moment. */
export interface Change {
  db: Db;
  daoId: string;
  record: Recorder;
  by: Acting;
  /** The member who acts, unless a guest or the platform does. */
  self: Member | undefined;
  roles: GivingRole[];
}

/** The door for changes of people: who may, asked once more under the lock; all refusals on the record. */
export class ChangesService {
  /** @param adminNeeds what an admin may by default: somebody of each DAO must have all of it */
  constructor(
    private readonly access: AccessService,
    private readonly audit: AuditRepository,
    private readonly adminNeeds: readonly Entitlement[],
  ) {}

  /**
   * Runs a change of somebody who has the entitlement.
   * @throws AppError `RBAC_PERMISSION_DENIED`, those of access and of the change; then nothing was changed
   */
  async make<T>(key: CallerKey, daoId: string, needs: Entitlement, change: (now: Change) => Promise<T>): Promise<T> {
    const acting = await this.access.require(key, { daoId }, needs);
    return this.within(acting, (now) => {
      requireEntitlements(now.by, [needs]);
      return change(now);
    });
  }

  /** Runs a change of somebody who may make it for another reason than an entitlement. */
  async within<T>(acting: Acting, change: (now: Change) => Promise<T>): Promise<T> {
    try {
      return await this.audit.recorded(acting, async (db, record) => change(await asOfNow(acting, db, record)));
    } catch (error) {
      if (error instanceof AppError && DENIALS.has(error.code)) {
        await this.access.denied(acting, 'required_entitlement' in error.detail ? error.detail : { code: error.code });
      }
      throw error;
    }
  }

  /**
   * Runs a part of a change that takes something away.
   * @throws AppError `LAST_ADMIN` if nobody were left who may do all that an admin may, and somebody was
   */
  async keepingAdmin<T>({ db, daoId }: Change, part: () => Promise<T>): Promise<T> {
    return keepingAdmin(db, daoId, this.adminNeeds, part);
  }

  /** Refuses whoever may not do all that an admin may by default. */
  requireAdmin({ by }: Change): void {
    requireEntitlements(by, this.adminNeeds);
  }
}

async function asOfNow(acting: Acting, db: Db, record: Recorder): Promise<Change> {
  const { daoId, actor } = acting;
  const roles = await rolesIn(db, daoId);
  const self = await memberByUser(db, daoId, actor);
  const held = self?.roles ?? [GUEST_ROLE];
  const { dao, platformAdmin, within } = acting.facts;
  const facts: AccessFacts = {
    ...{ dao, platformAdmin },
    ...(self && { member: self.id }),
    ...(within && { within }),
    roles: roles.filter(({ name }) => held.includes(name)),
  };
  return { db, daoId, record, by: { ...acting, facts, rights: resolveRights(facts) }, self, roles };
}

/** @throws AppError `RBAC_PERMISSION_DENIED` with the first that is lacking */
export function requireEntitlements({ rights }: Acting, needed: readonly Entitlement[], message?: string): void {
  const missing = firstLacking(needed, rights.entitlements);
  if (missing === undefined) return;
  throw new AppError('RBAC_PERMISSION_DENIED', message, { required_entitlement: missing, roles: rights.roles });
}

/**
 * Nobody gives, or takes from anybody, what they lack themselves.
 * @throws AppError `BODY_INVALID` for a role that is not there, `RBAC_PERMISSION_DENIED`
 */
export function requireGiving({ by, roles }: Change, names: readonly string[]): void {
  const unknown = unknownRole(names, roles);
  if (unknown !== undefined) {
    const there = roles.map(({ name }) => name).join(', ');
    throw new AppError('BODY_INVALID', `There is no role "${unknown}" in this DAO; there are: ${there}.`);
  }
  requireHolding({ by, roles }, names);
}

/** As `requireGiving`, of roles that somebody has already: one that is gone gives nothing. */
export function requireHolding({ by, roles }: Pick<Change, 'by' | 'roles'>, names: readonly string[]): void {
  const message = 'These roles give more than you have: ask an admin who has it.';
  requireEntitlements(by, givenBy(names, roles), message);
}

/**
 * Refuses a key for which somebody else answers: whoever made it would do what only the person themselves may.
 * @throws AppError `ACTING_NOT_ALLOWED`
 */
export function requireOwnKey({ by, self }: Pick<Change, 'by' | 'self'>): void {
  if (!isOwnKey(by.key, self?.id)) throw new AppError('ACTING_NOT_ALLOWED', OTHERS_KEY);
}

/**
 * As `requireOwnKey`, and refuses a key that lets through less than the person behind it may: with it somebody would
 * hand on, or end, more than the key was made for.
 * @throws AppError `ACTING_NOT_ALLOWED`, `RBAC_PERMISSION_DENIED`
 */
export function requireWholeKey({ by, self }: Pick<Change, 'by' | 'self'>): void {
  requireOwnKey({ by, self });
  const { dao, roles, platformAdmin } = by.facts;
  const message = 'This key is narrower than what you may: use one that is not.';
  requireEntitlements(by, resolveRights({ dao, roles, platformAdmin }).entitlements, message);
}

/** The member that a path names. @throws AppError `MEMBER_NOT_FOUND` */
export async function memberNamed(
  { db, daoId, self }: Pick<Change, 'db' | 'daoId' | 'self'>,
  ref: string,
): Promise<Member> {
  const member = ref === ME ? self : await memberById(db, daoId, ref);
  if (!member) throw new AppError('MEMBER_NOT_FOUND');
  return member;
}

/**
 * Refuses an id that an admin linked a short while ago: it has the member's rights, and decides nothing for them, so that
 * the member can notice.
 * @throws AppError `IDENTITY_TOO_NEW`
 */
export async function requireSettled({ db, daoId, by }: Pick<Change, 'db' | 'daoId' | 'by'>): Promise<void> {
  const link = await findLink(db, daoId, by.actor);
  if (link && !isSettled(link, link.now)) throw new AppError('IDENTITY_TOO_NEW');
}

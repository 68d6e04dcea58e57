import { createHash } from 'node:crypto';
import {
  countHolders,
  countInvitations,
  deleteRole,
  findRole,
  putRole,
  type KeptRole,
  type RolesRepository,
} from '../adapters/store/roles.repository.js';
import { GUEST_ROLE, type CallerKey, type Entitlement } from '../contracts/access.js';
import type { Role } from '../contracts/dao.js';
import { firstLacking, givenBy } from '../domain/member-rules.js';
import { roleDifference, roleEntitlements, type RoleEntitlement } from '../domain/role-rules.js';
import { requireVersion, type Expected } from '../domain/versions.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { requireEntitlements, type Change, type ChangesService } from './changes.service.js';
import { partOf, type Page, type PageRequest } from './pages.js';
import type { RoleGuard } from './role-guard.js';

/** What a role is to give. */
export interface RoleRequest {
  entitlements: readonly string[];
  /** The hash that a refusal of the guard named: the change is meant. */
  confirm?: string | undefined;
}

/** A role as it is after a change, and whether it is new. */
export interface PutRole {
  role: Role;
  created: boolean;
}

export interface RolesDeps {
  roles: RolesRepository;
  access: AccessService;
  changes: ChangesService;
  guard: RoleGuard;
}

const NEEDED = 'config.update' satisfies Entitlement;
/** Who may see members may know how many have a role. */
const SEES_MEMBERS = 'chat.write' satisfies Entitlement;
const NO_MORE = 'Nobody gives with a role, or takes from one, what they lack themselves.';
/** Every change of people reads all roles of the DAO. */
const MOST_ROLES = 200;
/** Changes that a person has to have seen are named by a hash of this length. */
const CONFIRM_LENGTH = 16;

/** A change of a role that may be made. */
interface Edit {
  /** Undefined: there is none. */
  before: KeptRole | undefined;
  to: RoleEntitlement[];
  detail: Readonly<Record<string, unknown>>;
}

/** Names a change of a role as it is now, so that nothing else is confirmed with it. */
export const confirmationOf = (daoId: string, role: string, version: string | null, to: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([daoId, role, version, to]))
    .digest('hex')
    .slice(0, CONFIRM_LENGTH);

/** Roles of a DAO: seen, created, changed, deleted. */
export class RolesService {
  constructor(private readonly deps: RolesDeps) {}

  /**
   * Roles by name; how many have them for those who may see members.
   * @throws AppError `RBAC_PERMISSION_DENIED` without `chat.read`, and those of access
   */
  async list(key: CallerKey, named: Named, page: PageRequest): Promise<Page<Role>> {
    return this.page(await this.deps.access.require(key, named, 'chat.read'), page);
  }

  /** The same for whom it was found already that they may see roles. */
  async page({ daoId, rights }: Acting, { after, limit }: PageRequest): Promise<Page<Role>> {
    const { roles } = this.deps;
    const { items, next } = partOf(await roles.page(daoId, { after, limit: limit + 1 }), limit, ({ name }) => name);
    if (!rights.entitlements.includes(SEES_MEMBERS)) return { items, next };
    const holders = await roles.holders(daoId);
    return { items: items.map((role) => ({ ...role, holders: holders.get(role.name) ?? 0 })), next };
  }

  /**
   * Creates a role, or replaces what one gives. Nobody gives, or takes from those who have it, what they lack.
   * @throws AppError `RBAC_PERMISSION_DENIED`, `VERSION_CHANGED`, `ROLE_CHANGE_HELD`, `LAST_ADMIN` and those of access
   */
  async put(
    key: CallerKey,
    name: string,
    { entitlements, confirm }: RoleRequest,
    { expected, ...named }: Named & { expected?: Expected },
  ): Promise<PutRole> {
    const acting = await this.deps.access.require(key, named, NEEDED);
    const to = roleEntitlements(entitlements);
    await this.requireGivable(acting, to);
    const before = await this.deps.roles.find(acting.daoId, name);
    if (before) requireVersion(before.version, expected);
    else if (expected) throw new AppError('VERSION_CHANGED', undefined, { version: null });
    const { added, removed } = roleDifference(before?.entitlements ?? [], to);
    await this.requireGivable(acting, taken(before, to));
    if (before && added.length + removed.length === 0)
      return { role: await this.shown(acting, before), created: false };
    const confirmed = await this.requireHarmless(acting.daoId, name, { before, to, confirm });
    const role = await this.write(acting, name, { before, to, detail: { added, removed, ...confirmed } });
    return { role: await this.shown(acting, role), created: !before };
  }

  private async shown({ daoId, rights }: Acting, role: KeptRole): Promise<Role> {
    if (!rights.entitlements.includes(SEES_MEMBERS)) return role;
    return { ...role, holders: await this.deps.roles.holdersOf(daoId, role.name) };
  }

  /**
   * Deletes a role that nobody has.
   * @throws AppError `RBAC_PERMISSION_DENIED` without `config.update`, `ROLE_NOT_FOUND`, `ROLE_IN_USE`, `VERSION_CHANGED`
   */
  async delete(key: CallerKey, name: string, { expected, ...named }: Named & { expected?: Expected }): Promise<void> {
    const acting = await this.deps.access.require(key, named, NEEDED);
    await this.deps.changes.within(acting, async (change) => {
      const { db, daoId, by, record } = change;
      requireEntitlements(by, [NEEDED]);
      const role = await findRole(db, daoId, name);
      if (!role) throw new AppError('ROLE_NOT_FOUND');
      requireVersion(role.version, expected);
      await requireUnused(change, name);
      await deleteRole(db, daoId, name);
      await record({ actor: by.actor, action: 'role.delete', subject: name, detail: { removed: role.entitlements } });
    });
  }

  /** Asked before the guard is: what it finds out is not for everybody. */
  private async requireGivable(acting: Acting, entitlements: readonly Entitlement[]): Promise<void> {
    const missing = firstLacking(entitlements, acting.rights.entitlements);
    if (missing === undefined) return;
    const detail = { required_entitlement: missing, roles: acting.rights.roles };
    await this.deps.access.denied(acting, detail);
    throw new AppError('RBAC_PERMISSION_DENIED', NO_MORE, detail);
  }

  /** @returns what the record says of a confirmation */
  private async requireHarmless(
    daoId: string,
    role: string,
    { before, to, confirm }: { before: KeptRole | undefined; to: string[]; confirm: string | undefined },
  ): Promise<{ confirmed?: string }> {
    // A role that is new is nobody's so far, and decides nothing; but everybody is a guest.
    if (!before && role !== GUEST_ROLE) return {};
    const hash = confirmationOf(daoId, role, before?.version ?? null, to);
    if (confirm === hash) return { confirmed: hash };
    const objection = await this.deps.guard.objection({ daoId, role, from: before?.entitlements ?? [], to });
    if (objection) throw new AppError('ROLE_CHANGE_HELD', undefined, { ...objection, confirm: hash });
    return {};
  }

  /** Writes a change down, if the role still is what the change was decided for. */
  private write(acting: Acting, name: string, edit: Edit): Promise<KeptRole> {
    const { changes } = this.deps;
    return changes.within(acting, async (change) => {
      const { db, daoId, by, record } = change;
      requireEntitlements(by, [NEEDED]);
      requireEntitlements(by, [...edit.to, ...taken(edit.before, edit.to)], NO_MORE);
      await requireUnchanged(change, name, edit.before);
      if (!edit.before && change.roles.length >= MOST_ROLES) {
        throw new AppError('BODY_INVALID', `A DAO has at most ${MOST_ROLES} roles.`);
      }
      const role = await changes.keepingAdmin(change, () => putRole(db, daoId, name, edit.to));
      await record({ actor: by.actor, action: 'role.put', subject: name, detail: edit.detail });
      return role;
    });
  }
}

/** What a change takes from a role, of what roles can give. */
const taken = (before: KeptRole | undefined, to: readonly RoleEntitlement[]): Entitlement[] =>
  before ? givenBy([before.name], [before]).filter((one) => !to.some((kept) => kept === one)) : [];

async function requireUnchanged({ db, daoId }: Change, name: string, before: KeptRole | undefined): Promise<void> {
  const now = await findRole(db, daoId, name);
  if (now?.version === before?.version) return;
  throw new AppError('VERSION_CHANGED', undefined, { version: now?.version ?? null });
}

/** Refuses to delete what somebody has, or is promised. */
async function requireUnused({ db, daoId, by }: Change, name: string): Promise<void> {
  if (name === GUEST_ROLE) throw new AppError('ROLE_IN_USE', 'Everybody who is no member is a guest: the role stays.');
  const holders = await countHolders(db, daoId, name);
  const invitations = await countInvitations(db, daoId, name);
  if (holders + invitations === 0) return;
  const shown = by.rights.entitlements.includes(SEES_MEMBERS) && { holders };
  throw new AppError('ROLE_IN_USE', undefined, { ...shown, invitations });
}

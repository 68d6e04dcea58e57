import type { CallerKey } from '../contracts/access.js';
import type { Member } from '../contracts/dao.js';
import {
  addMember,
  linkIdentity,
  memberById,
  memberByUser,
  removeMember,
  unlinkIdentity,
  updateMember,
  type MembersRepository,
} from '../adapters/store/members.repository.js';
import { sameRoles } from '../domain/member-rules.js';
import { requireVersion, type Expected } from '../domain/versions.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting } from './access.service.js';
import {
  ME,
  memberNamed,
  requireEntitlements,
  requireGiving,
  requireHolding,
  requireWholeKey,
  type Change,
  type ChangesService,
} from './changes.service.js';
import { pageOf, type Page, type PageRequest } from './pages.js';

/** Most ids of a member. */
const MOST_IDS = 20;

/** A member as somebody may see it: by which ids platforms know the person is for those who may invite. */
export type SeenMember = Omit<Member, 'user_ids'> & { user_ids?: string[] };

/** Which members to list. */
export interface MembersQuestion extends PageRequest {
  role?: string | undefined;
  userId?: string | undefined;
}

/** Somebody who is to be a member. */
export interface MemberRequest {
  userId: string;
  roles: string[];
  name?: string | undefined;
}

/** What is to become of a member. */
export interface MemberPatch {
  roles?: string[] | undefined;
  name?: string | null | undefined;
}

/** Who belongs to a DAO, as what, and by which ids platforms know them. */
export class MembersService {
  constructor(
    private readonly members: MembersRepository,
    private readonly access: AccessService,
    private readonly changes: ChangesService,
  ) {}

  /**
   * Members of a DAO, for whoever may talk in it: a guest is not told who belongs. To look somebody up by an id takes the right to see ids.
   * @throws AppError those of access
   */
  async list(key: CallerKey, daoId: string, { role, userId, ...page }: MembersQuestion): Promise<Page<SeenMember>> {
    const acting = await this.access.require(key, { daoId }, userId === undefined ? 'chat.write' : 'member.invite');
    const { items, next } = await pageOf(page, (after, limit) =>
      this.members.page(daoId, { after, limit, role, userId }),
    );
    return { items: items.map((member) => asSeenBy(acting, member)), next };
  }

  /** A member, or oneself. @throws AppError `MEMBER_NOT_FOUND` and those of access */
  async get(key: CallerKey, daoId: string, ref: string): Promise<SeenMember> {
    const acting = await this.access.require(key, { daoId }, ref === ME ? 'chat.read' : 'chat.write');
    const id = ref === ME ? acting.facts.member : ref;
    const member = id === undefined ? undefined : await this.members.byId(daoId, id);
    if (!member) throw new AppError('MEMBER_NOT_FOUND');
    return asSeenBy(acting, member);
  }

  /**
   * Makes a user a member. Whoever is one already, with just these roles, stays as they are.
   * @returns the member, and whether it is new
   * @throws AppError `MEMBER_EXISTS`, `BODY_INVALID` and those of access
   */
  async add(
    key: CallerKey,
    daoId: string,
    { userId, roles, name }: MemberRequest,
  ): Promise<{ member: Member; added: boolean }> {
    return this.changes.make(key, daoId, 'member.invite', async (now) => {
      requireGiving(now, roles);
      const there = await memberByUser(now.db, daoId, userId);
      if (there) return { member: asAsked(there, roles, name), added: false };
      const id = await addMember(now.db, daoId, { userId, roles, name: name ?? null });
      await now.record({ actor: now.by.actor, action: 'member.add', subject: id, detail: { roles } });
      return { member: await changed(now, id), added: true };
    });
  }

  /**
   * Changes roles or name of a member. Nobody changes somebody who has more than they have themselves.
   * @throws AppError `MEMBER_NOT_FOUND`, `VERSION_CHANGED`, `LAST_ADMIN`, `BODY_INVALID` and those of access
   */
  async change(key: CallerKey, daoId: string, ref: string, patch: MemberPatch, expected: Expected): Promise<Member> {
    const { roles, name } = patch;
    return this.changes.make(key, daoId, 'member.invite', async (now) => {
      const before = await memberNamed(now, ref);
      requireHolding(now, before.roles);
      if (roles) requireGiving(now, roles);
      requireVersion(before.version, expected);
      const fields = { ...(roles && { roles }), ...(name !== undefined && { name }) };
      await this.changes.keepingAdmin(now, () => updateMember(now.db, daoId, before.id, fields));
      const detail = { ...(roles && { roles, before: before.roles }), ...(name !== undefined && { name: true }) };
      await now.record({ actor: now.by.actor, action: 'member.change', subject: before.id, detail });
      return changed(now, before.id);
    });
  }

  /**
   * Removes a member, and with it what keys and invitations of theirs gave.
   * @param who the member, or a user
   * @returns the id of the member
   * @throws AppError `MEMBER_NOT_FOUND`, `VERSION_CHANGED`, `LAST_ADMIN` and those of access
   */
  async remove(
    key: CallerKey,
    daoId: string,
    who: { ref: string } | { userId: string },
    expected: Expected,
  ): Promise<string> {
    return this.changes.make(key, daoId, 'member.remove', async (now) => {
      const member = 'ref' in who ? await memberNamed(now, who.ref) : await memberOf(now, who.userId);
      requireHolding(now, member.roles);
      requireVersion(member.version, expected);
      const { id, roles } = member;
      // First: who removes themselves is no member afterwards, and the record would not know them.
      await now.record({ actor: now.by.actor, action: 'member.remove', subject: id, detail: { roles } });
      await this.changes.keepingAdmin(now, () => removeMember(now.db, daoId, id));
      return id;
    });
  }

  /**
   * Links another id to a member, which then has the member's rights; on the word of an admin.
   * @throws AppError `MEMBER_NOT_FOUND`, `ID_TAKEN` and those of access
   */
  async link(key: CallerKey, daoId: string, ref: string, userId: string): Promise<Member> {
    return this.changes.make(key, daoId, 'member.invite', async (now) => {
      const member = await memberNamed(now, ref);
      requireHolding(now, member.roles);
      return linked(now, member, userId, 'admin');
    });
  }

  /**
   * Takes an id off a member: by an admin, or by the member.
   * @throws AppError `MEMBER_NOT_FOUND`, `LAST_ID`, `LAST_ADMIN` and those of access
   */
  async unlink(key: CallerKey, daoId: string, ref: string, userId: string): Promise<Member> {
    const acting = await this.access.resolve(key, { daoId });
    return this.changes.within(acting, async (now) => {
      const own = ref === ME || ref === now.self?.id;
      if (own) requireWholeKey(now);
      else requireEntitlements(now.by, ['member.remove']);
      const member = await memberNamed(now, ref);
      requireHolding(now, member.roles);
      if (!member.user_ids.includes(userId)) throw new AppError('MEMBER_NOT_FOUND', 'The member has no such id.');
      if (member.user_ids.length === 1) throw new AppError('LAST_ID');
      await now.record({ actor: now.by.actor, action: 'member.unlink', subject: member.id });
      await this.changes.keepingAdmin(now, () => unlinkIdentity(now.db, daoId, member.id, userId));
      await updateMember(now.db, daoId, member.id, {});
      return changed(now, member.id);
    });
  }
}

/**
 * Gives a member another id.
 * @param on whose word: an admin's, or of whoever brought the member's own code
 * @throws AppError `ID_TAKEN`, `BODY_INVALID` where there are as many as may be
 */
export async function linked(now: Change, member: Member, userId: string, on: 'admin' | 'code'): Promise<Member> {
  const { db, daoId } = now;
  if (member.user_ids.includes(userId)) return member;
  if (member.user_ids.length >= MOST_IDS) {
    throw new AppError('BODY_INVALID', `A member has at most ${MOST_IDS} ids: take one away first.`);
  }
  if (await memberByUser(db, daoId, userId)) throw new AppError('ID_TAKEN');
  await linkIdentity(db, daoId, member.id, userId, on);
  await updateMember(db, daoId, member.id, {});
  await now.record({ actor: now.by.actor, action: 'member.link', subject: member.id, detail: { on } });
  return changed(now, member.id);
}

/** A member after a change. */
export async function changed({ db, daoId }: Pick<Change, 'db' | 'daoId'>, id: string): Promise<Member> {
  const member = await memberById(db, daoId, id);
  if (!member) throw new AppError('MEMBER_NOT_FOUND');
  return member;
}

async function memberOf({ db, daoId }: Change, userId: string): Promise<Member> {
  const member = await memberByUser(db, daoId, userId);
  if (!member) throw new AppError('MEMBER_NOT_FOUND');
  return member;
}

function asAsked(there: Member, roles: readonly string[], name: string | undefined): Member {
  const same = sameRoles(there.roles, roles) && (name === undefined || name === there.name);
  if (!same) throw new AppError('MEMBER_EXISTS', undefined, { member: there.id });
  return there;
}

function asSeenBy({ rights, facts }: Acting, { user_ids, ...member }: Member): SeenMember {
  const may = rights.entitlements.includes('member.invite') || facts.member === member.id;
  return may ? { ...member, user_ids } : member;
}

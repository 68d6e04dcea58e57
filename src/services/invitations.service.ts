import { randomBytes } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { PLATFORM_OWNER, type CallerKey } from '../contracts/access.js';
import type { Member } from '../contracts/dao.js';
import { noPersonId } from '../contracts/person-id.js';
import {
  addInvitation,
  countOpenInvitations,
  findInvitation,
  removeInvitation,
  removeLinkCodes,
  useInvitation,
  type Invitation,
  type InvitationsRepository,
} from '../adapters/store/invitations.repository.js';
import { addNews } from '../adapters/store/news.repository.js';
import { addMember, memberById, memberByUser } from '../adapters/store/members.repository.js';
import { firstLacking, givenBy, unknownRole } from '../domain/member-rules.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import {
  memberNamed,
  requireGiving,
  requireOwnKey,
  requireSettled,
  requireWholeKey,
  type Change,
  type ChangesService,
} from './changes.service.js';
import { changed, linked } from './members.service.js';
import { pageOf, type Page, type PageRequest } from './pages.js';
import { sha256 } from '../adapters/digest.js';
import { daoOfSecret } from '../domain/invitation-secret.js';

const HOUR_S = 3_600;
/** How long a code for a second id can be used, in seconds. */
const LINK_S = 600;
/** Most invitations of a DAO that can be taken at a time. */
const MOST_OPEN = 1_000;
/** Kinds of secrets, as they begin: an invitation, a code for a second id. */
const INVITATION = 'inv';
const LINK = 'lnk';

const hashOf = sha256;
const newSecret = (kind: string, daoId: string): string => `${kind}_${daoId}_${randomBytes(32).toString('base64url')}`;

/** An invitation as it may be seen. */
export type SeenInvitation = Pick<
  Invitation,
  'id' | 'user_id' | 'roles' | 'uses_left' | 'expires_at' | 'created_by' | 'created_at'
>;

/** An invitation that is to be made. */
export interface InvitationRequest {
  roles: string[];
  /** The only one who can take it, without a secret; absent: whoever has the secret. */
  userId?: string | undefined;
  uses: number;
  hours: number;
}

/** What somebody redeems: a secret, or that a DAO has invited them by name. */
export type Redemption = ({ secret: string } | { daoId: string }) & Pick<Named, 'userId'>;

/** Ways into a DAO, and to a second id in it. */
export class InvitationsService {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly access: AccessService,
    private readonly changes: ChangesService,
  ) {}

  /** Invitations that can still be taken. @throws AppError those of access */
  async list(key: CallerKey, daoId: string, page: PageRequest): Promise<Page<SeenInvitation>> {
    await this.access.require(key, { daoId }, 'member.invite');
    const found = await pageOf(page, (after, limit) => this.invitations.page(daoId, after, limit));
    return { items: found.items.map(asSeen), next: found.next };
  }

  /**
   * Invites to roles that the inviter has, when it is made and when it is taken.
   * @returns the invitation, and its secret, which is kept nowhere
   * @throws AppError `MEMBER_EXISTS`, `BODY_INVALID` and those of access
   */
  async create(
    key: CallerKey,
    daoId: string,
    { roles, userId, uses, hours }: InvitationRequest,
  ): Promise<SeenInvitation & { secret?: string }> {
    const secret = userId === undefined ? newSecret(INVITATION, daoId) : undefined;
    return this.changes.make(key, daoId, 'member.invite', async (now) => {
      requireGiving(now, roles);
      if ((await countOpenInvitations(now.db, daoId)) >= MOST_OPEN) {
        throw new AppError('BODY_INVALID', `A DAO has at most ${MOST_OPEN} open invitations: withdraw some first.`);
      }
      if (userId !== undefined && (await memberByUser(now.db, daoId, userId))) throw new AppError('MEMBER_EXISTS');
      const made = await addInvitation(now.db, daoId, {
        ...{ id: uuid(), roles, member_id: null, uses_left: uses, seconds: hours * HOUR_S },
        hash: secret === undefined ? null : hashOf(secret),
        user_id: userId ?? null,
        created_by: inviterOf(now),
      });
      const detail = { roles, uses, named: userId !== undefined };
      await now.record({ actor: now.by.actor, action: 'invitation.create', subject: made.id, detail });
      return { ...asSeen(made), ...(secret !== undefined && { secret }) };
    });
  }

  /** Takes an invitation back. @throws AppError `INVITATION_NOT_FOUND` and those of access */
  async withdraw(key: CallerKey, daoId: string, id: string): Promise<void> {
    await this.changes.make(key, daoId, 'member.invite', async (now) => {
      if (!(await removeInvitation(now.db, daoId, id))) throw new AppError('INVITATION_NOT_FOUND');
      await now.record({ actor: now.by.actor, action: 'invitation.withdraw', subject: id });
    });
  }

  /**
   * Gives whoever acts a code by which another id of theirs becomes the same member's; a former code ends.
   * @throws AppError `MEMBER_NOT_FOUND` for a guest, `ACTING_NOT_ALLOWED` for somebody else's key,
   *   `IDENTITY_TOO_NEW` for an id that an admin has just linked, and those of access
   */
  async linkCode(
    key: CallerKey,
    daoId: string,
    named: Pick<Named, 'userId'>,
  ): Promise<{ code: string; expires_at: Date }> {
    const acting = await this.access.resolve(key, { daoId, ...named });
    const code = newSecret(LINK, daoId);
    return this.changes.within(acting, async (now) => {
      const { id } = await memberNamed(now, 'me');
      requireWholeKey(now);
      // Else a code would make of an id that decides nothing yet one that does.
      await requireSettled(now);
      await removeLinkCodes(now.db, daoId, id);
      const made = await addInvitation(now.db, daoId, {
        ...{ id: uuid(), roles: [], user_id: null, member_id: id, uses_left: 1, seconds: LINK_S },
        ...{ hash: hashOf(code), created_by: id },
      });
      await now.record({ actor: acting.actor, action: 'invitation.create', subject: made.id, detail: { link: id } });
      return { code, expires_at: made.expires_at };
    });
  }

  /**
   * Makes whoever acts a member by an invitation, or links their id by a code. What the inviter may no longer give is
   * not given.
   * @throws AppError `INVITATION_NOT_FOUND`, `INVITATION_ENDED`, `MEMBER_EXISTS`, `ID_TAKEN`, `BODY_INVALID` where nobody
   *   acts who could be a member, `ACTING_NOT_ALLOWED` for a key of another member, `RBAC_PERMISSION_DENIED` for one that
   *   lets through less than would be given, and those of access
   */
  async redeem(key: CallerKey, redemption: Redemption): Promise<{ daoId: string; member: Member }> {
    const { userId } = redemption;
    const daoId = 'secret' in redemption ? daoOf(redemption.secret) : redemption.daoId;
    const acting = await this.access.resolve(key, { daoId, userId });
    requirePerson(acting);
    const by = 'secret' in redemption ? { hash: hashOf(redemption.secret) } : { userId: acting.actor };
    return this.changes.within(acting, async (now) => {
      const found = await findInvitation(now.db, daoId, by);
      if (!found) throw new AppError('INVITATION_NOT_FOUND');
      return { daoId, member: found.member_id === null ? await join(now, found) : await linkTo(now, found) };
    });
  }
}

/** Which DAO a secret is for. What can be no secret is found nowhere. */
function daoOf(secret: string): string {
  const daoId = daoOfSecret(secret);
  if (daoId === undefined) throw new AppError('INVITATION_NOT_FOUND');
  return daoId;
}

/** A key that acts as itself is nobody's id, and ends with itself. */
function requirePerson({ actor }: Acting): void {
  const why = noPersonId(actor);
  if (why === undefined) return;
  throw new AppError(
    'BODY_INVALID',
    `Who acts cannot become a member: the id ${why}. A bot names its user in user_id.`,
  );
}

/** Whoever made the key would choose who comes in by it, and what it was narrowed to would not hold for the new rights. */
function requireKeyFor(now: Change, roles: readonly string[]): void {
  requireOwnKey(now);
  const { within } = now.by.facts;
  const missing = within && firstLacking(givenBy(roles, now.roles), within);
  if (missing === undefined) return;
  const message = 'This key is narrower than what you would get: use one that is not.';
  throw new AppError('RBAC_PERMISSION_DENIED', message, { required_entitlement: missing, roles: now.by.rights.roles });
}

async function join(now: Change, invitation: Invitation): Promise<Member> {
  const { db, daoId, by, self } = now;
  if (self) throw new AppError('MEMBER_EXISTS', 'You are a member already; an admin can change your roles.');
  const { id, roles } = invitation;
  requireKeyFor(now, roles);
  await useUp(now, invitation);
  await requireInviter(now, invitation);
  const member = await addMember(db, daoId, { userId: by.actor, roles });
  await now.record({ actor: by.actor, action: 'invitation.redeem', subject: id, detail: { member, roles } });
  await tellInviter(now, invitation, member);
  return changed(now, member);
}

/** Whoever invited a member hears that they came. */
async function tellInviter(
  { db, daoId }: Change,
  { id, created_by: by, roles }: Invitation,
  member: string,
): Promise<void> {
  if (by === PLATFORM_OWNER) return;
  await addNews(db, daoId, {
    key: `invitation/${id}/${member}`,
    kind: 'invitation_redeemed',
    data: { by, member, roles },
  });
}

async function linkTo(now: Change, invitation: Invitation): Promise<Member> {
  const { self } = now;
  if (self && self.id !== invitation.member_id) throw new AppError('ID_TAKEN');
  if (self) return self;
  const member = await memberNamed(now, invitation.member_id ?? '');
  requireKeyFor(now, member.roles);
  await useUp(now, invitation);
  return linked(now, member, now.by.actor, 'code');
}

async function useUp({ db, daoId }: Change, { id }: Invitation): Promise<void> {
  if (!(await useInvitation(db, daoId, id))) throw new AppError('INVITATION_ENDED');
}

/** The inviter must still be somebody who may invite to these roles, and the roles must still be there. */
async function requireInviter({ db, daoId, roles }: Change, { created_by, roles: given }: Invitation): Promise<void> {
  const inviter = created_by === PLATFORM_OWNER ? undefined : await memberById(db, daoId, created_by);
  const may = givenBy(inviter?.roles ?? [], roles);
  const lacks = firstLacking(['member.invite', ...givenBy(given, roles)], may) !== undefined;
  if ((created_by !== PLATFORM_OWNER && lacks) || unknownRole(given, roles) !== undefined) {
    const message = 'Whoever made this invitation may no longer give these roles: ask for a new one.';
    throw new AppError('INVITATION_ENDED', message);
  }
}

/** In whose name an invitation is made: its roles hold as long as that one may give them. */
function inviterOf({ by, self }: { by: Acting; self: Member | undefined }): string {
  if (by.facts.platformAdmin) return PLATFORM_OWNER;
  if (!self) throw new AppError('RBAC_PERMISSION_DENIED', 'Only a member can invite.');
  return self.id;
}

const asSeen = (invitation: Invitation): SeenInvitation => {
  const { id, user_id, roles, uses_left, expires_at, created_by, created_at } = invitation;
  return { id, user_id, roles, uses_left, expires_at, created_by, created_at };
};

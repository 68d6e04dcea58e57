import type { CallerKey, Entitlement } from '../contracts/access.js';
import type { Delegation } from '../contracts/proposal.js';
import {
  delegationsFrom,
  putDelegation,
  removeDelegation,
  type DelegationsRepository,
} from '../adapters/store/delegations.repository.js';
import { memberById, memberByUser, rolesIn } from '../adapters/store/members.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { closesCycle } from '../domain/delegation.js';
import { givenBy } from '../domain/member-rules.js';
import { partOf, type Page } from './pages.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Named } from './access.service.js';
import {
  requireEntitlements,
  requireOwnKey,
  requireSettled,
  type Change,
  type ChangesService,
} from './changes.service.js';

const VOTE = 'proposal.vote' satisfies Entitlement;

/** Delegations: whose ballot counts for a member who casts none, in proposals that open from then on. */
export class DelegationsService {
  constructor(
    private readonly delegations: DelegationsRepository,
    private readonly access: AccessService,
    private readonly changes: ChangesService,
  ) {}

  /** All delegations of the DAO, and that of whoever asks. Guests are not told: it says who belongs. */
  async list(
    key: CallerKey,
    named: Named,
    { after = '', limit }: { after?: string | undefined; limit: number },
  ): Promise<Page<Delegation> & { mine: Delegation | null }> {
    const { daoId, facts } = await this.access.require(key, named, 'chat.write');
    const mine = facts.member === undefined ? undefined : await this.delegations.of(daoId, facts.member);
    const rows = await this.delegations.page(daoId, after, limit + 1);
    return { ...partOf(rows, limit, ({ from }) => from), mine: mine ?? null };
  }

  /**
   * Delegates, in place of what was delegated before.
   * @param to a member, by its id or one that a platform gave it
   * @throws AppError `DELEGATE_INVALID`, `DELEGATION_CYCLE`, `IDENTITY_TOO_NEW`, `ACTING_NOT_ALLOWED` for somebody else's
   *   key, those of access
   */
  async delegate(key: CallerKey, named: Named, to: string): Promise<Delegation> {
    const acting = await this.access.require(key, named, VOTE);
    return this.changes.within(acting, async (now) => {
      const { db, daoId, by, record } = now;
      const from = await delegating(now);
      const delegate = await delegateNamed(db, daoId, to);
      if (delegate === from) throw new AppError('DELEGATE_INVALID', 'Nobody can delegate to themselves.');
      // No other delegation can be made meanwhile: all of them are audited changes of this DAO.
      if (closesCycle(await delegationsFrom(db, daoId, delegate), from, delegate))
        throw new AppError('DELEGATION_CYCLE');
      await record({ actor: by.actor, action: 'delegation.set', subject: from, detail: { to: delegate } });
      return putDelegation(db, daoId, from, delegate);
    });
  }

  /** Takes back what was delegated, if anything was. @throws AppError `IDENTITY_TOO_NEW` and those of access */
  async takeBack(key: CallerKey, named: Named): Promise<void> {
    const acting = await this.access.require(key, named, VOTE);
    await this.changes.within(acting, async (now) => {
      const { db, daoId, by, record } = now;
      const from = await delegating(now);
      if (!(await removeDelegation(db, daoId, from))) return;
      await record({ actor: by.actor, action: 'delegation.remove', subject: from });
    });
  }
}

/**
 * The member who acts, asked under the lock: whoever left meanwhile has no vote. An id that an admin linked delegates no
 * earlier than it votes: else whoever may link ids could have the votes of members who never come.
 */
async function delegating({ db, daoId, by, self }: Change): Promise<string> {
  requireEntitlements(by, [VOTE]);
  if (!self) throw new AppError('MEMBER_NOT_FOUND', 'Only a member has a vote to delegate.');
  requireOwnKey({ by, self });
  await requireSettled({ db, daoId, by });
  return self.id;
}

/** @throws AppError `DELEGATE_INVALID` */
async function delegateNamed(db: Db, daoId: string, to: string): Promise<string> {
  const member = (await memberById(db, daoId, to)) ?? (await memberByUser(db, daoId, to));
  if (!member || !givenBy(member.roles, await rolesIn(db, daoId)).includes(VOTE))
    throw new AppError('DELEGATE_INVALID');
  return member.id;
}

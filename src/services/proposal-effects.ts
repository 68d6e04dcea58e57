import { PLATFORM_OWNER, type Entitlement } from '../contracts/access.js';
import type { ActionDraft, ActionProblem, ProposalAction } from '../contracts/proposal.js';
import { v7 as uuid } from 'uuid';
import { findDao, updateDao } from '../adapters/store/daos.repository.js';
import { addInvitation } from '../adapters/store/invitations.repository.js';
import { rolesIn, rolesOfMembers, updateMember } from '../adapters/store/members.repository.js';
import { membersOfUsers } from '../adapters/store/proposals.repository.js';
import { inSavepoint, isRefusedByStore } from '../adapters/store/savepoint.js';
import type { Db } from '../adapters/store/tenants.js';
import { namedIn, planActions, type ActionPlan, type ActionWorld } from '../domain/proposal-actions.js';
import { AppError } from '../errors/app-error.js';
import { keepingAdmin } from './last-admin.js';

/** How long an invitation that was voted can be taken, in seconds. */
const INVITED_SECONDS = 14 * 86_400;

/**
 * Names the people of drafted actions by their ids as members, and refuses what could not be done now.
 * @throws AppError `ACTION_INVALID`
 */
export async function checkedActions(db: Db, daoId: string, drafts: readonly ActionDraft[]): Promise<ProposalAction[]> {
  const users = drafts.flatMap((one) => ('role' in one && one.user_id !== undefined ? one.user_id : []));
  const known = await membersOfUsers(db, daoId, users);
  const actions = drafts.map((one): ProposalAction => {
    if (!('role' in one)) return one;
    const { type, member, user_id: user, role } = one;
    // Who is nobody's id has none as a member either: the check below tells so.
    return { type, member: member ?? known.get(user ?? '') ?? '', role };
  });
  await requireDoable(db, daoId, actions);
  return actions;
}

/** @throws AppError `ACTION_INVALID` */
export async function requireDoable(db: Db, daoId: string, actions: readonly ProposalAction[]): Promise<void> {
  const planned = planActions(actions, await worldOf(db, daoId, actions));
  if ('problem' in planned) throw new AppError('ACTION_INVALID', undefined, { ...planned.problem });
}

/**
 * Does actions, all of them or none.
 * @param adminNeeds what somebody in the DAO must be able to do afterwards
 * @returns why they could not be done; undefined: they are
 */
export async function doActions(
  db: Db,
  daoId: string,
  actions: readonly ProposalAction[],
  adminNeeds: readonly Entitlement[],
): Promise<ActionProblem | undefined> {
  const planned = planActions(actions, await worldOf(db, daoId, actions));
  if ('problem' in planned) return planned.problem;
  try {
    await inSavepoint(db, () => write(db, daoId, planned.plan, adminNeeds));
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === 'LAST_ADMIN') return { reason: 'LAST_ADMIN' };
    if (isRefusedByStore(error)) return { reason: 'REFUSED_BY_DATABASE' };
    throw error;
  }
}

async function worldOf(db: Db, daoId: string, actions: readonly ProposalAction[]): Promise<ActionWorld> {
  const { members, users } = namedIn(actions);
  const roles = await rolesIn(db, daoId);
  const dao = await findDao(db, daoId);
  return {
    roles: new Set(roles.map(({ name }) => name)),
    members: await rolesOfMembers(db, daoId, members),
    taken: new Set((await membersOfUsers(db, daoId, users)).keys()),
    facts: dao?.facts ?? {},
    settings: dao?.settings ?? {},
  };
}

async function write(db: Db, daoId: string, plan: ActionPlan, adminNeeds: readonly Entitlement[]): Promise<void> {
  const { members, facts, settings, invitations } = plan;
  if (members.size > 0) {
    await keepingAdmin(db, daoId, adminNeeds, async () => {
      for (const [id, roles] of members) await updateMember(db, daoId, id, { roles });
    });
  }
  if (facts || settings) await updateDao(db, daoId, { ...(facts && { facts }), ...(settings && { settings }) });
  // In nobody's name: what the DAO has decided holds, whatever becomes of whoever proposed it.
  for (const { userId, roles } of invitations) {
    await addInvitation(db, daoId, {
      ...{ id: uuid(), hash: null, user_id: userId, member_id: null, roles: [...roles], uses_left: 1 },
      ...{ created_by: PLATFORM_OWNER, seconds: INVITED_SECONDS },
    });
  }
}

import { MOST_FACTS, type DaoSettings } from '../contracts/dao.js';
import { noPersonId } from '../contracts/person-id.js';
import type { ActionFault, ActionProblem, ProposalAction } from '../contracts/proposal.js';
import { isSetting } from './proposal-rules.js';

/** What actions depend on and change, as it is before them. */
export interface ActionWorld {
  /** Names of the DAO's roles. */
  roles: ReadonlySet<string>;
  /** Roles of the members whom actions name, by id. */
  members: ReadonlyMap<string, readonly string[]>;
  /** Platform ids, of those that actions invite, which are a member's already. */
  taken: ReadonlySet<string>;
  facts: Readonly<Record<string, string>>;
  settings: Readonly<DaoSettings>;
}

/** What is to be written for actions to have been done. */
export interface ActionPlan {
  /** Roles of the members that change, by id. */
  members: Map<string, string[]>;
  facts?: Record<string, string>;
  settings?: DaoSettings;
  invitations: { userId: string; roles: string[] }[];
}

/** One kind of action: notes what it does in the plan, or tells why it cannot. */
export type ActionPort<A> = (action: A, draft: ActionPlan, world: ActionWorld) => ActionFault | undefined;

type Named<T extends ProposalAction['type']> = Extract<ProposalAction, { type: T }>;

const withRoles =
  (change: (roles: readonly string[], role: string) => string[]): ActionPort<Named<'grant_role'>> =>
  ({ member, role }, { members }, world) => {
    const roles = members.get(member) ?? world.members.get(member);
    if (!world.roles.has(role)) return 'ROLE_NOT_FOUND';
    if (!roles) return 'MEMBER_NOT_FOUND';
    members.set(member, change(roles, role));
    return undefined;
  };

/** A record with one entry set, or (null) without it. */
const changed = <T extends object>(record: T, name: string, value: unknown): T =>
  Object.fromEntries([
    ...Object.entries(record).filter(([key]) => key !== name),
    ...(value === null ? [] : [[name, value]]),
  ]) as T;

/** Every kind of action there is. One that reaches another system would have its place here, with a key of its own. */
const PORTS: { [Type in ProposalAction['type']]: ActionPort<Named<Type>> } = {
  grant_role: withRoles((roles, role) => [...new Set([...roles, role])]),
  revoke_role: withRoles((roles, role) => roles.filter((one) => one !== role)),
  set_fact: ({ name, value }, draft, world) => {
    draft.facts = changed(draft.facts ?? world.facts, name, value);
    return Object.keys(draft.facts).length > MOST_FACTS ? 'TOO_MANY_FACTS' : undefined;
  },
  set_setting: ({ name, value }, draft, world) => {
    if (value !== null && !isSetting(name, value)) return 'SETTING_INVALID';
    draft.settings = changed(draft.settings ?? world.settings, name, value);
    return undefined;
  },
  invite: ({ user_id: userId, roles }, { invitations }, world) => {
    if (roles.some((role) => !world.roles.has(role))) return 'ROLE_NOT_FOUND';
    if (world.taken.has(userId)) return 'ALREADY_MEMBER';
    // Nor is the name that stands where somebody was forgotten.
    if (noPersonId(userId) !== undefined) return 'NOT_A_PERSON';
    invitations.push({ userId, roles });
    return undefined;
  },
};

/**
 * Plans actions one after the other, each on what the ones before it leave.
 * @returns what to write, or the first action that cannot be done
 */
export function planActions(
  actions: readonly ProposalAction[],
  world: ActionWorld,
): { plan: ActionPlan } | { problem: ActionProblem } {
  const draft: ActionPlan = { members: new Map(), invitations: [] };
  for (const [index, action] of actions.entries()) {
    const reason = (PORTS[action.type] as ActionPort<ProposalAction>)(action, draft, world);
    if (reason) return { problem: { action: index, reason } };
  }
  return { plan: draft };
}

/** Whom actions name: members by id, and people who are invited by the ids of platforms. */
export function namedIn(actions: readonly ProposalAction[]): { members: string[]; users: string[] } {
  const members = actions.flatMap((one) => ('member' in one ? one.member : []));
  const users = actions.flatMap((one) => (one.type === 'invite' ? one.user_id : []));
  return { members: [...new Set(members)], users: [...new Set(users)] };
}

/** What the record says of an action: ids and codes, no texts and no ids of platforms. */
export function recordedAction(action: ProposalAction): Record<string, unknown> {
  switch (action.type) {
    case 'grant_role':
    case 'revoke_role':
      return { type: action.type, member: action.member, role: action.role };
    case 'invite':
      return { type: action.type, roles: action.roles };
    case 'set_setting':
      return { type: action.type, name: action.name };
    case 'set_fact':
      return { type: action.type };
  }
}

import type { Entitlement } from '../contracts/access.js';
import type { SeenRun } from '../contracts/crew-view.js';
import { noPersonId } from '../contracts/person-id.js';
import type { GateNow } from '../adapters/store/crew-gates.repository.js';
import { addNews } from '../adapters/store/news.repository.js';
import { addMember, memberByUser, updateMember } from '../adapters/store/members.repository.js';
import { actionOf } from '../domain/crew/action.js';
import { AppError } from '../errors/app-error.js';
import { requireEntitlements, requireGiving, type Change, type ChangesService } from './changes.service.js';

const NEEDED = 'member.invite' satisfies Entitlement;

/**
 * Does what the output of a task is approved for, by the right of whoever decides, in the transaction that says so.
 * @throws AppError `RBAC_PERMISSION_DENIED` where they may not, `DECISION_INVALID` where it cannot be done; then nothing
 * was decided
 */
export async function doAction(
  change: Change,
  run: SeenRun,
  { task, id, output, shown }: GateNow,
  changes: ChangesService,
): Promise<void> {
  if (task === null || !id.startsWith('output.')) return;
  const action = actionOf(run, task, output ?? shown.output);
  if (!action) return;
  const { role } = action;
  const { assignable = [] } = run.definition.tasks[task]?.action ?? {};
  if (typeof role !== 'string' || !assignable.includes(role)) {
    throw new AppError('DECISION_INVALID', `This crew cannot give the role ${JSON.stringify(role)}.`);
  }
  if (run.subject === null) throw new AppError('DECISION_INVALID', 'The run is about nobody.');
  await assignRole(change, run, run.subject, role, changes);
}

async function assignRole(
  change: Change,
  { run_id: runId }: SeenRun,
  user: string,
  role: string,
  changes: ChangesService,
): Promise<void> {
  const { db, daoId, by, record } = change;
  requireEntitlements(by, [NEEDED]);
  requireGiving(change, [role]);
  const member = await memberByUser(db, daoId, user);
  if (member?.roles.includes(role)) return;
  if (!member) {
    const no = noPersonId(user);
    if (no !== undefined)
      throw new AppError('DECISION_INVALID', `Whom the run is about cannot be a member: the id ${no}.`);
    const id = await addMember(db, daoId, { userId: user, roles: [role], name: null });
    await record({ actor: by.actor, action: 'member.add', subject: id, detail: { roles: [role] } });
    await tellRole(change, id, role, runId);
    return;
  }
  const roles = [...member.roles, role];
  await changes.keepingAdmin(change, () => updateMember(db, daoId, member.id, { roles }));
  await record({
    actor: by.actor,
    action: 'member.change',
    subject: member.id,
    detail: { roles, before: member.roles },
  });
  await tellRole(change, member.id, role, runId);
}

/** Whoever was given a role hears of it, once for each run. */
const tellRole = ({ db, daoId }: Change, member: string, role: string, runId: string): Promise<void> =>
  addNews(db, daoId, { key: `role/${runId}/${member}/${role}`, kind: 'role_given', data: { member, role } });

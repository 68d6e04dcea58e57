import type { GateDecision } from '../contracts/crew.js';
import type { SeenGate, SeenRun } from '../contracts/crew-view.js';
import { keyOwnerOf, type GateNow } from '../adapters/store/crew-gates.repository.js';
import { memberByUser, rolesOfMembers } from '../adapters/store/members.repository.js';
import type { SchemaValidators } from '../adapters/schema-validators.js';
import { resolveRights } from '../domain/access.js';
import { editProblems } from '../domain/crew/edit.js';
import { holdsOne, type Decider, type Gate, type GateRefusal } from '../domain/crew/gates.js';
import { entitlementToRun } from '../domain/crew/needs.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { NARROWED } from './access.service.js';
import { requireEntitlements, type Change } from './changes.service.js';

/** A decision as somebody sends it. */
export interface Deciding extends GateDecision {
  /** Which gate; absent: the only one that is open to such a decision. */
  gate?: string | undefined;
  /** What of it they saw; absent: whatever is there, as long as nobody has changed it. */
  revision?: number | undefined;
}

const REFUSALS: Readonly<Record<GateRefusal, ErrorCode>> = {
  closed: 'GATE_CLOSED',
  expired: 'GATE_CLOSED',
  wrong_decision: 'DECISION_INVALID',
  words_missing: 'DECISION_INVALID',
  role_missing: 'GATE_NOT_FOUND',
  own_run: 'DECISION_INVALID',
  already_decided: 'DECISION_MADE',
};

const TOLD: Partial<Record<GateRefusal, string>> = {
  wrong_decision: 'Such a decision cannot be made here.',
  words_missing: 'This needs a comment: say what is to be done better, or what the answer is.',
  own_run: 'Whoever started the run, or is its subject, does not decide this.',
};

/** The gate that a decision is for. */
export function gateFor(run: SeenRun, { gate, decision }: Deciding): SeenGate {
  const KINDS = {
    approve: 'approval',
    reject: 'approval',
    return: 'approval',
    answer: 'question',
    continue: 'limit',
    stop: 'limit',
  };
  const named = run.gates.filter((one) =>
    gate === undefined ? one.state === 'open' && one.kind === KINDS[decision] : one.id === gate,
  );
  const [first, second] = named;
  if (!first) throw new AppError('GATE_NOT_FOUND');
  if (second) throw new AppError('DECISION_INVALID', 'Several things are asked: name one by `gate`.');
  return first;
}

/**
 * Refuses a key that does not let through what working with crews takes, where whoever acts may: it is for looking alone.
 * @throws AppError `RBAC_PERMISSION_DENIED`
 */
export function requireOpenKey({ by }: Change, { definition }: SeenRun, { kind }: GateNow): void {
  const { within, ...person } = by.facts;
  const needed = entitlementToRun(kind === 'question' && definition.open_to_guests);
  if (within && resolveRights(person).entitlements.includes(needed)) requireEntitlements(by, [needed], NARROWED);
}

export const deciderOf = ({ by, self }: Change): Decider => ({
  member: self?.id ?? by.actor,
  roles: self ? by.rights.roles : [],
});

/**
 * The rules of a gate with what was decided of what is shown now, as far as it counts: whoever has lost the roles since
 * decides no more.
 */
export async function ruleOf({ db, daoId }: Change, run: SeenRun, gate: GateNow): Promise<Gate> {
  const subject = run.subject === null ? undefined : await memberByUser(db, daoId, run.subject);
  const members = gate.decisions.map(({ member }) => member);
  const roles = await rolesOfMembers(db, daoId, members);
  const answers = await keyOwnerOf(db, { runId: run.run_id, daoId });
  const decisions = gate.decisions.filter(({ member }) => holdsOne(roles.get(member) ?? [], gate.rules.roles));
  return {
    ...{ kind: gate.kind, state: gate.state, ...gate.rules, starter: run.starter ?? run.started_by },
    ...(answers !== undefined && { answers }),
    ...(subject && { subject: subject.id }),
    ...{ askedAt: gate.askedAt, expiresAt: gate.expiresAt, decisions },
  };
}

export function refuse(refusal: GateRefusal | undefined, { state }: Pick<GateNow, 'state'>): void {
  if (!refusal) return;
  throw new AppError(REFUSALS[refusal], TOLD[refusal], { state });
}

/** @throws AppError `DECISION_INVALID` where a task was sent back as often as its crew allows */
export function requireReturnable({ definition, tasks }: SeenRun, { task: id }: GateNow): void {
  const round = tasks.find(({ task }) => task === id)?.round ?? 1;
  if (id === null || round <= (definition.tasks[id]?.max_returns ?? 0)) return;
  throw new AppError('DECISION_INVALID', 'It was sent back as often as the crew allows: approve it, or reject it.');
}

/** @throws AppError `GATE_CHANGED` where somebody has changed what is decided about */
export function requireSeen({ revision }: GateNow, made: Deciding): void {
  if (made.revision === undefined ? revision === 1 : made.revision === revision) return;
  throw new AppError('GATE_CHANGED', undefined, { revision });
}

/** @throws AppError `DECISION_INVALID` for an output that somebody has changed into what does not fit */
export function requireFitting(
  validators: SchemaValidators,
  change: Change,
  run: SeenRun,
  { task: id, id: gate }: GateNow,
  output: Record<string, unknown>,
): void {
  const task = id !== null && gate.startsWith('output.') ? run.definition.tasks[id] : undefined;
  if (!task) throw new AppError('DECISION_INVALID', 'This has no output that could be changed.');
  const unfit = validators.of(task.output)(output);
  const outputs = Object.fromEntries(run.tasks.map((one) => [one.task, one.output]));
  const scope = { inputs: run.inputs, outputs, roles: change.roles.map(({ name }) => name) };
  const problems = unfit.length > 0 ? unfit : editProblems(task, output, scope);
  if (problems.length > 0) throw new AppError('DECISION_INVALID', 'The changed output does not fit.', { problems });
}

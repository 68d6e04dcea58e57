import type { GateView } from '../../contracts/crew-run.js';
import type { GateDecision, GateKind, GateState } from '../../contracts/crew.js';

/** What was decided so far, in the order in which it came. `member`: the person, whatever id they used. */
export interface MadeDecision extends GateDecision {
  member: string;
}

/** Who may decide at a gate. */
export interface GatePeople {
  kind: GateKind;
  /** Who started the run. */
  starter: string;
  /** Who answers for the key by which it was started, where that is somebody else; absent: nobody who decides. */
  answers?: string;
  /** Whom it is about; absent: nobody, or no member. */
  subject?: string;
  /** Roles whose members decide. A question is answered by whoever started the run, and by these if there are any. */
  roles: readonly string[];
  /** Whether whoever started the run may approve, too. */
  self: boolean;
}

/** A gate as far as its rules go. */
export interface Gate extends GatePeople {
  state: GateState;
  /** How many must approve. */
  count: number;
  askedAt: Date;
  expiresAt: Date;
  decisions: readonly MadeDecision[];
}

/** Somebody who wants to decide. */
export interface Decider {
  member: string;
  /** Roles that they hold at this moment. */
  roles: readonly string[];
}

/** Why a decision is not taken; each has its own sentence and status at the edges. */
export type GateRefusal =
  'closed' | 'expired' | 'wrong_decision' | 'words_missing' | 'role_missing' | 'own_run' | 'already_decided';

const DECISIONS: Readonly<Record<GateKind, readonly GateDecision['decision'][]>> = {
  approval: ['approve', 'reject', 'return'],
  question: ['answer'],
  limit: ['continue', 'stop'],
};
/** Decisions that say nothing without words. */
const WORDY: readonly GateDecision['decision'][] = ['return', 'answer'];

/** Whether somebody with these roles is among those who decide. */
export const holdsOne = (held: readonly string[], roles: readonly string[]): boolean =>
  held.some((role) => roles.includes(role));

/** Why somebody may not decide at a gate, whatever they decide; undefined: they may. */
export function deciderRefusal(gate: GatePeople, decider: Decider): GateRefusal | undefined {
  const isStarter = decider.member === gate.starter;
  if (gate.kind === 'question' && isStarter) return undefined;
  if (!holdsOne(decider.roles, gate.roles)) return 'role_missing';
  const isOwn = isStarter || [gate.answers, gate.subject].includes(decider.member);
  return gate.kind === 'approval' && isOwn && !gate.self ? 'own_run' : undefined;
}

/**
 * The decisions that count: where somebody changed the output as they approved it, those before were on another output
 * and count no longer; who made them may decide again.
 */
export function standingDecisions(decisions: readonly MadeDecision[]): readonly MadeDecision[] {
  const change = decisions.findLastIndex(({ decision, output }) => decision === 'approve' && output !== undefined);
  return decisions.slice(Math.max(0, change));
}

/** Why a decision is not taken now; undefined: it is. */
export function gateRefusal(
  gate: Gate,
  decider: Decider,
  { decision, comment }: GateDecision,
  now: Date,
): GateRefusal | undefined {
  // What somebody may not decide they are not told the state of either.
  const refusal = deciderRefusal(gate, decider);
  if (refusal) return refusal;
  if (gate.state !== 'open') return gate.state === 'expired' ? 'expired' : 'closed';
  if (now >= gate.expiresAt) return 'expired';
  if (!DECISIONS[gate.kind].includes(decision)) return 'wrong_decision';
  if (WORDY.includes(decision) && !comment?.trim()) return 'words_missing';
  const isTwice = standingDecisions(gate.decisions).some(({ member }) => member === decider.member);
  return isTwice ? 'already_decided' : undefined;
}

/** How many more must approve. */
export function approvalsLeft({ decisions, count }: Pick<Gate, 'decisions' | 'count'>): number {
  const approving = standingDecisions(decisions).filter(({ decision }) => decision === 'approve');
  return Math.max(0, count - new Set(approving.map(({ member }) => member)).size);
}

/** The state of an open gate after a decision that was taken. One who rejects or sends back is enough. */
export function stateAfter(gate: Gate, made: MadeDecision): GateState {
  switch (made.decision) {
    case 'approve':
      return approvalsLeft({ count: gate.count, decisions: [...gate.decisions, made] }) === 0 ? 'approved' : 'open';
    case 'reject':
    case 'stop':
      return 'rejected';
    case 'return':
      return 'returned';
    case 'answer':
      return 'answered';
    case 'continue':
      return 'continued';
  }
}

/** When an open gate is due by itself: to be reminded of, once, or to be closed. It may close before anybody is reminded. */
export const gateDue = ({
  remindAt,
  expiresAt,
  reminded,
}: Pick<GateView, 'remindAt' | 'expiresAt' | 'reminded'>): Date =>
  reminded || expiresAt < remindAt ? expiresAt : remindAt;

/** The output as those who approved it changed it last; undefined: nobody did. */
export const changedOutput = (decisions: readonly MadeDecision[]): GateDecision['output'] =>
  decisions.findLast(({ decision, output }) => decision === 'approve' && output !== undefined)?.output;

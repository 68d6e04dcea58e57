import type { DaoSettings } from './dao.js';

/** Stages of a proposal. `draft`, `open` and `passed` go on; the others are final. */
export const STAGES = [
  'draft',
  'open',
  'passed',
  'rejected',
  'expired',
  'executed',
  'vetoed',
  'failed',
  'withdrawn',
] as const;
export type Stage = (typeof STAGES)[number];

export const CHOICES = ['yes', 'no', 'abstain'] as const;
export type Choice = (typeof CHOICES)[number];

/** Who a system does something for when a clock says so: no person and no key. */
export const CLOCK_PRINCIPAL = 'api:clock';

/** A setting with its value; null takes the value back to the default. */
export type SettingChange = {
  [Name in keyof DaoSettings]-?: { name: Name; value: NonNullable<DaoSettings[Name]> | null };
}[keyof DaoSettings];

/** What a proposal does once it has passed. People are named by their ids as members. */
export type ProposalAction =
  | { type: 'grant_role' | 'revoke_role'; member: string; role: string }
  /** Null: the fact goes. */
  | { type: 'set_fact'; name: string; value: string | null }
  | ({ type: 'set_setting' } & SettingChange)
  | { type: 'invite'; user_id: string; roles: string[] };

/** An action as it is drafted: a person may also be named as a platform does. */
export type ActionDraft =
  | Exclude<ProposalAction, { member: string }>
  | { type: 'grant_role' | 'revoke_role'; member?: string | undefined; user_id?: string | undefined; role: string };

/** Why an action cannot be done. */
export const ACTION_FAULTS = [
  'ROLE_NOT_FOUND',
  'MEMBER_NOT_FOUND',
  'ALREADY_MEMBER',
  'NOT_A_PERSON',
  'SETTING_INVALID',
  'TOO_MANY_FACTS',
  'LAST_ADMIN',
  'REFUSED_BY_DATABASE',
] as const;
export type ActionFault = (typeof ACTION_FAULTS)[number];

/** The action (by its place, from zero) that cannot be done, and why; no place: all of them together. */
export interface ActionProblem {
  action?: number;
  reason: ActionFault;
}

/** How a proposal is decided: from the DAO's settings when it opens. */
export interface ProposalRules {
  voting_hours: number;
  /** Share of the whole weight that must take part, 0 to 1. */
  quorum: number;
  /** Share of yes among yes and no that must be exceeded, 0 to 1. */
  threshold: number;
  veto_hours: number;
  sealed: boolean;
  /** Where weights came from: one each, by role, or from a table of members. */
  weights: 'equal' | 'by_role' | 'table';
}

/** What a DAO's settings cannot undercut. */
export interface ProposalFloors {
  voting_hours: number;
  quorum: number;
  threshold: number;
  veto_hours: number;
}

/** Sums of weights. While ballots are sealed, what they say is not told. */
export interface Tally {
  /** Of everybody who may vote. */
  total: number;
  /** Of those who took part, by a ballot of their own or of a delegate. */
  participated: number;
  /** How many took part. */
  voters: number;
  /** How many ballots there are. */
  ballots: number;
  yes: number;
  no: number;
  abstain: number;
  quorum_met: boolean;
  threshold_met: boolean;
}

/** A tally as it may be told at the moment. */
export type ShownTally = Omit<Tally, 'yes' | 'no' | 'abstain' | 'threshold_met'> &
  Partial<Pick<Tally, 'yes' | 'no' | 'abstain' | 'threshold_met'>> & { sealed: boolean; final: boolean };

/** One who may vote, as of the opening. */
export interface Elector {
  member: string;
  weight: number;
  /** Whose ballot counts where there is no own one. */
  delegate: string | null;
}

/** A ballot, or an earlier one that was changed. */
export interface Ballot {
  voter: string;
  /** From one; the highest one counts. */
  revision: number;
  choice: Choice;
  /** Of sealed ballots. */
  salt: string | null;
  commitment: string | null;
  cast_at: Date;
}

/** A ballot as it may be shown at the moment. */
export type ShownBallot = Pick<Ballot, 'voter' | 'revision' | 'commitment' | 'cast_at'> &
  Partial<Pick<Ballot, 'choice' | 'salt'>>;

/** What the crew `proposal_review` said of a proposal. */
export interface ProposalReview {
  /** The run of the crew. */
  run_id: string;
  /** Of the crew, as the run has it. */
  version: string;
  /** When the run had ended, in ISO 8601. */
  at: string;
  /** Whether it read the proposal as it says now. */
  current: boolean;
  /** As the crew gives it: findings, reasons, recommendation. */
  result: Record<string, unknown>;
}

/** A proposal as its DAO sees it. */
export interface Proposal {
  n: number;
  /** Id of a member, or the principal of a key. */
  author: string;
  title: string;
  text: string;
  actions: ProposalAction[];
  stage: Stage;
  /** From the opening on. */
  rules: ProposalRules | null;
  created_at: Date;
  opened_at: Date | null;
  closes_at: Date | null;
  /** When voting was closed. */
  closed_at: Date | null;
  /** When what has passed is executed, unless it is vetoed before. */
  execute_at: Date | null;
  ended_at: Date | null;
  /** From the close on. */
  result: Tally | null;
  /** Of a failed one: which action, and why. */
  failure: ActionProblem | null;
  veto_reason: string | null;
  review: ProposalReview | null;
  version: string;
}

/** A proposal in a list. */
export type ProposalSummary = Omit<Proposal, 'text' | 'actions' | 'review'>;

/** A delegation: whose vote is somebody else's where there is no own one. */
export interface Delegation {
  from: string;
  to: string;
  since: Date;
}

/** Input of the workflow `proposal`. Ids only. */
export interface ProposalInput {
  version: 1;
  daoId: string;
  n: number;
}

/** What is left to do for a proposal. */
export interface Advanced {
  stage: Stage | 'gone';
  /** Until the next moment that something is due, in milliseconds; null: nothing is, until somebody does something. */
  remainingMs: number | null;
  final: boolean;
}

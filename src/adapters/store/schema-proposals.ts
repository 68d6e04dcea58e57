import type { Generated } from 'kysely';
import type {
  ActionProblem,
  Choice,
  ProposalAction,
  ProposalReview,
  ProposalRules,
  Stage,
  Tally,
} from '../../contracts/proposal.js';
import type { Json } from './schema-columns.js';

export interface ProposalsTable {
  dao_id: string;
  n: number;
  author: string;
  title: string;
  text: string;
  actions: Json<ProposalAction[]>;
  stage: Stage;
  rules: Json<ProposalRules> | null;
  created_at: Generated<Date>;
  opened_at: Date | null;
  closes_at: Date | null;
  closed_at: Date | null;
  execute_at: Date | null;
  ended_at: Date | null;
  due_at: Date | null;
  result: Json<Tally> | null;
  failure: Json<ActionProblem> | null;
  veto_reason: string | null;
  review: Json<ProposalReview> | null;
  version: Generated<string>;
}

export interface DelegationsTable {
  dao_id: string;
  member_id: string;
  delegate_id: string;
  since: Generated<Date>;
}

export interface ElectorsTable {
  dao_id: string;
  n: number;
  member_id: string;
  weight: string;
  delegate_id: string | null;
}

export interface BallotsTable {
  dao_id: string;
  n: number;
  member_id: string;
  revision: number;
  choice: Choice;
  salt: string | null;
  commitment: string | null;
  ballot_id: string | null;
  cast_at: Date;
}

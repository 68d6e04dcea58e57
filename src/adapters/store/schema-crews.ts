import type { Generated } from 'kysely';
import type { CrewData, CrewDefinition, GateDecision, GateKind, GateState, TaskState } from '../../contracts/crew.js';
import type { GateRules } from '../../contracts/crew-run.js';
import type { Json } from './schema-columns.js';

export interface CrewsTable {
  dao_id: string;
  id: string;
  definition: Json<CrewDefinition>;
  hash: string;
  version: Generated<string>;
  updated_at: Generated<Date>;
  updated_by: string;
}

export interface CrewVersionsTable {
  dao_id: string;
  crew: string;
  hash: string;
  definition: Json<CrewDefinition>;
  created_at: Generated<Date>;
}

export interface CrewRunsTable {
  run_id: string;
  dao_id: string;
  crew: string;
  hash: string;
  subject: string | null;
  inputs: Json<Record<string, unknown>>;
  base_run: string | null;
  rights: Json<string[]>;
  handoffs: Generated<number>;
  lost_tokens: Generated<string>;
  lost_usd: Generated<string>;
  result: Json<CrewData> | null;
  ended_at: Date | null;
}

export interface CrewTasksTable {
  dao_id: string;
  run_id: string;
  task: string;
  state: TaskState;
  round: number;
  attempt: number;
  output: Json<Record<string, unknown>> | null;
  problem: string | null;
  notes: Json<string[]>;
  returned: Json<Record<string, unknown>> | null;
  reused_from: string | null;
  began_at: Date | null;
  ended_at: Date | null;
}

export interface CrewGatesTable {
  dao_id: string;
  run_id: string;
  id: string;
  kind: GateKind;
  task: string | null;
  state: Generated<GateState>;
  ask: string;
  shown: Json<Record<string, unknown>>;
  rules: Json<GateRules>;
  revision: Generated<number>;
  comment: string | null;
  output: Json<Record<string, unknown>> | null;
  asked_at: Generated<Date>;
  remind_at: Date;
  expires_at: Date;
  reminded_at: Date | null;
  decided_at: Date | null;
  seen_at: Date | null;
}

export interface CrewDecisionsTable {
  dao_id: string;
  run_id: string;
  gate: string;
  revision: number;
  member_id: string;
  decision: GateDecision['decision'];
  comment: string | null;
  output: Json<Record<string, unknown>> | null;
  decided_at: Generated<Date>;
}

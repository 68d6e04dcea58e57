import type { AnswerParts, ModelCall } from '../../contracts/chat.js';
import type { ColumnType, Generated } from 'kysely';
import type { ErrorObject } from '../../contracts/bodies.js';
import type { AccessFacts } from '../../contracts/access.js';
import type { DaoLimits, DaoProfile, DaoSettings, LinkedBy } from '../../contracts/dao.js';
import type { ToolRequest, ToolResult, WriteJournal } from '../../contracts/devtools.js';
import type { CrewData } from '../../contracts/crew.js';
import type { RoutingTable } from '../../contracts/routing.js';
import type {
  Attempt,
  Decision,
  DecisionInputs,
  Mode,
  Origin,
  RequestStatus,
  Timings,
  Usage,
} from '../../contracts/request.js';
import type { Json, JsonDefault } from './schema-columns.js';
import type { FeedbackTable, OffersTable, PendingTable, RunChatsTable } from './schema-conversations.js';
import type {
  ChatsTable,
  InboxTable,
  InteractionsTable,
  RepliesTable,
  ReplyPartsTable,
  SpacesTable,
} from './schema-dialogs.js';
import type { DeliveriesTable, NewsTable, PreferencesTable } from './schema-news.js';
import type { BallotsTable, DelegationsTable, ElectorsTable, ProposalsTable } from './schema-proposals.js';
import type {
  CrewDecisionsTable,
  CrewGatesTable,
  CrewRunsTable,
  CrewTasksTable,
  CrewVersionsTable,
  CrewsTable,
} from './schema-crews.js';

export interface DaosTable {
  id: string;
  name: string;
  facts: Json<Record<string, string>>;
  profile: JsonDefault<DaoProfile>;
  settings: JsonDefault<DaoSettings>;
  limits: JsonDefault<DaoLimits>;
  version: Generated<string>;
  access_stamp: Generated<string>;
  created_at: Generated<Date>;
}

export interface RolesTable {
  dao_id: string;
  name: string;
  entitlements: string[];
  version: Generated<string>;
}

export interface MembersTable {
  dao_id: string;
  id: string;
  name: string | null;
  roles: string[];
  version: Generated<string>;
  created_at: Generated<Date>;
}

export interface IdentitiesTable {
  dao_id: string;
  user_id: string;
  member_id: string;
  linked_at: Generated<Date>;
  linked_by: Generated<LinkedBy>;
}

export interface InvitationsTable {
  dao_id: string;
  id: string;
  hash: string | null;
  user_id: string | null;
  member_id: string | null;
  roles: string[];
  uses_left: number;
  expires_at: Date;
  created_by: string;
  created_at: Generated<Date>;
}

export interface PlatformGrantsTable {
  principal: string;
  created_at: Generated<Date>;
}

export interface ApiKeysTable {
  id: string;
  hash: string;
  name: string;
  dao_id: string | null;
  principal: string;
  gateway: boolean;
  owner: Generated<string>;
  scopes: string[] | null;
  expires_at: Date | null;
  replaces: string | null;
  /** Not null: it stands for the bearer of tokens of this issuer. */
  issuer: string | null;
  /** As that issuer names them; null: they are no key's matter, or were forgotten. */
  subject: string | null;
  created_at: Generated<Date>;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface DialogsTable {
  id: string;
  dao_id: string;
  /** Whose session it is; null: it is the conversation of a chat. */
  actor: string | null;
  session_id: string | null;
  source: string | null;
  chat: string | null;
  /** Of the turns up to `summarised_to`. */
  summary: string | null;
  summarised_to: Date | null;
  created_at: Generated<Date>;
}

export interface RequestsTable {
  id: string;
  dao_id: string;
  actor: string;
  key_id: string;
  source: string | null;
  mode: Mode;
  agent: string | null;
  metadata: Json<Record<string, unknown>>;
  decision: Json<Decision>;
  status: RequestStatus;
  provider: string | null;
  usage: Json<Usage> | null;
  attempts: JsonDefault<Attempt[]>;
  timings: JsonDefault<Timings>;
  error: Json<ErrorObject> | null;
  generation: Generated<number>;
  idempotency_scope: string | null;
  idempotency_key: string | null;
  body_hash: string | null;
  received_at: Date;
  deadline_at: Date;
  ended_at: Date | null;
  access: Json<AccessFacts> | null;
  origin: Json<Origin> | null;
  model: string | null;
  run_id: string | null;
  step: string | null;
  /** When somebody last asked for it again over MCP. */
  joined_at: Date | null;
}

/** Secrets that all processes of an installation share. */
export interface SecretsTable {
  name: string;
  value: Uint8Array;
  made_at: Generated<Date>;
}

export interface RefusalsTable {
  id: string;
  dao_id: string;
  actor: string;
  at: Date;
  code: string;
  config_hash: string;
  inputs: Json<DecisionInputs>;
}

export interface UsageDailyTable {
  dao_id: string;
  /** ISO date. */
  day: ColumnType<string, string, never>;
  provider: string;
  key_id: string;
  requests: Generated<string>;
  prompt_tokens: Generated<string>;
  completion_tokens: Generated<string>;
  cost_usd: Generated<string>;
}

export interface AnswerCacheTable {
  dao_id: string;
  rule: string;
  key: string;
  provider: string;
  answer: string;
  finish_reason: string;
  created_at: Generated<Date>;
}

export interface SharedStatesTable {
  name: string;
  version: Generated<string>;
  state: Json<unknown>;
  changed_at: Generated<Date>;
}

export interface ConfigActivationsTable {
  seq: Generated<string>;
  profile: string;
  hash: string;
  table_hash: string;
  document: Json<unknown>;
  compiled: Json<RoutingTable>;
  at: Generated<Date>;
  confirmed_by: string | null;
}

export interface ConfigConfirmationsTable {
  hash: string;
  confirmed_by: string;
  at: Generated<Date>;
}

export interface TurnsTable {
  request_id: string;
  dao_id: string;
  dialog_id: string | null;
  prompt: string;
  answer: string | null;
  finish_reason: string | null;
  created_at: Date;
  call: Json<ModelCall> | null;
  parts: Json<AnswerParts> | null;
  tool: Json<ToolRequest> | null;
  journal: Json<WriteJournal> | null;
  result: Json<ToolResult | CrewData> | null;
}

export interface AuditTable {
  chain: string;
  seq: string;
  entry: string;
  hash: string;
  at: Date;
  actor: string;
  action: string;
  subject: string;
}

export interface AuditChainsTable {
  chain: string;
  seq: Generated<string>;
  hash: Generated<string>;
  salt: Generated<string>;
}

export interface AuditHeadsTable {
  chain: string;
  /** ISO date. */
  day: ColumnType<string, string, never>;
  seq: string;
  hash: string;
  key_id: string;
  signature: string;
  signed_at: Date;
}

/** The database, as Kysely sees it. */
export interface Schema {
  daos: DaosTable;
  roles: RolesTable;
  members: MembersTable;
  identities: IdentitiesTable;
  invitations: InvitationsTable;
  platform_grants: PlatformGrantsTable;
  api_keys: ApiKeysTable;
  dialogs: DialogsTable;
  requests: RequestsTable;
  turns: TurnsTable;
  proposals: ProposalsTable;
  delegations: DelegationsTable;
  electors: ElectorsTable;
  ballots: BallotsTable;
  audit: AuditTable;
  audit_chains: AuditChainsTable;
  audit_heads: AuditHeadsTable;
  refusals: RefusalsTable;
  usage_daily: UsageDailyTable;
  answer_cache: AnswerCacheTable;
  shared_states: SharedStatesTable;
  config_activations: ConfigActivationsTable;
  config_confirmations: ConfigConfirmationsTable;
  secrets: SecretsTable;
  crews: CrewsTable;
  crew_versions: CrewVersionsTable;
  crew_runs: CrewRunsTable;
  crew_tasks: CrewTasksTable;
  crew_gates: CrewGatesTable;
  crew_decisions: CrewDecisionsTable;
  chats: ChatsTable;
  spaces: SpacesTable;
  inbox: InboxTable;
  replies: RepliesTable;
  reply_parts: ReplyPartsTable;
  interactions: InteractionsTable;
  offers: OffersTable;
  pending: PendingTable;
  feedback: FeedbackTable;
  run_chats: RunChatsTable;
  news: NewsTable;
  deliveries: DeliveriesTable;
  preferences: PreferencesTable;
}

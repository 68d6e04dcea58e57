/**
 * What each column of the database may hold of a person. A new column has to be put here by whoever adds it, so that
 * somebody has thought of what becomes of it when that person is forgotten.
 *
 * - `none`: nothing.
 * - `erased`: ids of platforms, names, words; forgetting deletes the row, empties the column or writes a pseudonym.
 * - `pseudonym`: ids that only we give, which lead to nobody once `identities` is erased. They stay.
 * - `public`: what a DAO says of itself or has decided, written for all of it. It stays until an admin changes it.
 * - `passing`: ids of platforms, for as long as a request runs and some minutes more.
 * - `operator`: who runs the installation, on its own record.
 */
export type Kind = 'none' | 'erased' | 'pseudonym' | 'public' | 'passing' | 'operator';

const columns: Readonly<Record<string, Partial<Record<Kind, string>>>> = {
  answer_cache: { none: 'dao_id rule key provider finish_reason created_at', erased: 'answer' },
  api_keys: {
    none: 'id hash dao_id gateway scopes expires_at replaces issuer created_at last_used_at revoked_at',
    erased: 'name principal subject',
    pseudonym: 'owner',
  },
  audit: { none: 'chain seq hash at action', pseudonym: 'entry actor subject' },
  audit_chains: { none: 'chain seq hash salt' },
  audit_heads: { none: 'chain day seq hash key_id signature signed_at' },
  ballots: { none: 'dao_id n revision choice salt commitment ballot_id cast_at', pseudonym: 'member_id' },
  chats: {
    none: 'id source topic kind dao_id speaks closed_at seen_at told_at created_at',
    erased: 'chat_id user_id language',
    public: 'space_id',
  },
  config_activations: { none: 'seq profile hash table_hash document compiled at', operator: 'confirmed_by' },
  config_confirmations: { none: 'hash at', operator: 'confirmed_by' },
  crew_decisions: {
    none: 'dao_id run_id gate revision decision decided_at',
    erased: 'comment output member_id',
  },
  crew_gates: {
    none: 'dao_id run_id id kind task state rules revision asked_at remind_at expires_at reminded_at decided_at seen_at',
    erased: 'ask shown comment output',
  },
  crew_runs: {
    none: 'run_id dao_id crew hash base_run rights handoffs lost_tokens lost_usd ended_at',
    erased: 'subject inputs result',
  },
  crew_tasks: {
    none: 'dao_id run_id task state round attempt reused_from began_at ended_at',
    erased: 'output problem notes returned',
  },
  crew_versions: { none: 'dao_id crew hash created_at', public: 'definition' },
  crews: { none: 'dao_id id hash version updated_at', public: 'definition', pseudonym: 'updated_by' },
  daos: { none: 'id limits version access_stamp created_at', public: 'name facts profile settings' },
  delegations: { none: 'dao_id since', pseudonym: 'member_id delegate_id' },
  deliveries: { none: 'id dao_id news_id chat not_before state shown poked follows', pseudonym: 'member_id' },
  dialogs: { none: 'dao_id id chat summarised_to created_at', erased: 'actor session_id source summary' },
  electors: { none: 'dao_id n weight', pseudonym: 'member_id delegate_id' },
  feedback: { none: 'dao_id request_id mark way at', erased: 'actor comment' },
  identities: { none: 'dao_id linked_at linked_by', erased: 'user_id', pseudonym: 'member_id' },
  inbox: {
    none: 'id chat dao_id lane place revision state stopped_at received_at opened_at done_at joined_to',
    erased: 'update_key actor message_id body',
  },
  interactions: {
    none: 'update_key interaction_id application_id token_sealed is_private began_at expires_at',
  },
  invitations: {
    none: 'dao_id id hash roles uses_left expires_at created_at',
    erased: 'user_id',
    pseudonym: 'member_id created_by',
  },
  members: { none: 'dao_id roles version created_at', erased: 'name', pseudonym: 'id' },
  news: { none: 'id dao_id key kind version at spread_at poked poked_at', pseudonym: 'data', passing: 'told_to' },
  offers: { none: 'id dao_id chat command expires_at taken_at taken_by', erased: 'actor args said' },
  pending: { none: 'id dao_id chat asked_at expires_at taken_by state', erased: 'actor asks' },
  platform_grants: { none: 'created_at', operator: 'principal' },
  preferences: { none: 'dao_id muted quiet_from quiet_to', pseudonym: 'member_id', erased: 'time_zone' },
  proposals: {
    none: 'dao_id n stage rules created_at opened_at closes_at closed_at execute_at ended_at due_at result failure version',
    public: 'title text veto_reason review',
    erased: 'actions',
    pseudonym: 'author',
  },
  rate_limits: { none: 'key points expire' },
  refusals: { none: 'id dao_id at code config_hash', erased: 'actor inputs' },
  replies: {
    none: 'id dao_id chat inbox_id revision request_id roles generation state created_at done_at',
    erased: 'actor content',
  },
  reply_parts: { none: 'dao_id reply_id n chat state message_id shown again strays changed_at' },
  requests: {
    none: 'id dao_id key_id mode decision status provider usage attempts timings generation received_at deadline_at ended_at origin model run_id step joined_at',
    erased: 'actor source agent metadata error idempotency_scope idempotency_key body_hash access',
  },
  roles: { none: 'dao_id entitlements version', public: 'name' },
  run_chats: { none: 'run_id dao_id chat language created_at', erased: 'actor message_id' },
  secrets: { none: 'name value made_at' },
  shared_states: { none: 'name version changed_at', passing: 'state' },
  spaces: { none: 'source dao_id linked_at', public: 'space_id', pseudonym: 'linked_by' },
  turns: {
    none: 'request_id dao_id dialog_id finish_reason created_at',
    erased: 'prompt answer call parts tool journal result',
  },
  usage_daily: { none: 'dao_id day provider key_id requests prompt_tokens completion_tokens cost_usd' },
};

/** `table.column` with what it may hold. */
export const PERSONAL: ReadonlyMap<string, Kind> = new Map(
  Object.entries(columns).flatMap(([table, kinds]) =>
    Object.entries(kinds).flatMap(([kind, names]) =>
      names.split(' ').map((name): [string, Kind] => [`${table}.${name}`, kind as Kind]),
    ),
  ),
);

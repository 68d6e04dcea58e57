-- What a decision depended on, so that it can be made again; where the answer came from.
alter table requests add column access jsonb;
alter table requests add column origin jsonb;
create index requests_by_time on requests (received_at desc);

-- Requests that were refused when they were decided. Bounded: each new one drops the oldest of its DAO and code.
create table refusals (
  id text primary key,
  dao_id text not null references daos (id) on delete cascade,
  actor text not null,
  at timestamptz not null,
  code text not null,
  config_hash text not null,
  inputs jsonb not null
);

create index refusals_by_time on refusals (at desc);
create index refusals_by_dao on refusals (dao_id, at desc);

-- What was used, added up as answers are recorded. provider: as configured, or 'cache' and 'database'.
create table usage_daily (
  dao_id text not null references daos (id) on delete cascade,
  day date not null,
  provider text not null,
  key_id text not null,
  requests bigint not null default 0,
  prompt_tokens bigint not null default 0,
  completion_tokens bigint not null default 0,
  cost_usd numeric(18, 8) not null default 0,
  primary key (dao_id, day, provider, key_id)
);

create index usage_by_key on usage_daily (key_id, day);

-- Answers kept for others of the same DAO and roles who ask the same. key: a hash of all that an answer depends on.
create table answer_cache (
  dao_id text not null references daos (id) on delete cascade,
  rule text not null,
  key text not null,
  provider text not null,
  answer text not null,
  finish_reason text not null,
  created_at timestamptz not null default now(),
  primary key (dao_id, rule, key)
);

create index answer_cache_by_age on answer_cache (dao_id, rule, created_at);

-- Values that all processes share: pools of slots, cooldowns. Changed by compare-and-swap.
create table shared_states (
  name text primary key,
  version bigint not null default 1,
  state jsonb not null,
  changed_at timestamptz not null default clock_timestamp()
);

-- Profiles in the order in which they became active, as written, and which changes somebody has confirmed.
create table config_activations (
  seq bigint generated always as identity primary key,
  -- Which profile: its name, or its file.
  profile text not null,
  -- Of the whole resolved profile; of what decisions depend on; as written, with what it extends; as compiled.
  hash text not null,
  table_hash text not null,
  document jsonb not null,
  compiled jsonb not null,
  at timestamptz not null default now(),
  confirmed_by text
);

create table config_confirmations (
  hash text primary key,
  confirmed_by text not null,
  at timestamptz not null default now()
);

-- Requests of the running minute, by key and by DAO. The columns are those that the limiter's library reads and writes.
-- Unlogged: after a crash of the database the counts begin anew, and no request waits for the disk.
create unlogged table rate_limits (
  key text primary key,
  points integer not null default 0,
  expire bigint
);

-- DAOs, roles, members and keys: who may do what.
create table daos (
  id text primary key,
  name text not null,
  facts jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table roles (
  dao_id text not null references daos (id) on delete cascade,
  name text not null,
  entitlements text[] not null,
  primary key (dao_id, name)
);

create table members (
  dao_id text not null references daos (id) on delete cascade,
  user_id text not null,
  roles text[] not null,
  created_at timestamptz not null default now(),
  primary key (dao_id, user_id)
);

-- Principals that are administrators of the whole installation.
create table platform_grants (
  principal text primary key,
  created_at timestamptz not null default now()
);

-- Only a hash of a key is kept. dao_id null: all DAOs. gateway: may name the user it calls for.
create table api_keys (
  id text primary key,
  hash text not null unique,
  name text not null,
  dao_id text references daos (id) on delete cascade,
  principal text not null,
  gateway boolean not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz
);

-- A conversation of one principal in one DAO, as the caller's session_id names it.
create table dialogs (
  id text primary key,
  dao_id text not null references daos (id) on delete cascade,
  actor text not null,
  session_id text not null,
  source text,
  created_at timestamptz not null default now(),
  unique (dao_id, actor, session_id)
);

-- A routed request: what was decided and how it ended.
create table requests (
  id text primary key,
  dao_id text not null references daos (id) on delete cascade,
  actor text not null,
  key_id text not null,
  source text,
  mode text not null,
  agent text,
  metadata jsonb not null,
  decision jsonb not null,
  status text not null check (status in ('accepted', 'running', 'completed', 'failed', 'cancelled')),
  provider text,
  usage jsonb,
  attempts jsonb not null default '[]',
  timings jsonb not null default '{}',
  error jsonb,
  -- Runs of a model so far. An answer is written only by the latest run: an older one that comes back late is fenced off.
  generation integer not null default 0,
  idempotency_scope text,
  idempotency_key text,
  body_hash text,
  received_at timestamptz not null,
  deadline_at timestamptz not null,
  ended_at timestamptz,
  check ((status in ('accepted', 'running')) = (ended_at is null))
);

create unique index requests_idempotency on requests (idempotency_scope, idempotency_key)
  where idempotency_key is not null;
create index requests_open on requests (id) where ended_at is null;
create index requests_by_dao on requests (dao_id, received_at);

-- One prompt and its answer. Texts live here and nowhere else.
create table turns (
  request_id text primary key references requests (id) on delete cascade,
  dao_id text not null references daos (id) on delete cascade,
  dialog_id text references dialogs (id) on delete cascade,
  prompt text not null,
  answer text,
  finish_reason text,
  created_at timestamptz not null
);

create index turns_by_dialog on turns (dialog_id, created_at desc) where answer is not null;

-- Append-only. dao_id null: something about the installation.
create table audit (
  id bigint generated always as identity primary key,
  dao_id text,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}'
);

create index audit_by_dao on audit (dao_id, id);

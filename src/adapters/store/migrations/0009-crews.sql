-- Crews (docs/adr/0010-crews.md).

-- A DAO's own crews. version: of the row, for If-Match; definition: see src/contracts/crew.ts, as json, since the order of
-- its tasks means something and jsonb loses it.
create table crews (
  dao_id text not null references daos (id) on delete cascade,
  id text not null,
  definition json not null,
  hash text not null,
  version bigint not null default 1,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (dao_id, id)
);

-- What a crew said when a run of it began. Never changed: runs keep theirs.
create table crew_versions (
  dao_id text not null references daos (id) on delete cascade,
  crew text not null,
  hash text not null,
  definition json not null,
  created_at timestamptz not null default now(),
  primary key (dao_id, crew, hash)
);

-- run_id: of a step, the request of its run. step: what it is in it. Steps are no requests of a person: they are not
-- counted, swept or decided again.
alter table requests add column run_id text;
alter table requests add column step text;
alter table requests add foreign key (dao_id, run_id) references requests (dao_id, id) on delete cascade;
create unique index requests_by_step on requests (run_id, step) where run_id is not null;

-- subject: whom it is about. base_run: whose outputs it took over. rights: what whoever started it might then. lost_*:
-- what turns of models used that gave no answer.
create table crew_runs (
  run_id text primary key,
  dao_id text not null,
  crew text not null,
  hash text not null,
  subject text,
  inputs jsonb not null,
  base_run text,
  rights jsonb not null,
  handoffs integer not null default 0,
  lost_tokens bigint not null default 0,
  lost_usd numeric(16, 8) not null default 0,
  result jsonb,
  ended_at timestamptz,
  constraint crew_runs_of_dao unique (dao_id, run_id),
  foreign key (dao_id, run_id) references requests (dao_id, id) on delete cascade,
  foreign key (dao_id, crew, hash) references crew_versions (dao_id, crew, hash)
);
-- Whoever may not use crews has one run about themselves at a time.
create unique index crew_runs_by_guest on crew_runs (dao_id, crew, subject)
  where subject is not null and ended_at is null and not (rights ? 'agent.crew');

create table crew_tasks (
  dao_id text not null,
  run_id text not null,
  task text not null,
  state text not null,
  round integer not null,
  attempt integer not null,
  output jsonb,
  problem text,
  notes jsonb not null,
  returned jsonb,
  reused_from text,
  began_at timestamptz,
  ended_at timestamptz,
  primary key (run_id, task),
  foreign key (dao_id, run_id) references crew_runs (dao_id, run_id) on delete cascade
);

-- A person who is asked. shown: what they see, with its digest; revision: of what is shown. rules: who may decide.
-- comment, output: what follows from the decisions.
create table crew_gates (
  dao_id text not null,
  run_id text not null,
  id text not null,
  kind text not null check (kind in ('approval', 'question', 'limit')),
  task text,
  state text not null default 'open' check (state in ('open', 'approved', 'rejected', 'returned', 'answered', 'continued', 'expired', 'closed')),
  ask text not null,
  shown jsonb not null,
  rules jsonb not null,
  revision integer not null default 1,
  comment text,
  output jsonb,
  asked_at timestamptz not null default now(),
  remind_at timestamptz not null,
  expires_at timestamptz not null,
  reminded_at timestamptz,
  decided_at timestamptz,
  seen_at timestamptz,
  primary key (run_id, id),
  constraint crew_gates_of_dao unique (dao_id, run_id, id),
  foreign key (dao_id, run_id) references crew_runs (dao_id, run_id) on delete cascade
);
create index crew_gates_open on crew_gates (dao_id, asked_at) where state = 'open';
create index crew_gates_unseen on crew_gates (decided_at) where state <> 'open' and seen_at is null;

-- What each person decided, once for each revision. member_id: as the record names them.
create table crew_decisions (
  dao_id text not null,
  run_id text not null,
  gate text not null,
  revision integer not null,
  member_id text not null,
  decision text not null check (decision in ('approve', 'reject', 'return', 'answer', 'continue', 'stop')),
  comment text,
  output jsonb,
  decided_at timestamptz not null default now(),
  primary key (run_id, gate, revision, member_id),
  foreign key (dao_id, run_id, gate) references crew_gates (dao_id, run_id, id) on delete cascade
);

grant select, insert, update, delete on crews, crew_versions, crew_runs, crew_tasks, crew_gates, crew_decisions
  to dagi_app, dagi_all;

alter table crews enable row level security;
create policy of_dao on crews to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on crews to dagi_all using (true);

alter table crew_versions enable row level security;
create policy of_dao on crew_versions to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on crew_versions to dagi_all using (true);

alter table crew_runs enable row level security;
create policy of_dao on crew_runs to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on crew_runs to dagi_all using (true);

alter table crew_tasks enable row level security;
create policy of_dao on crew_tasks to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on crew_tasks to dagi_all using (true);

alter table crew_gates enable row level security;
create policy of_dao on crew_gates to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on crew_gates to dagi_all using (true);

alter table crew_decisions enable row level security;
create policy of_dao on crew_decisions to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on crew_decisions to dagi_all using (true);

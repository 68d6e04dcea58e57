-- Proposals, who may vote on them, and how they voted (docs/adr/0007-proposals.md).

-- due_at: when a clock has to do something next. rules, result, failure: see src/contracts/proposal.ts.
create table proposals (
  dao_id text not null references daos (id) on delete cascade,
  n integer not null check (n > 0),
  author text not null,
  title text not null,
  text text not null,
  actions jsonb not null,
  stage text not null check (stage in ('draft', 'open', 'passed', 'rejected', 'expired', 'executed', 'vetoed', 'failed', 'withdrawn')),
  rules jsonb,
  created_at timestamptz not null default now(),
  opened_at timestamptz,
  closes_at timestamptz,
  closed_at timestamptz,
  execute_at timestamptz,
  ended_at timestamptz,
  due_at timestamptz,
  result jsonb,
  failure jsonb,
  veto_reason text,
  version bigint not null default 1,
  primary key (dao_id, n),
  check ((stage in ('draft', 'withdrawn')) or (rules is not null and opened_at is not null and closes_at > opened_at)),
  check ((due_at is not null) = (stage in ('open', 'passed')))
);
create index proposals_due on proposals (due_at) where due_at is not null;

-- To whom a member gives its vote where it casts none. A member that goes takes its delegations along, both ways.
create table delegations (
  dao_id text not null,
  member_id text not null,
  delegate_id text not null,
  since timestamptz not null default now(),
  primary key (dao_id, member_id),
  check (member_id <> delegate_id),
  foreign key (dao_id, member_id) references members (dao_id, id) on delete cascade,
  foreign key (dao_id, delegate_id) references members (dao_id, id) on delete cascade
);
create index delegations_by_delegate on delegations (dao_id, delegate_id);

-- Who may vote on a proposal, as of its opening. Members that go later stay in it: it names them by their ids alone.
create table electors (
  dao_id text not null,
  n integer not null,
  member_id text not null,
  weight numeric(16, 6) not null check (weight > 0),
  delegate_id text,
  primary key (dao_id, n, member_id),
  foreign key (dao_id, n) references proposals (dao_id, n) on delete cascade
);

-- Every ballot, the changed ones too: the last revision of a voter counts. salt and commitment: of sealed ones; the salt
-- is shown from the close on. ballot_id: hash of what the client called it, so that it may ask again.
create table ballots (
  dao_id text not null,
  n integer not null,
  member_id text not null,
  revision integer not null check (revision > 0),
  choice text not null check (choice in ('yes', 'no', 'abstain')),
  salt text,
  commitment text,
  ballot_id text,
  cast_at timestamptz not null,
  primary key (dao_id, n, member_id, revision),
  foreign key (dao_id, n, member_id) references electors (dao_id, n, member_id) on delete cascade,
  check ((salt is null) = (commitment is null))
);
create unique index ballots_by_client on ballots (dao_id, n, member_id, ballot_id) where ballot_id is not null;

grant select, insert, update, delete on proposals, delegations, electors, ballots to dagi_app, dagi_all;

alter table proposals enable row level security;
create policy of_dao on proposals to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on proposals to dagi_all using (true);

alter table delegations enable row level security;
create policy of_dao on delegations to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on delegations to dagi_all using (true);

alter table electors enable row level security;
create policy of_dao on electors to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on electors to dagi_all using (true);

alter table ballots enable row level security;
create policy of_dao on ballots to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on ballots to dagi_all using (true);

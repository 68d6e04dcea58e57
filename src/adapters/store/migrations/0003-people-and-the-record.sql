-- People, tenants and the record (docs/adr/0006-people-tenants-and-the-record.md).

-- A DAO: what it says of itself, how it decides, what it may use. The stamp changes with everything that rights depend
-- on, and is never used twice. limits: the platform's, over those of the profile.
create sequence access_stamps;
alter table daos add column profile jsonb not null default '{}';
alter table daos add column settings jsonb not null default '{}';
alter table daos add column limits jsonb not null default '{}';
alter table daos add column version bigint not null default 1;
alter table daos add column access_stamp bigint not null default nextval('access_stamps');
alter table daos add constraint daos_id check (id ~ '^[a-z0-9][a-z0-9._-]{0,63}$') not valid;
alter table roles add column version bigint not null default 1;

-- A person of a DAO under an id that no platform gave, and the ids by which platforms name it.
alter table members rename to members_before;
alter table members_before rename constraint members_pkey to members_before_pkey;
alter table members_before add column id text;
update members_before set id = 'p_' || replace(gen_random_uuid()::text, '-', '');
create table members (
  dao_id text not null references daos (id) on delete cascade,
  id text not null,
  name text,
  roles text[] not null,
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  primary key (dao_id, id)
);
insert into members (dao_id, id, roles, created_at) select dao_id, id, roles, created_at from members_before;
create table identities (
  dao_id text not null,
  user_id text not null,
  member_id text not null,
  linked_at timestamptz not null default now(),
  primary key (dao_id, user_id),
  foreign key (dao_id, member_id) references members (dao_id, id) on delete cascade
);
create index identities_by_member on identities (dao_id, member_id);
insert into identities (dao_id, user_id, member_id, linked_at) select dao_id, user_id, id, created_at from members_before;
drop table members_before;

-- The way in, or to a second id (member_id): by a secret of which a hash is kept, or for one named id without a secret.
create table invitations (
  dao_id text not null references daos (id) on delete cascade,
  id text not null,
  hash text unique,
  user_id text,
  member_id text,
  roles text[] not null,
  uses_left integer not null check (uses_left >= 0),
  expires_at timestamptz not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (dao_id, id),
  check (hash is not null or user_id is not null),
  foreign key (dao_id, member_id) references members (dao_id, id) on delete cascade
);
create index invitations_by_user on invitations (dao_id, user_id) where user_id is not null;

-- owner: whose rights bound the key's, a member of its DAO, or the platform. scopes null: no narrower than that.
alter table api_keys add column owner text not null default 'platform';
-- Keys that a member of the DAO made are that member's; those of whoever is known no more, or ruled over all, stay the platform's.
update api_keys k set owner = i.member_id
from audit a join identities i on i.dao_id = a.dao_id and i.user_id = a.actor
where a.action = 'key.create' and a.subject = k.id and a.dao_id = k.dao_id
  and not exists (select from platform_grants g where g.principal = a.actor);
alter table api_keys add column scopes text[];
alter table api_keys add column expires_at timestamptz;
alter table api_keys add column replaces text;
create index api_keys_by_dao on api_keys (dao_id, created_at);

-- The record: one chain per DAO, and one ('') of the installation. entry is the text that was hashed; what stands beside
-- it is there to search by. A person is named by its id in members; a stranger by a hash that the chain's salt makes.
alter table audit rename to audit_before;
alter table audit_before rename constraint audit_pkey to audit_before_pkey;
drop index audit_by_dao;
create table audit_chains (
  chain text primary key,
  seq bigint not null default 0,
  hash text not null default '',
  salt text not null default replace(gen_random_uuid()::text, '-', '')
);
create table audit (
  chain text not null,
  seq bigint not null,
  entry text not null,
  hash text not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  primary key (chain, seq)
);
create index audit_by_action on audit (chain, action, seq);
create index audit_by_actor on audit (chain, actor, seq);

-- Heads of chains as they were signed, day by day.
create table audit_heads (
  chain text not null,
  day date not null,
  seq bigint not null,
  hash text not null,
  key_id text not null,
  signature text not null,
  signed_at timestamptz not null,
  primary key (chain, day)
);

-- What was written down before there were chains goes into them, oldest first.
insert into audit_chains (chain) select distinct coalesce(dao_id, '') from audit_before;
create view audit_named as
  select coalesce(b.dao_id, '') as chain, b.id, b.at, b.action, b.detail - 'principal' - 'name' as detail,
    coalesce(i.member_id, case when b.actor = 'system' then 'api:system' when b.actor like 'api:%' then b.actor else 'x_' || left(encode(sha256(convert_to(c.salt || ':' || b.actor, 'UTF8')), 'hex'), 32) end) as actor,
    case when b.subject = b.actor then coalesce(i.member_id, case when b.actor = 'system' then 'api:system' when b.actor like 'api:%' then b.actor else 'x_' || left(encode(sha256(convert_to(c.salt || ':' || b.actor, 'UTF8')), 'hex'), 32) end) else b.subject end as subject
  from audit_before b
  join audit_chains c on c.chain = coalesce(b.dao_id, '')
  left join identities i on i.dao_id = b.dao_id and i.user_id = b.actor;
do $$
declare
  old record;
  chain text;
  seq bigint;
  entry text;
  hash text;
begin
  for old in select * from audit_named n order by n.chain, n.id loop
    if chain is distinct from old.chain then
      chain := old.chain;
      seq := 0;
      hash := '';
    end if;
    seq := seq + 1;
    entry := jsonb_build_object(
      'seq', seq, 'chain', chain, 'at', to_char(old.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'actor', old.actor, 'action', old.action, 'subject', old.subject, 'detail', old.detail
    )::text;
    hash := encode(sha256(convert_to(hash || E'\n' || entry, 'UTF8')), 'hex');
    insert into audit values (chain, seq, entry, hash, date_trunc('milliseconds', old.at), old.actor, old.action, old.subject);
  end loop;
end $$;
update audit_chains c set seq = a.seq, hash = a.hash
from (select distinct on (chain) chain, seq, hash from audit order by chain, seq desc) a where a.chain = c.chain;
drop view audit_named;
drop table audit_before;

-- Everything that rights depend on raises the stamp of its DAO.
create function raise_access_stamp() returns trigger language plpgsql as $$
begin
  update daos set access_stamp = nextval('access_stamps') where id in (select dao_id from changed);
  return null;
end $$;
create trigger roles_added after insert on roles referencing new table as changed for each statement execute function raise_access_stamp();
create trigger roles_changed after update on roles referencing new table as changed for each statement execute function raise_access_stamp();
create trigger roles_removed after delete on roles referencing old table as changed for each statement execute function raise_access_stamp();
create trigger members_added after insert on members referencing new table as changed for each statement execute function raise_access_stamp();
create trigger members_changed after update on members referencing new table as changed for each statement execute function raise_access_stamp();
create trigger members_removed after delete on members referencing old table as changed for each statement execute function raise_access_stamp();
create trigger identities_added after insert on identities referencing new table as changed for each statement execute function raise_access_stamp();
create trigger identities_changed after update on identities referencing new table as changed for each statement execute function raise_access_stamp();
create trigger identities_removed after delete on identities referencing old table as changed for each statement execute function raise_access_stamp();

-- A reference does not ask whose row it finds, so it names the DAO as well.
alter table dialogs add constraint dialogs_of_dao unique (dao_id, id);
alter table requests add constraint requests_of_dao unique (dao_id, id);
alter table turns drop constraint turns_dialog_id_fkey;
alter table turns drop constraint turns_request_id_fkey;
alter table turns add foreign key (dao_id, dialog_id) references dialogs (dao_id, id) on delete cascade;
alter table turns add foreign key (dao_id, request_id) references requests (dao_id, id) on delete cascade;
-- So does a key that must be unique: who takes one must not learn of another DAO's.
drop index requests_idempotency;
create unique index requests_idempotency on requests (dao_id, idempotency_scope, idempotency_key) where idempotency_key is not null;

-- Row-level security: dagi_app reaches the DAO that its session names, dagi_all reaches all.
grant usage on sequence access_stamps to dagi_app, dagi_all;
grant select, insert, update, delete on roles, members, identities, invitations, api_keys, dialogs, requests, turns, refusals, usage_daily, answer_cache to dagi_app, dagi_all;
grant select, update on daos to dagi_app;
grant select, insert, update, delete on daos, platform_grants, shared_states, config_activations, config_confirmations, rate_limits to dagi_all;
grant select, insert on audit, audit_heads to dagi_app, dagi_all;
grant select, insert, update on audit_chains to dagi_app, dagi_all;

alter table daos enable row level security;
create policy of_dao on daos to dagi_app using (id = current_setting('dagi.dao', true));
create policy of_all on daos to dagi_all using (true);

alter table roles enable row level security;
create policy of_dao on roles to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on roles to dagi_all using (true);

alter table members enable row level security;
create policy of_dao on members to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on members to dagi_all using (true);

alter table identities enable row level security;
create policy of_dao on identities to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on identities to dagi_all using (true);

alter table invitations enable row level security;
create policy of_dao on invitations to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on invitations to dagi_all using (true);

alter table api_keys enable row level security;
create policy of_dao on api_keys to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on api_keys to dagi_all using (true);

alter table dialogs enable row level security;
create policy of_dao on dialogs to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on dialogs to dagi_all using (true);

alter table requests enable row level security;
create policy of_dao on requests to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on requests to dagi_all using (true);

alter table turns enable row level security;
create policy of_dao on turns to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on turns to dagi_all using (true);

alter table refusals enable row level security;
create policy of_dao on refusals to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on refusals to dagi_all using (true);

alter table usage_daily enable row level security;
create policy of_dao on usage_daily to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on usage_daily to dagi_all using (true);

alter table answer_cache enable row level security;
create policy of_dao on answer_cache to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on answer_cache to dagi_all using (true);

alter table audit enable row level security;
create policy of_dao on audit to dagi_app using (chain = current_setting('dagi.dao', true) and chain <> '');
create policy of_all on audit to dagi_all using (true);

alter table audit_heads enable row level security;
create policy of_dao on audit_heads to dagi_app using (chain = current_setting('dagi.dao', true) and chain <> '');
create policy of_all on audit_heads to dagi_all using (true);

alter table audit_chains enable row level security;
create policy of_dao on audit_chains to dagi_app using (chain = current_setting('dagi.dao', true) and chain <> '');
create policy of_all on audit_chains to dagi_all using (true);

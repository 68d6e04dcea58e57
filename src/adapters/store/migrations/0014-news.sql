-- News, and what chats were told of it (docs/adr/0011-dialogs.md).

-- What happened, once. key: what it tells of. data: where that is found. version: counts how often what it shows has
-- changed. told_to: whoever comes last among those for whom messages were made; spread_at: there is nobody behind them.
-- poked: of which version all its chats were told, at poked_at.
create table news (
  id text primary key,
  dao_id text not null references daos (id) on delete cascade,
  key text not null,
  kind text not null,
  data jsonb not null,
  version integer not null default 1,
  at timestamptz not null default now(),
  told_to text not null default '',
  spread_at timestamptz,
  poked integer not null default 0,
  poked_at timestamptz,
  constraint news_of_dao unique (dao_id, id),
  unique (dao_id, key)
);
create index news_to_spread on news (at) where spread_at is null;
create index news_to_poke on news (dao_id) where poked < version;
create index news_by_age on news (at);

-- A message to a chat about it. id: of its reply. member_id: whom it is for; null: nobody in particular. shown, poked: the
-- version of the news that the message shows, and of which its chat was told. follows: it answers somebody, and shows what
-- the news is about.
create table deliveries (
  id text primary key,
  dao_id text not null,
  news_id text not null,
  chat text not null references chats (id) on delete cascade,
  member_id text,
  not_before timestamptz not null,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'undeliverable')),
  shown integer not null default 0,
  poked integer not null default 0,
  follows boolean not null default false,
  foreign key (dao_id, news_id) references news (dao_id, id) on delete cascade
);
create unique index deliveries_once on deliveries (news_id, chat) where not follows;
create index deliveries_of_chat on deliveries (chat, state, not_before);
create index deliveries_waiting on deliveries (not_before) where state = 'waiting';

-- What a member wants to hear, and when not: from and to are minutes of the day where they live.
create table preferences (
  dao_id text not null,
  member_id text not null,
  muted text[] not null default '{}',
  quiet_from integer check (quiet_from between 0 and 1439),
  quiet_to integer check (quiet_to between 0 and 1439),
  time_zone text not null default 'Europe/Kyiv',
  primary key (dao_id, member_id),
  check ((quiet_from is null) = (quiet_to is null)),
  foreign key (dao_id, member_id) references members (dao_id, id) on delete cascade
);

grant select, insert, update, delete on news, deliveries, preferences to dagi_app, dagi_all;

alter table news enable row level security;
create policy of_dao on news to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on news to dagi_all using (true);

alter table deliveries enable row level security;
create policy of_dao on deliveries to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on deliveries to dagi_all using (true);

alter table preferences enable row level security;
create policy of_dao on preferences to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on preferences to dagi_all using (true);

-- News is written with what it tells of, whatever statement of whichever process does that: by these triggers, in its
-- transaction. What is written twice is there once.
create function tell(of_dao text, of_key text, of_kind text, of_data jsonb) returns void language sql as $$
  insert into news (id, dao_id, key, kind, data) values (gen_random_uuid()::text, of_dao, of_key, of_kind, of_data)
  on conflict (dao_id, key) do nothing
$$;

-- What messages show of it is another thing now.
create function tell_anew(of_dao text, of_key text) returns void language sql as $$
  update news set version = version + 1 where dao_id = of_dao and key = of_key
$$;

create function tell_of_gate() returns trigger language plpgsql as $$
declare
  about text := new.run_id || '/' || new.id;
  data jsonb := jsonb_build_object('run', new.run_id, 'gate', new.id);
begin
  if tg_op = 'INSERT' then
    perform tell(new.dao_id, 'gate/' || about, 'gate_asked', data);
    return null;
  end if;
  if new.reminded_at is not null and old.reminded_at is null then
    perform tell(new.dao_id, 'gate/' || about || '/reminded', 'gate_reminded', data);
  end if;
  if new.state = 'expired' and old.state = 'open' then
    perform tell(new.dao_id, 'gate/' || about || '/expired', 'gate_expired', data);
  end if;
  if new.state <> old.state or new.revision <> old.revision then
    perform tell_anew(new.dao_id, 'gate/' || about);
    perform tell_anew(new.dao_id, 'gate/' || about || '/reminded');
  end if;
  return null;
end $$;
create trigger tell_of_gate after insert or update on crew_gates for each row execute function tell_of_gate();

create function tell_of_decision() returns trigger language plpgsql as $$ begin
  perform tell_anew(new.dao_id, 'gate/' || new.run_id || '/' || new.gate);
  perform tell_anew(new.dao_id, 'gate/' || new.run_id || '/' || new.gate || '/reminded');
  return null;
end $$;
create trigger tell_of_decision after insert on crew_decisions for each row execute function tell_of_decision();

create function tell_of_run() returns trigger language plpgsql as $$ begin
  perform tell(new.dao_id, 'run/' || new.run_id, 'run_ended', jsonb_build_object('run', new.run_id));
  return null;
end $$;
create trigger tell_of_run after update on crew_runs for each row
  when (new.ended_at is not null and old.ended_at is null) execute function tell_of_run();

create function tell_of_proposal() returns trigger language plpgsql as $$
declare
  about text := 'proposal/' || new.n;
  data jsonb := jsonb_build_object('n', new.n);
begin
  if tg_op = 'UPDATE' and new.stage = old.stage then return null; end if;
  if new.stage = 'open' then
    perform tell(new.dao_id, about || '/open', 'proposal_opened', data);
    return null;
  end if;
  perform tell_anew(new.dao_id, about || '/open');
  perform tell_anew(new.dao_id, about || '/reminder');
  if new.stage in ('passed', 'rejected', 'expired') then
    perform tell(new.dao_id, about || '/closed', 'proposal_closed', data);
  elsif new.stage = 'vetoed' then
    perform tell(new.dao_id, about || '/vetoed', 'proposal_vetoed', data);
  elsif new.stage = 'failed' then
    perform tell(new.dao_id, about || '/failed', 'proposal_failed', data);
  end if;
  return null;
end $$;
create trigger tell_of_proposal after insert or update on proposals for each row execute function tell_of_proposal();

-- Once for each statement, however many ballots it writes.
create function tell_of_ballots() returns trigger language plpgsql as $$ begin
  update news set version = version + 1
  from (select distinct dao_id, n from cast_now) as about
  where news.dao_id = about.dao_id and news.key in ('proposal/' || about.n || '/open', 'proposal/' || about.n || '/reminder');
  return null;
end $$;
create trigger tell_of_ballots after insert on ballots referencing new table as cast_now
  for each statement execute function tell_of_ballots();

-- Asked after each turn, in whatever scope a session is: a chat is of no one DAO.
do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'deliveries'::regclass;

  -- How long until something is to be written in a chat, in milliseconds; null: nothing is.
  execute format($create$
    create function %1$I.due_in(of_source text, of_chat text, of_topic text) returns numeric
    language plpgsql stable security definer set search_path = %1$I, pg_temp as $body$
    begin
      return (
        select extract(epoch from min(case when d.state = 'waiting' then d.not_before else now() end) - now()) * 1000
        from chats c join deliveries d on d.chat = c.id join news n on n.id = d.news_id
        where c.source = of_source and c.chat_id = of_chat and c.topic = of_topic
          and (d.state = 'waiting' or d.state = 'done' and d.shown < n.version)
      );
    end $body$
  $create$, home);

  execute format('revoke all on function %I.due_in(text, text, text) from public', home);
  execute format('grant execute on function %I.due_in(text, text, text) to dagi_app, dagi_all', home);
end $$;

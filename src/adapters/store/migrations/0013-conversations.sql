-- What is asked, offered and said of answers in chats (docs/adr/0011-dialogs.md). All of these rows are of one person.

-- What somebody was offered to begin, with one tap. id: of the message that it was understood from. said: that message.
create table offers (
  id text primary key,
  dao_id text not null references daos (id) on delete cascade,
  chat text not null references chats (id) on delete cascade,
  actor text not null,
  command text not null,
  args text not null,
  said text not null,
  expires_at timestamptz not null,
  taken_at timestamptz,
  taken_by text
);
create index offers_of_actor on offers (dao_id, actor);
create index offers_by_end on offers (expires_at);

-- What somebody was asked, and has not answered yet. id: of what it was asked after. taken_by: of the message that
-- answered it. state: what is said next answers it (asked); only a reply to the question does, since something else was said
-- meanwhile (aside); nobody wants to answer it (dropped).
create table pending (
  id text primary key,
  dao_id text not null references daos (id) on delete cascade,
  chat text not null references chats (id) on delete cascade,
  actor text not null,
  asks jsonb not null,
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null,
  taken_by text,
  state text not null default 'asked' check (state in ('asked', 'aside', 'dropped'))
);
create index pending_of_actor on pending (chat, actor, dao_id);
create index pending_by_end on pending (expires_at);
create index pending_taken on pending (taken_by) where taken_by is not null;

-- What somebody thinks of an answer. way: how they said so.
create table feedback (
  dao_id text not null,
  request_id text not null,
  actor text not null,
  mark text not null check (mark in ('good', 'bad')),
  way text not null check (way in ('button', 'reaction')),
  comment text,
  at timestamptz not null default now(),
  primary key (dao_id, request_id, actor),
  foreign key (dao_id, request_id) references requests (dao_id, id) on delete cascade
);
create index feedback_of_actor on feedback (dao_id, actor);

-- Where a run of a crew was asked for, and is to be told of.
create table run_chats (
  run_id text primary key,
  dao_id text not null,
  chat text not null references chats (id) on delete cascade,
  actor text not null,
  message_id text,
  language text not null check (language in ('uk', 'en')),
  created_at timestamptz not null default now(),
  foreign key (dao_id, run_id) references requests (dao_id, id) on delete cascade
);
create index run_chats_of_actor on run_chats (dao_id, actor);

create index replies_of_actor on replies (dao_id, chat, actor, created_at);
create index inbox_of_actor on inbox (dao_id, actor);

grant select, insert, update, delete on offers, pending, feedback, run_chats to dagi_all, dagi_app;

alter table offers enable row level security;
create policy of_dao on offers to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on offers to dagi_all using (true);

alter table pending enable row level security;
create policy of_dao on pending to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on pending to dagi_all using (true);

alter table feedback enable row level security;
create policy of_dao on feedback to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on feedback to dagi_all using (true);

alter table run_chats enable row level security;
create policy of_dao on run_chats to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on run_chats to dagi_all using (true);

do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'chats'::regclass;

  -- Forgets private chats of people of whom a DAO keeps nothing any more, where no other DAO has anything to do with them;
  -- and what came from them that never was any DAO's. It tells nothing.
  execute format($create$
    create function %1$I.forget_chats(of_dao text, ids text[]) returns void
    language plpgsql volatile security definer set search_path = %1$I, pg_temp as $body$
    begin
      delete from inbox i where i.actor = any (ids) and i.dao_id is null and i.state in ('done', 'dropped');
      delete from chats c
      where c.user_id = any (ids) and c.kind = 'private' and (c.dao_id is null or c.dao_id = of_dao)
        and not exists (select from inbox i where i.chat = c.id)
        and not exists (select from replies r where r.chat = c.id)
        and not exists (select from dialogs d where d.chat = c.id)
        and not exists (select from offers o where o.chat = c.id)
        and not exists (select from pending p where p.chat = c.id)
        and not exists (select from run_chats r where r.chat = c.id);
    end $body$
  $create$, home);

  execute format('revoke all on function %I.forget_chats(text, text[]) from public', home);
  execute format('grant execute on function %I.forget_chats(text, text[]) to dagi_app, dagi_all', home);
end $$;

-- Whether the turns of a dialog that are in no summary yet are longer together than so many bytes. Asked after each turn, by
-- a function whose plan a session keeps.
create function is_longer(of_dao text, of_chat text, bytes numeric) returns boolean language plpgsql stable as $$ begin
  return coalesce((
    select sum(octet_length(t.prompt) + octet_length(t.answer)) > bytes
    from dialogs d join turns t on t.dialog_id = d.id and t.dao_id = d.dao_id
    where d.dao_id = of_dao and d.chat = of_chat and t.answer is not null
      and (d.summarised_to is null or t.created_at > d.summarised_to)
  ), false);
end $$;

-- Of which DAOs somebody is a member.
create index identities_by_user on identities (user_id);

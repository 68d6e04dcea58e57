-- Telegram and Discord (docs/adr/0011-dialogs.md).

-- A chat with a bot, or a topic of one ('': none). space_id: the group or guild that it is in. user_id: of a private chat,
-- whose it is. dao_id: the DAO that this person chose. language: as the platform says. speaks: the one that was chosen for
-- what the product itself says there. closed_at: the bot was blocked or removed. told_at: that it belongs to no DAO.
create table chats (
  id text primary key,
  source text not null check (source in ('tg', 'dc')),
  chat_id text not null,
  topic text not null default '',
  kind text not null check (kind in ('private', 'group')),
  space_id text,
  user_id text,
  dao_id text references daos (id) on delete set null,
  language text,
  speaks text check (speaks in ('uk', 'en')),
  closed_at timestamptz,
  told_at timestamptz,
  seen_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  unique (source, chat_id, topic)
);
create index chats_of_user on chats (user_id) where user_id is not null;

-- Groups and guilds whose chats belong to a DAO.
create table spaces (
  source text not null check (source in ('tg', 'dc')),
  space_id text not null,
  dao_id text not null references daos (id) on delete cascade,
  linked_by text not null,
  linked_at timestamptz not null default now(),
  primary key (source, space_id)
);
create index spaces_of_dao on spaces (dao_id);

-- A conversation is of a principal's session, or of a chat. summary: of the turns up to summarised_to.
alter table dialogs alter column actor drop not null;
alter table dialogs alter column session_id drop not null;
alter table dialogs add column chat text references chats (id) on delete cascade;
alter table dialogs add column summary text;
alter table dialogs add column summarised_to timestamptz;
alter table dialogs add constraint dialogs_of_one_kind check ((chat is null) = (actor is not null) and (actor is null) = (session_id is null));
create unique index dialogs_of_chat on dialogs (dao_id, chat) where chat is not null;

-- What came in. update_key: the platform's own id of it. place: the order of what is in the chat, as the platform has it.
-- dao_id: null until it is its turn. body: see src/contracts/dialog.ts. revision: counts how often its author changed it.
create table inbox (
  id text primary key,
  update_key text not null unique,
  chat text not null references chats (id) on delete cascade,
  dao_id text references daos (id) on delete cascade,
  lane text not null check (lane in ('turn', 'act', 'say')),
  place numeric not null,
  actor text not null,
  message_id text,
  body jsonb not null,
  revision integer not null default 1,
  state text not null default 'waiting' check (state in ('waiting', 'open', 'done', 'dropped')),
  stopped_at timestamptz,
  received_at timestamptz not null,
  opened_at timestamptz,
  done_at timestamptz,
  constraint inbox_of_dao unique (dao_id, id)
);
create index inbox_of_chat on inbox (chat, lane, place, id) where state in ('waiting', 'open');
create index inbox_undone on inbox (received_at) where state in ('waiting', 'open');
create index inbox_by_end on inbox (done_at) where state in ('done', 'dropped');
create index inbox_by_message on inbox (message_id, chat) where message_id is not null;
create index inbox_by_number on inbox (chat, (case when message_id ~ '^\d+$' then message_id::numeric end));
create index inbox_by_place on inbox (chat, lane, place);

-- What a chat is shown in answer to something that came in. content: words that were there at once; request_id: the
-- request whose answer it is. generation: counts who has written it; only the latest may.
create table replies (
  id text primary key,
  dao_id text not null references daos (id) on delete cascade,
  chat text not null references chats (id) on delete cascade,
  inbox_id text,
  actor text,
  revision integer not null default 1,
  request_id text,
  content jsonb,
  generation integer not null default 0,
  state text not null default 'open' check (state in ('open', 'done', 'undeliverable')),
  created_at timestamptz not null default now(),
  done_at timestamptz,
  constraint replies_of_dao unique (dao_id, id),
  foreign key (dao_id, inbox_id) references inbox (dao_id, id) on delete cascade
);
create unique index replies_of_inbox on replies (inbox_id) where inbox_id is not null;
create index replies_to_nothing on replies (created_at) where inbox_id is null;
create index replies_of_request on replies (dao_id, request_id) where request_id is not null;

-- Messages that a reply is made of. shown: the hash of what it says. again: it was created more than once, maybe, and what
-- is too many was not looked for yet. strays: messages that were too many, and were removed.
create table reply_parts (
  dao_id text not null,
  reply_id text not null,
  n integer not null,
  chat text not null references chats (id) on delete cascade,
  state text not null check (state in ('planned', 'sending', 'sent')),
  message_id text,
  shown text,
  again boolean not null default false,
  strays integer not null default 0,
  changed_at timestamptz not null default now(),
  primary key (reply_id, n),
  foreign key (dao_id, reply_id) references replies (dao_id, id) on delete cascade
);
create index reply_parts_by_message on reply_parts (message_id, chat) where message_id is not null;
create index reply_parts_by_number on reply_parts (chat, (case when message_id ~ '^\d+$' then message_id::numeric end));
create index reply_parts_again on reply_parts (changed_at) where again;
create index reply_parts_sending on reply_parts (chat) where state = 'sending';

grant select, insert, update, delete on chats, spaces, inbox, replies, reply_parts to dagi_all;
grant select, insert, update, delete on spaces, inbox, replies, reply_parts to dagi_app;
grant select, update on chats to dagi_app;

-- A chat is seen from the DAOs that it has a dialog with.
alter table chats enable row level security;
create policy of_dao on chats to dagi_app using (exists (select from dialogs d where d.chat = chats.id));
create policy of_all on chats to dagi_all using (true);

alter table spaces enable row level security;
create policy of_dao on spaces to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on spaces to dagi_all using (true);

alter table inbox enable row level security;
create policy of_dao on inbox to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on inbox to dagi_all using (true);

alter table replies enable row level security;
create policy of_dao on replies to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on replies to dagi_all using (true);

alter table reply_parts enable row level security;
create policy of_dao on reply_parts to dagi_app using (dao_id = current_setting('dagi.dao', true));
create policy of_all on reply_parts to dagi_all using (true);

-- Which DAO a message belongs to is known when it is its turn: until then it is nobody's, and is written and taken by
-- these functions, which tell of one chat to whoever knows it, in whatever scope a session is.
do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'chats'::regclass;

  -- Numbers of messages below one, and above the last that was known before it, of which nothing is known: one of them
  -- may have been created and not written down. A large group (its id begins with -100) numbers by itself, all its topics
  -- together; all other chats of a bot are numbered as one; other platforms do not number.
  execute format($create$
    create function %1$I.unknown_messages(of_chat text, below numeric, most integer) returns table (message_id text)
    language plpgsql stable security definer set search_path = %1$I, pg_temp as $body$
    declare lowest numeric; here text; is_alone boolean;
    begin
      select c.chat_id, c.chat_id like '-100%%' into here, is_alone from chats c where c.id = of_chat and c.source = 'tg';
      if here is null then return; end if;
      select max(known.id) into lowest from chats c cross join lateral (
        select max(case when i.message_id ~ '^\d+$' then i.message_id::numeric end) as id from inbox i
        where i.chat = c.id and case when i.message_id ~ '^\d+$' then i.message_id::numeric end < below
        union all
        select max(case when p.message_id ~ '^\d+$' then p.message_id::numeric end) from reply_parts p
        where p.chat = c.id and case when p.message_id ~ '^\d+$' then p.message_id::numeric end < below
      ) known where c.source = 'tg' and c.chat_id = here;
      if lowest is null or below - lowest > 5000 then return; end if;
      return query
        select between_them.id::text from generate_series(lowest + 1, below - 1) as between_them (id)
        where not exists (
          select from inbox i join chats c on c.id = i.chat
          where c.source = 'tg' and i.message_id = between_them.id::text
            and (c.chat_id = here or not is_alone and c.chat_id not like '-100%%')
        ) and not exists (
          select from reply_parts p join chats c on c.id = p.chat
          where c.source = 'tg' and p.message_id = between_them.id::text
            and (c.chat_id = here or not is_alone and c.chat_id not like '-100%%')
        )
        order by between_them.id desc limit most;
    end $body$
  $create$, home);

  execute format('revoke all on function %I.unknown_messages(text, numeric, integer) from public', home);
  execute format('grant execute on function %I.unknown_messages(text, numeric, integer) to dagi_app, dagi_all', home);
end $$;

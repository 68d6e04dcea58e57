-- Bounds of what comes in from chats, and messages that are answered as one (docs/adr/0011-dialogs.md).

-- joined_to: of a message that is answered with another one of the same person.
alter table inbox add column joined_to text;
alter table inbox add foreign key (dao_id, joined_to) references inbox (dao_id, id) on delete cascade;
create index inbox_joined on inbox (dao_id, joined_to) where joined_to is not null;

-- Who was told that too much waits in a chat, and when.
create index inbox_beyond on inbox (chat, actor, received_at) where lane <> 'turn' and body ? 'isBeyond';

do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'inbox'::regclass;

  -- Writes down what came in, once. new_*: ids for rows that are not there yet. Where so much waits in the chat, a message is
  -- written down as dropped, and its body says why. The first of a person's in a minute becomes an act, so that they are told at
  -- once: one, since the chat's row is locked.
  execute format($create$
    create function %1$I.accept_update(
      new_chat text, new_id text, key text, in_source text, in_chat text, in_topic text, in_kind text, in_space text,
      in_user text, in_language text, in_lane text, in_place numeric, in_actor text, in_message text, in_body jsonb,
      at timestamptz, most integer
    ) returns table (id text, chat text, state text, is_new boolean, is_beyond boolean)
    language plpgsql volatile security definer set search_path = %1$I, pg_temp as $body$
    declare
      chat_row text;
      found record;
      is_full boolean := false;
      is_told boolean;
    begin
      -- Where somebody writes to the bot it is there, in all topics. They are locked in order, as whoever closes them does.
      if in_lane = 'turn' and exists (
        select from chats c where c.source = in_source and c.chat_id = in_chat and c.closed_at is not null
      ) then
        update chats c set closed_at = null where c.id in (
          select o.id from chats o where o.source = in_source and o.chat_id = in_chat order by o.id for update
        );
      end if;
      insert into chats as c (id, source, chat_id, topic, kind, space_id, user_id, language)
      values (new_chat, in_source, in_chat, in_topic, in_kind, in_space, in_user, in_language)
      on conflict (source, chat_id, topic) do update set
        seen_at = now(), language = coalesce(excluded.language, c.language)
      returning c.id into chat_row;
      if in_lane = 'turn' and most is not null then
        -- Nobody fills a group alone.
        select count(*) >= most or in_kind = 'group' and count(*) filter (where waiting.actor = in_actor) >= greatest(1, most / 5)
        into is_full from (
          select i.actor from inbox i where i.chat = chat_row and i.lane = 'turn' and i.state in ('waiting', 'open') limit most
        ) as waiting;
      end if;
      if is_full then
        is_told := exists (
          select from inbox i
          where i.chat = chat_row and i.actor = in_actor and i.lane <> 'turn' and i.body ? 'isBeyond'
            and i.received_at > at - interval '1 minute'
        );
      end if;
      insert into inbox as i (id, update_key, chat, lane, place, actor, message_id, body, state, received_at, done_at)
      values (
        new_id, key, chat_row, case when is_full and not is_told then 'act' else in_lane end, in_place, in_actor, in_message,
        case when is_full then in_body || '{"isBeyond": true}' else in_body end,
        case when is_full and is_told then 'dropped' else 'waiting' end, at, case when is_full and is_told then now() end
      )
      on conflict (update_key) do nothing
      returning i.id, i.state into found;
      if found.id is not null then
        return query select found.id::text, chat_row, found.state::text, true, is_full;
      else
        return query select i.id, i.chat, i.state, false, i.body ? 'isBeyond' from inbox i where i.update_key = key;
      end if;
    end $body$
  $create$, home);

  execute format('revoke all on function %I.accept_update(text, text, text, text, text, text, text, text, text, text, text, numeric, text, text, jsonb, timestamptz, integer) from public', home);
  execute format('grant execute on function %I.accept_update(text, text, text, text, text, text, text, text, text, text, text, numeric, text, text, jsonb, timestamptz, integer) to dagi_app, dagi_all', home);
end $$;

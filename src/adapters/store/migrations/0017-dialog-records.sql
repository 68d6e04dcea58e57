-- Dialogs as they are read and exported (docs/adr/0011-dialogs.md).

-- What whoever wrote a message was in the DAO when it was answered without a request, which would say so itself.
alter table replies add column roles text[];

-- A chat has a dialog with a DAO from the first message that is answered there, be it a command.
insert into dialogs (id, dao_id, chat, source)
select min(replies.id), replies.dao_id, replies.chat, case chats.source when 'tg' then 'telegram' else 'discord' end
from replies join chats on chats.id = replies.chat
where replies.inbox_id is not null
  and not exists (select from dialogs where dialogs.dao_id = replies.dao_id and dialogs.chat = replies.chat)
group by replies.dao_id, replies.chat, chats.source;

do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'chats'::regclass;

  -- Of which DAO is what somebody says in a chat: that of its space, else the one that was chosen there, else the usual one. Else
  -- in a private chat the one that its person came to first (who makes them a member elsewhere does not get what they write; they
  -- could not choose another otherwise). In a group so is what is to give it
  -- one; everything else is nobody's there.
  execute format($create$
    create function %1$I.dao_for(
      of_source text, of_chat text, of_topic text, of_space text, of_kind text, of_actor text, says text, usual_dao text
    ) returns text
    language sql stable security definer set search_path = %1$I, pg_temp as $body$
      select coalesce(
        (select s.dao_id from spaces s where s.source = of_source and s.space_id = of_space),
        (select c.dao_id from chats c where c.source = of_source and c.chat_id = of_chat and c.topic = of_topic),
        (select d.id from daos d where d.id = usual_dao),
        case when of_kind = 'private' or says ~* '^\s*/link(@\w+)?(\s|$)' then (
          select t.dao_id from identities t where t.user_id = of_actor order by t.linked_at, t.dao_id limit 1
        ) end
      )
    $body$
  $create$, home);

  -- Takes what is next of a chat in a lane, and stamps it with its DAO: once, so that it stays what it was. asked: whether
  -- its author was asked something there, in whatever DAO.
  execute format($create$
    create function %1$I.next_update(of_source text, of_chat text, of_topic text, of_lane text, usual_dao text)
    returns table (
      id text, chat text, dao_id text, lane text, actor text, message_id text, body jsonb, revision integer,
      stopped boolean, received_at timestamptz, kind text, language text, speaks text, closed boolean, again boolean,
      asked boolean, more boolean
    )
    language plpgsql volatile security definer set search_path = %1$I, pg_temp as $body$
    begin
      return query
        with next as (
          select i.id, i.state, c.id as chat, c.space_id, c.kind, c.language, c.speaks, c.closed_at
          from chats c
          join inbox i on i.chat = c.id and i.lane = of_lane and i.state in ('waiting', 'open')
          where c.source = of_source and c.chat_id = of_chat and c.topic = of_topic
          order by i.place, i.id
          limit 1
        )
        update inbox as i set
          state = 'open', opened_at = coalesce(i.opened_at, now()),
          dao_id = coalesce(
            i.dao_id,
            dao_for(of_source, of_chat, of_topic, next.space_id, next.kind, i.actor, i.body ->> 'text', usual_dao)
          )
        from next where i.id = next.id
        returning i.id, i.chat, i.dao_id, i.lane, i.actor, i.message_id, i.body, i.revision, i.stopped_at is not null,
          i.received_at, next.kind, next.language, next.speaks, next.closed_at is not null,
          next.state = 'open',
          exists (
            select from pending p where p.chat = i.chat and p.actor = i.actor
              and (p.taken_by is null and p.state = 'asked' or p.taken_by = i.id)
          ),
          exists (
            select from inbox o
            where o.chat = i.chat and o.lane = i.lane and o.state in ('waiting', 'open') and o.id <> i.id
          );
    end $body$
  $create$, home);

  execute format('revoke all on function %I.dao_for(text, text, text, text, text, text, text, text) from public', home);
  execute format('grant execute on function %I.dao_for(text, text, text, text, text, text, text, text) to dagi_all', home);
  execute format('revoke all on function %I.next_update(text, text, text, text, text) from public', home);
  execute format('grant execute on function %I.next_update(text, text, text, text, text) to dagi_app, dagi_all', home);
end $$;

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

-- Of which DAO a message is where its chat is of none, and there is no usual one: in a private chat the first of its person's,
-- who could not choose another otherwise. In a group so is what is to give it one; everything else is nobody's there.
do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'chats'::regclass;
  execute format($create$
    create or replace function %1$I.next_update(of_source text, of_chat text, of_topic text, of_lane text, usual_dao text)
    returns table (
      id text, chat text, dao_id text, lane text, actor text, message_id text, body jsonb, revision integer,
      stopped boolean, received_at timestamptz, kind text, language text, speaks text, closed boolean, again boolean,
      asked boolean, more boolean
    )
    language plpgsql volatile security definer set search_path = %1$I, pg_temp as $body$
    begin
      return query
        with next as (
          select i.id, i.state, c.id as chat, c.kind, c.language, c.speaks, c.closed_at, s.dao_id as linked, c.dao_id as chosen
          from chats c
          join inbox i on i.chat = c.id and i.lane = of_lane and i.state in ('waiting', 'open')
          left join spaces s on s.source = c.source and s.space_id = c.space_id
          where c.source = of_source and c.chat_id = of_chat and c.topic = of_topic
          order by i.place, i.id
          limit 1
        )
        update inbox as i set
          state = 'open', opened_at = coalesce(i.opened_at, now()),
          dao_id = coalesce(
            i.dao_id, next.linked, next.chosen, (select d.id from daos d where d.id = usual_dao),
            case when next.kind = 'private' or i.body ->> 'text' ~* '^\s*/link(@\w+)?(\s|$)' then (
              select t.dao_id from identities t where t.user_id = i.actor order by t.dao_id limit 1
            ) end
          )
        from next where i.id = next.id
        returning i.id, i.chat, i.dao_id, i.lane, i.actor, i.message_id, i.body, i.revision, i.stopped_at is not null,
          i.received_at, next.kind, next.language, next.speaks, next.closed_at is not null,
          next.state = 'open',
          exists (
            select from pending p where p.chat = i.chat and p.actor = i.actor and (p.taken_by is null or p.taken_by = i.id)
          ),
          exists (
            select from inbox o
            where o.chat = i.chat and o.lane = i.lane and o.state in ('waiting', 'open') and o.id <> i.id
          );
    end $body$
  $create$, home);
end $$;

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

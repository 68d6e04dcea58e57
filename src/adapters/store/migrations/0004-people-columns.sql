-- A session's history is read by this index, and so are the turns of a dialog that is deleted when somebody is forgotten:
-- answered or not, so no longer only those with an answer.
drop index turns_by_dialog;
create index turns_by_dialog on turns (dao_id, dialog_id, created_at desc) where dialog_id is not null;
-- One key at a time takes the place of another.
create unique index api_keys_by_replaced on api_keys (coalesce(dao_id, ''), replaces) where replaces is not null and revoked_at is null;
-- How an id came to its member: with whoever joined, by the member's own code, or on an admin's word.
alter table identities add column linked_by text not null default 'join' check (linked_by in ('join', 'code', 'admin'));

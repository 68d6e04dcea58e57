-- A session's history is read by this index, and so are the turns of a dialog that is deleted when somebody is forgotten:
-- answered or not, so no longer only those with an answer.
drop index turns_by_dialog;
create index turns_by_dialog on turns (dao_id, dialog_id, created_at desc) where dialog_id is not null;

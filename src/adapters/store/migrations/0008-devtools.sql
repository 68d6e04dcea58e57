-- Requests for tools (docs/adr/0009-devtools.md).

-- tool: what was asked for; once it has ended, long texts in it are replaced by their length. journal: which files a
-- writing tool is about to change, with their hashes before and after, so that a repetition knows what was done. result:
-- what the tool gave.
alter table turns add column tool jsonb;
alter table turns add column journal jsonb;
alter table turns add column result jsonb;

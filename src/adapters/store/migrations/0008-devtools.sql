-- Requests for tools (docs/adr/0009-devtools.md).

-- tool: what was asked for; once it has ended, long texts in it are replaced by their length and hash. result: what the
-- tool gave.
alter table turns add column tool jsonb;
alter table turns add column result jsonb;

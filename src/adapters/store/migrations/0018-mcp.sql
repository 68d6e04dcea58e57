-- What the MCP server keeps.

-- When somebody last came back to a request by asking the same again.
alter table requests add column joined_at timestamptz;

-- Secrets that all processes of an installation share, by what they are for; made once.
create table secrets (
  name text primary key,
  value bytea not null,
  made_at timestamptz not null default now()
);
grant select, insert on secrets to dagi_all;

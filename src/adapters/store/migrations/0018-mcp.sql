-- What the MCP server keeps.

-- When somebody last came back to a request by asking the same again.
alter table requests add column joined_at timestamptz;

-- Bearers of access tokens stand among the keys, so that they are listed, can be revoked, and are asked about as keys are.
-- Nobody has their secret. A subject of an issuer has one row in each DAO, for good: one that was revoked stays so.
alter table api_keys add column issuer text;
alter table api_keys add column subject text;
create unique index api_keys_by_subject on api_keys (issuer, subject, coalesce(dao_id, '')) where subject is not null;

-- Secrets that all processes of an installation share, by what they are for; made once.
create table secrets (
  name text primary key,
  value bytea not null,
  made_at timestamptz not null default now()
);
grant select, insert on secrets to dagi_all;

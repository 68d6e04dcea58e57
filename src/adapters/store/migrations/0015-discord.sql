-- Interactions of Discord (docs/adr/0011-dialogs.md).

-- How the messages of an interaction are reached. update_key: that of its row in the inbox. token_sealed: opens them to
-- whoever has it, so that it is kept encrypted, and not for longer than it opens anything. is_private: nobody else sees
-- what answers it.
create table interactions (
  update_key text primary key,
  interaction_id text not null unique,
  application_id text not null,
  token_sealed text,
  is_private boolean not null,
  began_at timestamptz not null,
  expires_at timestamptz not null
);
create index interactions_by_end on interactions (expires_at);

grant select, insert, update, delete on interactions to dagi_all;
alter table interactions enable row level security;
create policy of_all on interactions to dagi_all using (true);

-- An interaction is nobody's DAO's, and is written while a person waits: in whatever scope a session is.
do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'interactions'::regclass;
  execute format($create$
    create function %1$I.keep_interaction(
      key text, id text, application text, sealed text, alone boolean, began timestamptz, until timestamptz
    ) returns boolean
    language plpgsql volatile security definer set search_path = %1$I, pg_temp as $body$
    begin
      insert into interactions (update_key, interaction_id, application_id, token_sealed, is_private, began_at, expires_at)
      values (key, id, application, sealed, alone, began, until)
      on conflict do nothing;
      return found;
    end $body$
  $create$, home);
  execute format('revoke all on function %I.keep_interaction(text, text, text, text, boolean, timestamptz, timestamptz) from public', home);
  execute format('grant execute on function %I.keep_interaction(text, text, text, text, boolean, timestamptz, timestamptz) to dagi_app, dagi_all', home);
end $$;

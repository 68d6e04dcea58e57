-- Every call begins with the question whose key it has, and nobody knows of which DAO the key is before it is found: so
-- the question may be asked in whatever scope a session is. It tells of one key, to whoever has its hash.
do $$ declare home text; begin
  select n.nspname into home
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = 'api_keys'::regclass;
  -- The function runs as its owner: what its names mean must not depend on the session.
  execute format($create$
    create function %1$I.find_key(wanted text) returns table (
      id text, dao_id text, principal text, gateway boolean, owner text, scopes text[],
      dao_name text, dao_limits jsonb, dao_stamp text
    )
    language plpgsql stable security definer set search_path = %1$I, pg_temp as $body$ begin
      return query
        select k.id, k.dao_id, k.principal, k.gateway, k.owner, k.scopes, d.name, d.limits, d.access_stamp::text
        from api_keys k left join daos d on d.id = k.dao_id
        where k.hash = wanted and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
          -- The platform, or a member who is there still.
          and (k.owner = 'platform' or exists (select from members m where m.dao_id = k.dao_id and m.id = k.owner));
    end $body$
  $create$, home);
  execute format('revoke all on function %I.find_key(text) from public', home);
  execute format('grant execute on function %I.find_key(text) to dagi_app, dagi_all', home);
end $$;

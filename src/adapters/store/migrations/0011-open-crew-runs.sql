create index crew_runs_open on crew_runs (dao_id) where ended_at is null;

-- Whether one more run may be open, of whoever starts it and of a DAO; those of guests are counted apart. A function, since
-- each of its statements sees what was committed before it: of several runs that begin in one moment, each waits for the
-- lock and knows of those before it.
create function crew_runs_room(dao text, starter text, guest boolean, most_of_person bigint, most_of_dao bigint)
returns boolean language plpgsql volatile as $$
declare
  of_person bigint;
  of_dao bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('open crew runs of ' || dao, 0));
  select count(*) filter (where request.actor = starter), count(*) into of_person, of_dao
  from crew_runs as run join requests as request on request.id = run.run_id
  where run.dao_id = dao and run.ended_at is null and guest = not (run.rights ? 'agent.crew');
  if of_person >= most_of_person then raise exception 'room for runs: person'; end if;
  if of_dao >= most_of_dao then raise exception 'room for runs: dao'; end if;
  return true;
end $$;

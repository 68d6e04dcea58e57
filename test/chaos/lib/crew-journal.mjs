import pg from 'pg';

/**
 * A journal that the database keeps of runs of crews, in the transactions that change them: whatever becomes of a row
 * later, it is known that a result was recorded, when, and by which process. The name of a process is that of its
 * connections.
 */
const INSTALL = `
create schema chaos;
create table chaos.journal (
  seq bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  part text not null default current_setting('application_name'),
  what text not null, run text not null, key text, state text
);
create function chaos.note(what text, run text, key text, state text) returns void language sql security definer as $$
  with noted as (insert into chaos.journal (what, run, key, state) values (what, run, key, state) returning *)
  select pg_notify('chaos', row_to_json(noted)::text) from noted
$$;
create function chaos.of_request() returns trigger language plpgsql security definer as $$ begin
  if new.run_id is null and new.mode <> 'crew' then return null; end if;
  if tg_op = 'INSERT' then
    perform chaos.note('opened', coalesce(new.run_id, new.id), new.step, new.mode);
  elsif new.generation > old.generation then
    perform chaos.note('claimed', coalesce(new.run_id, new.id), new.step, new.status);
  end if;
  if new.ended_at is not null and (tg_op = 'INSERT' or old.ended_at is null) then
    perform chaos.note('ended', coalesce(new.run_id, new.id), new.step, new.status);
  end if;
  return null;
end $$;
create function chaos.of_gate() returns trigger language plpgsql security definer as $$ begin
  if tg_op = 'INSERT' then perform chaos.note('asked', new.run_id, new.id, new.state);
  elsif new.state <> old.state and new.state <> 'open' then perform chaos.note('closed', new.run_id, new.id, new.state);
  end if;
  return null;
end $$;
create function chaos.of_decision() returns trigger language plpgsql security definer as $$ begin
  perform chaos.note('decided', new.run_id, new.gate, new.decision);
  return null;
end $$;
create trigger chaos after insert or update on requests for each row execute function chaos.of_request();
create trigger chaos after insert or update on crew_gates for each row execute function chaos.of_gate();
create trigger chaos after insert on crew_decisions for each row execute function chaos.of_decision();
`;

/** The database beside the product: its journal, and all that stands in it. */
export class CrewJournal {
  /** Signals are told `<what> <run> <key>` as it is committed; a run itself has no key. */
  static async open(url, signals) {
    const journal = new CrewJournal();
    journal.client = new pg.Client({ connectionString: url, application_name: 'chaos' });
    await journal.client.connect();
    await journal.client.query(INSTALL);
    journal.client.on('notification', ({ payload }) => {
      const entry = JSON.parse(payload);
      signals.tell(nameOf(entry), entry);
    });
    await journal.client.query('listen chaos');
    return journal;
  }

  async rows(text, values = []) {
    return (await this.client.query(text, values)).rows;
  }

  /** All entries, with their moments in milliseconds since 1970. */
  entries() {
    return this.rows(`select seq, extract(epoch from at)::float8 * 1000 as at, part, what, run, key, state
      from chaos.journal order by at, seq`);
  }

  /** The process that has begun a step last; undefined: none yet. */
  async holder(run, key) {
    const [entry] = await this.rows(
      `select part from chaos.journal where what = 'claimed' and run = $1 and key = $2 order by seq desc limit 1`,
      [run, key],
    );
    return entry?.part;
  }

  /** The conversation of a turn. */
  async messages(run, key) {
    const [row] = await this.rows('select call from turns where request_id = $1', [`${run}.${key}`]);
    return row.call.messages;
  }

  close() {
    return this.client.end();
  }
}

export const nameOf = ({ what, run, key }) => `${what} ${run} ${key ?? ''}`.trim();

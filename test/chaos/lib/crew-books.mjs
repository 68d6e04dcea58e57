import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { digestOf } from '../../fakes/call-ledger.ts';
import { linesWritten } from './crew-plays.mjs';

/** Temporal tells what has ended a little late, in milliseconds. */
const VISIBLE_MS = 20_000;
/** A step that is taken again after a failure in passing has a number behind its key. */
const withoutTry = (key) => key.replace(/~\d+$/, '');

/** What must be true in the end, by the database and its journal, the model's own ledger, and the files. */
export class Books {
  faults = [];
  /** Turns that were bought after their result was recorded. */
  late = [];

  constructor(stage, runs, approver) {
    Object.assign(this, { stage, runs, approver });
  }

  /** What each crew does where nothing is killed: its steps, its gates, what they come to, and the result. */
  async quiet(runs) {
    this.ideal = new Map();
    for (const run of runs) {
      const [steps, gates] = [await this.stepsOf(run), await this.gatesOf(run)];
      const body = await this.bodyOf(run);
      if (body?.status !== 'completed')
        throw new Error(`${run.crew} does not even end in peace: ${JSON.stringify(body)}`);
      this.ideal.set(run.crew, { play: run.play, steps, gates: gates.map(({ id }) => id), data: body.data });
    }
    return [...this.ideal.values()];
  }

  stepsOf({ id }) {
    return this.stage.journal.rows(
      `select step as key, case mode when 'chat' then 'model' else 'tool' end as kind, status
       from requests where run_id = $1 order by step`,
      [id],
    );
  }

  gatesOf({ id }) {
    return this.stage.journal.rows('select id, state from crew_gates where run_id = $1 order by id', [id]);
  }

  bodyOf({ id, play, n }) {
    return this.stage.client.outcome(id, Date.now() + 15_000, play.user(n));
  }

  /** @returns whether all is as it must be; prints it */
  async close() {
    this.entries = Map.groupBy(await this.stage.journal.entries(), ({ what }) => what);
    const text = [
      await this.ofRuns(),
      await this.ofSteps(),
      await this.ofCalls(),
      await this.ofApprovals(),
      await this.ofEffects(),
      await this.ofWhatIsOpen(),
    ];
    process.stdout.write(`${text.join('\n')}\n`);
    this.faults.push(...this.approver.faults);
    for (const fault of this.faults) process.stdout.write(`WRONG: ${fault}\n`);
    return this.faults.length === 0;
  }

  journal(what, run, key = null) {
    return (this.entries.get(what) ?? []).filter((one) => one.run === run && one.key === key);
  }

  async ofRuns() {
    const count = { completed: 0, unlike: 0 };
    for (const run of this.runs) {
      const problem = await this.problemOf(run, count);
      if (problem) this.faults.push(`${run.crew} ${run.id} ${problem}`);
      const ends = this.journal('ended', run.id).length;
      if (ends > 1) this.faults.push(`${run.crew} ${run.id} ended ${ends} times`);
    }
    const { length: accepted } = this.runs;
    const refused = await this.refused();
    return (
      `runs accepted ${accepted}, completed ${count.completed}, lost or failed ${accepted - count.completed}, ` +
      `with another result than in peace ${count.unlike}; refused at their start, and asked for again ${refused}`
    );
  }

  /** Runs that nobody was told were accepted: of those nothing may have been done. */
  async refused() {
    const rows = await this.stage.journal.rows(
      `select id, error->>'code' as code, (select count(*)::int from requests s where s.run_id = r.id) as steps
       from requests r where mode = 'crew' and id <> all ($1)`,
      [this.runs.map(({ id }) => id)],
    );
    for (const { id, code, steps } of rows) {
      if (code === 'TEMPORAL_UNAVAILABLE' && steps === 0) continue;
      this.faults.push(`${id} is the run of nobody: ${code}, ${steps} steps`);
    }
    return rows.length;
  }

  /** What is wrong with the end of a run; undefined: nothing. */
  async problemOf(run, count) {
    if (!run.isOver) return 'has no end';
    const body = await this.bodyOf(run);
    if (body?.status !== 'completed') return `has not ended well: ${JSON.stringify(body)}`;
    count.completed += 1;
    if (isDeepStrictEqual(body.data, this.ideal.get(run.crew).data)) return undefined;
    count.unlike += 1;
    return `came to something else than in peace: ${JSON.stringify(body.data)}`;
  }

  /** Each step of a quiet run is there, recorded once and as in peace, and no other is. */
  async ofSteps() {
    let [recorded, again] = [0, 0];
    this.turns = new Map();
    for (const run of this.runs) {
      const steps = await this.stepsOf(run);
      const wanted = this.ideal.get(run.crew).steps;
      const last = new Map(steps.map((step) => [withoutTry(step.key), step.status]));
      again += steps.length - last.size;
      const missing = wanted.filter(({ key, status }) => last.get(key) !== status).map(({ key }) => key);
      const strange = [...last.keys()].filter((key) => !wanted.some((one) => one.key === key));
      if (missing.length > 0) this.faults.push(`${run.crew} ${run.id}: steps that are not as in peace: ${missing}`);
      if (strange.length > 0) this.faults.push(`${run.crew} ${run.id}: steps that it has not in peace: ${strange}`);
      for (const { key, kind } of steps) {
        const ends = this.journal('ended', run.id, key);
        recorded += ends.length;
        if (ends.length > 1) this.faults.push(`${run.crew} ${run.id}: ${key} was recorded ${ends.length} times`);
        if (kind === 'model') await this.addTurn(run, key, ends);
      }
    }
    return `steps recorded ${recorded}, taken again after a failure in passing ${again}`;
  }

  /** A turn by its conversation, with the moment at which its first answer was recorded. */
  async addTurn(run, key, ends) {
    const digest = digestOf(await this.stage.journal.messages(run.id, key));
    const recordedAt = ends.find(({ state }) => state === 'completed')?.at;
    const known = this.turns.get(digest);
    this.turns.set(digest, { run, key, recordedAt: known?.recordedAt ?? recordedAt });
  }

  async ofCalls() {
    const calls = this.stage.calls.calls();
    const ends = Map.groupBy(calls, ({ end }) => end);
    const count = (end) => ends.get(end)?.length ?? 0;
    for (const call of calls) this.judge(call);
    const answers = Map.groupBy(ends.get('answered') ?? [], ({ digest }) => digest);
    for (const [digest, { run, key, recordedAt }] of this.turns) {
      if (recordedAt && !answers.has(digest)) this.faults.push(`${run.id} ${key}: an answer that the model never gave`);
    }
    await this.counted();
    const again = count('answered') - answers.size - this.late.length;
    return (
      `calls to the model ${calls.length}: answered in full ${count('answered')}, broken off by kills ${count('broken')}, ` +
      `open ${count('none')}\nanswered in full once more, since no answer was recorded yet ${again}; ` +
      `bought after the result was recorded ${this.late.length}`
    );
  }

  /** A call must be that of a step whose result is not recorded yet. */
  judge({ digest, begunAt }) {
    const turn = this.turns.get(digest);
    if (!turn) this.faults.push(`the model was asked for what is no step: ${digest}`);
    else if (begunAt > turn.recordedAt) {
      const { run, key, recordedAt } = turn;
      const ms = (begunAt - recordedAt).toFixed(0);
      this.late.push(key);
      this.faults.push(`${run.crew} ${run.id}: ${key} was bought again ${ms} ms after its result was recorded`);
    }
  }

  /** Usage has the tokens of each recorded answer once, with those of answers that nobody got whole, and each run once. */
  async counted() {
    const [{ tokens, runs, spent, ended }] = await this.stage.journal.rows(`select
      (select sum(prompt_tokens + completion_tokens)::int from usage_daily where provider = 'fake') as tokens,
      (select sum(requests)::int from usage_daily where provider = 'crew') as runs,
      (select sum((usage->>'total_tokens')::int)::int from requests where run_id is not null and provider = 'fake')
        + (select sum(lost_tokens)::int from crew_runs) as spent,
      (select count(*)::int from requests where mode = 'crew' and status = 'completed') as ended`);
    if (tokens !== spent) this.faults.push(`usage has ${tokens} tokens, the steps have ${spent}`);
    if (runs !== ended) this.faults.push(`usage has ${runs} runs, ${ended} have completed`);
  }

  async ofApprovals() {
    const audit = await this.stage.journal.rows(`select entry from audit where action = 'crew.decide'`);
    let [gates, wrong] = [0, 0];
    for (const run of this.runs) {
      const asked = await this.gatesOf(run);
      const ids = asked.map(({ id }) => id);
      if (!isDeepStrictEqual(ids.toSorted(), this.ideal.get(run.crew).gates.toSorted())) {
        this.faults.push(`${run.crew} ${run.id} asked for other things than in peace: ${ids}`);
      }
      for (const { id, state } of asked) {
        gates += 1;
        const told = audit.filter(({ entry }) => entry.includes(run.id) && entry.includes(`"${id}"`)).length;
        const times = [this.journal('decided', run.id, id), this.journal('closed', run.id, id)].map(
          (one) => one.length,
        );
        if (state === 'approved' && [...times, told].every((one) => one === 1)) continue;
        wrong += 1;
        this.faults.push(
          `${run.crew} ${run.id}: ${id} is ${state}; decided ${times[0]} times, closed ${times[1]}, on the record ${told}`,
        );
      }
    }
    const { repeated, applied } = this.approver;
    return `approvals ${gates}, applied other than once ${wrong}; calls that nobody answered, and were repeated ${repeated}, of them applied all the same ${applied}`;
  }

  /** What follows from approvals in the DAO and in the workspace. */
  async ofEffects() {
    let [roles, writes] = [0, 0];
    for (const run of this.runs) {
      if (run.play.role) roles += await this.roleOf(run);
      if (run.play.file) writes += this.lineOf(run);
    }
    return `roles given ${roles}, lines written ${writes}`;
  }

  async roleOf({ n, id, play }) {
    const rows = await this.stage.journal.rows(
      `select m.roles, (select count(*)::int from audit a
         where a.subject = m.id and a.action in ('member.add', 'member.change')) as told
       from identities i join members m on m.dao_id = i.dao_id and m.id = i.member_id where i.user_id = $1`,
      [play.user(n)],
    );
    const [{ roles, told } = {}] = rows;
    const good = rows.length === 1 && isDeepStrictEqual(roles, [play.role]) && told === 1;
    if (!good) this.faults.push(`${id}: ${play.user(n)} has ${roles}, given ${told} times`);
    return good ? 1 : 0;
  }

  lineOf({ n, id, play }) {
    const times = linesWritten(this.stage.workspace, play, n);
    if (times !== 1) this.faults.push(`${id}: its line is in its file ${times} times`);
    return times;
  }

  async ofWhatIsOpen() {
    const limit = Date.now() + VISIBLE_MS;
    let open = await this.open();
    while (open.some(([, count]) => count > 0) && Date.now() < limit) {
      await sleep(500);
      open = await this.open();
    }
    for (const [what, count] of open) if (count > 0) this.faults.push(`left open: ${count} ${what}`);
    return `left open: ${open.map(([what, count]) => `${what} ${count}`).join(', ')}`;
  }

  async open() {
    const [row] = await this.stage.journal.rows(`select
      (select count(*)::int from requests where ended_at is null) as requests,
      (select count(*)::int from crew_runs where ended_at is null) as runs,
      (select count(*)::int from crew_gates where state = 'open') as gates`);
    return [...Object.entries(row), ['workflows', await this.stage.openWorkflows()]];
  }
}

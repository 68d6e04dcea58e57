import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { GateOrder, TaskProgress } from '../../src/contracts/crew-run.js';
import { stepRequestId } from '../../src/contracts/ids.js';
import { closeGate } from '../../src/adapters/store/crew-gates.repository.js';
import {
  applyChanges,
  CrewRunsRepository,
  endRun,
  openStepsOf,
  type LoadedRun,
  type RunChanges,
  type RunHead,
} from '../../src/adapters/store/crew-runs.repository.js';
import type { NewStep } from '../../src/adapters/store/crew-steps.js';
import { CrewViewsRepository } from '../../src/adapters/store/crew-views.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { FRESH } from '../../src/domain/crew/advance.js';
import { createDao } from '../factories/access.js';
import { aCrew, ROOM } from '../factories/crew.js';
import { aClaim, aDecision, anAnswer, anEnding, aRequest } from '../factories/requests.js';
import { until } from '../support/until.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'runs-dao';

const aStep = (key: string, changes: Partial<NewStep> = {}): NewStep => ({
  ...{ key, about: { crew: 'planning', task: 'plan', agent: 'planner', label: `somebody on ${key}` } },
  ...{ decision: aDecision(), deadlineAt: new Date('2026-11-30T12:00:00.123Z') },
  work: { call: { kind: 'chat', messages: [{ role: 'user', content: 'go' }], options: { maxTokens: 9 } } },
  ...changes,
});

const aGate = (id: string): GateOrder => ({
  ...{ id, kind: 'approval', task: 'plan', ask: 'Shall we?', shown: {}, roles: ['admin'], count: 1, self: false },
  ...{ remindAfterS: 60, expiresAfterS: 600 },
});

const RUN = {
  ...{ crew: 'planning', hash: 'hash', subject: null, inputs: { text: 'a' }, rights: ['agent.crew'], room: ROOM },
};

describe.each(DATABASES)('runs of crews on %s', (name, open) => {
  let fresh: Fresh;
  let runs: CrewRunsRepository;
  let head: RunHead;

  beforeAll(async () => {
    fresh = await open();
    await createDao(fresh.database, { id: DAO });
    const version = { dao_id: DAO, crew: 'planning', hash: 'hash', definition: JSON.stringify(aCrew()) };
    await fresh.database.of(DAO).insertInto('crew_versions').values(version).execute();
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    runs = new CrewRunsRepository(fresh.database);
    const request = aRequest({ daoId: DAO, mode: 'crew', run: RUN });
    await new RequestsRepository(fresh.database).accept(request);
    head = (await runs.head(request.id, DAO))!;
  });

  const locked = <T>(change: (...args: [Parameters<typeof applyChanges>[0], LoadedRun]) => Promise<T>): Promise<T> =>
    runs.locked(head, (db, run) => change(db, run!));
  const change = (changes: Partial<RunChanges>): Promise<void> =>
    locked((db, run) => applyChanges(db, run, { tasks: {}, steps: [], gates: [], handoffs: 0, ...changes }));
  const gates = () =>
    fresh.database
      .of(DAO)
      .selectFrom('crew_gates')
      .where('run_id', '=', head.runId)
      .select(['id', 'seen_at'])
      .execute();

  it('should tell of a run what never changes, and that it has ended', async () => {
    expect(head).toMatchObject({ daoId: DAO, crew: 'planning', inputs: { text: 'a' }, rights: ['agent.crew'] });
    expect(head.definition).toEqual(aCrew());
    await locked((db, run) =>
      endRun(db, run, { status: 'completed', data: { result: {}, agents: {} }, timings: {}, usage: null }),
    );
    expect(await runs.locked(head, async (_db, run) => run)).toBeUndefined();
    expect(await runs.head(head.runId, DAO)).toBeUndefined();
  });

  it('should tell a run to its own DAO alone', async () => {
    expect(await runs.head(head.runId, 'another-dao')).toBeUndefined();
  });

  it('should write several tasks at once, and keep when each began', async () => {
    const at = (state: TaskProgress['state'], more: Partial<TaskProgress> = {}): TaskProgress => ({
      ...{ ...FRESH, state },
      ...more,
    });
    await change({ tasks: { plan: at('running'), judge: at('running') } });
    const began = await begunAt();
    await change({
      tasks: { plan: at('completed', { output: { text: 'b' } }), judge: at('failed', { problem: 'no' }) },
    });
    const { tasks } = await locked(async (_db, run) => run);
    expect(tasks).toMatchObject({
      plan: { state: 'completed', output: { text: 'b' }, problem: null },
      judge: { state: 'failed', output: null, problem: 'no' },
    });
    expect(began).toHaveLength(2);
    expect(await begunAt()).toEqual(began);
  });

  const begunAt = async (): Promise<unknown[]> => {
    const of = fresh.database.of(DAO).selectFrom('crew_tasks').where('run_id', '=', head.runId);
    return (await of.orderBy('task').select('began_at').execute()).flatMap(({ began_at }) => began_at ?? []);
  };

  it('should tell open steps alike where they were just written and where they are read', async () => {
    const steps = [aStep('b.1.1.1'), aStep('a.1.1.1'), aStep('c.1.1.1', { refused: { code: 'X', message: 'no' } })];
    const written = await locked(async (db, run) => {
      await applyChanges(db, run, { tasks: {}, steps, gates: [], handoffs: 0 });
      return openStepsOf(db, run, steps);
    });
    expect(written.map(({ requestId }) => requestId)).toEqual([
      stepRequestId(head.runId, 'a.1.1.1'),
      stepRequestId(head.runId, 'b.1.1.1'),
    ]);
    expect(await locked((db, run) => openStepsOf(db, run, []))).toEqual(written);
  });

  it('should write a step down as belonging to the call that begins at once, until another call claims it', async () => {
    const requests = new RequestsRepository(fresh.database);
    await change({ steps: [aStep('a.1.1.1', { begunAt: 'fake' }), aStep('b.1.1.1')] });
    const ids = ['a.1.1.1', 'b.1.1.1'].map((key) => stepRequestId(head.runId, key));
    const found = await Promise.all(ids.map((id) => requests.find(id, DAO)));
    expect(found).toMatchObject([
      { status: 'accepted', generation: 1, provider: 'fake', runId: head.runId },
      { status: 'accepted', generation: 0, provider: null },
    ]);
    const job = await requests.claim(ids[0]!, DAO, aClaim());
    expect(job?.record.generation).toBe(2);
    // What the call said that lost it is nobody's.
    expect(await requests.recordAnswer(ids[0]!, DAO, anAnswer({ generation: 1 }))).toBe(false);
  });

  it('should tell earlier steps that are open beside one that was just written', async () => {
    await change({ steps: [aStep('a.1.1.1'), aStep('b.1.1.1')] });
    const ended = stepRequestId(head.runId, 'a.1.1.1');
    await new RequestsRepository(fresh.database).recordEnding(ended, DAO, anEnding());
    const steps = [aStep('c.1.1.1')];
    const open = await locked(async (db, run) => {
      await applyChanges(db, run, { tasks: {}, steps, gates: [], handoffs: 0 });
      return openStepsOf(db, run, steps);
    });
    expect(open.map(({ label }) => label)).toEqual(['somebody on b.1.1.1', 'somebody on c.1.1.1']);
  });

  it('should count a gate as seen only where it was decided when the run was looked at', async () => {
    await change({ gates: [aGate('early'), aGate('late')] });
    const decide = (db: Parameters<typeof closeGate>[0], gate: string): Promise<void> =>
      closeGate(db, { runId: head.runId, daoId: DAO, gate }, { state: 'approved', comment: null, output: null });
    await decide(fresh.database.of(DAO), 'early');
    await locked(async (db, run) => {
      // Whoever decides does not wait for whoever looks at the run.
      await decide(db, 'late');
      await applyChanges(db, run, { tasks: {}, steps: [], gates: [], handoffs: 0 });
    });
    const seen = Object.fromEntries((await gates()).map(({ id, seen_at }) => [id, seen_at !== null]));
    expect(seen).toEqual({ early: true, late: false });
  });

  // The embedded database has one connection: nobody looks at a run meanwhile.
  if (name === 'PostgreSQL') {
    it('should leave nothing open of a run that ends while somebody else looks at it', async () => {
      const requests = new RequestsRepository(fresh.database);
      const waits = async (): Promise<boolean> => {
        const { rows } = await sql`select from pg_locks where not granted`.execute(fresh.database.of(DAO));
        return rows.length > 0;
      };
      const ending = await locked(async (db, run) => {
        const ended = requests.recordEnding(head.runId, DAO, anEnding());
        await until(waits);
        const plan: TaskProgress = { ...FRESH, state: 'running' };
        await applyChanges(db, run, {
          ...{ tasks: { plan }, steps: [aStep('a.1.1.1')], gates: [aGate('late')], handoffs: 0 },
          ahead: true,
        });
        // In an object: awaited here, it would wait for itself.
        return { ended };
      });
      expect(await ending.ended).toBe(true);
      const seen = await new CrewViewsRepository(fresh.database).run(head.runId, DAO);
      expect(seen).toMatchObject({
        tasks: [{ state: 'cancelled' }],
        steps: [{ status: 'cancelled' }],
        gates: [{ state: 'closed' }],
      });
    });
  }

  describe('how many are open', () => {
    const dao = 'dao-of-many';
    const requests = () => new RequestsRepository(fresh.database);

    beforeAll(async () => {
      await createDao(fresh.database, { id: dao });
      const version = { dao_id: dao, crew: 'planning', hash: 'hash', definition: JSON.stringify(aCrew()) };
      await fresh.database.of(dao).insertInto('crew_versions').values(version).execute();
    });

    it('should have no more begin than there is room for, also in one moment, until one has ended', async () => {
      const begin = (actor: string, rights = RUN.rights) => {
        const run = { ...RUN, rights, room: { person: 2, dao: 5 } };
        const request = aRequest({ daoId: dao, actor, mode: 'crew', run });
        return requests()
          .accept(request)
          .then(
            () => request.id,
            (error: unknown) => ({ refused: error }),
          );
      };
      const ofOne = await Promise.all(Array.from({ length: 6 }, () => begin('tg:1')));
      const begun = ofOne.filter((one) => typeof one === 'string');
      const full = { code: 'CREW_RUNS_OPEN', detail: { limit: 'person', open_crew_runs: 2 } };
      expect([begun.length, ofOne.find((one) => typeof one !== 'string')]).toMatchObject([2, { refused: full }]);
      const others = await Promise.all(Array.from({ length: 6 }, (_, index) => begin(`tg:1${index}`)));
      expect(others.filter((one) => typeof one === 'string')).toHaveLength(3);
      expect(others.find((one) => typeof one !== 'string')).toMatchObject({
        refused: { code: 'CREW_RUNS_OPEN', detail: { limit: 'dao', open_crew_runs: 5 } },
      });
      await requests().recordEnding(begun[0]!, dao, anEnding());
      expect(await begin('tg:1')).toEqual(expect.any(String));
      // Guests are counted apart.
      expect(await begin('tg:1', ['chat.read'])).toEqual(expect.any(String));
    });
  });

  it('should count how often work was handed on', async () => {
    await change({ handoffs: 2 });
    await change({ handoffs: 2 });
    expect((await locked(async (_db, run) => run)).handoffs).toBe(2);
  });
});

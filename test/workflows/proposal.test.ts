import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { createProposalActivities, type ProposalActivities } from '../../activities/proposals.js';
import type { Database } from '../../src/adapters/store/database.js';
import { proposalWorkflowId, WORKFLOWS } from '../../src/contracts/ids.js';
import type { Advanced, Proposal } from '../../src/contracts/proposal.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { AppError } from '../../src/errors/app-error.js';
import type { proposal } from '../../workflows/index.js';
import { POKE_SIGNAL } from '../../workflows/proposal/messages.js';
import { Assembly } from '../factories/proposals.js';
import { openCopy } from '../support/embedded-database.js';
import { until } from '../support/until.js';
import { connectTemporal, uniqueQueue, workflowBundle } from '../support/temporal.js';
import { attributesOf } from './stage.js';

jest.setTimeout(60_000);

const SECOND = 1 / 3_600;

let env: TestWorkflowEnvironment;
let client: Client;
let database: Database;

beforeAll(async () => {
  [env, database] = await Promise.all([connectTemporal(), openCopy('migrated')]);
  client = new Client({ connection: env.nativeConnection });
});
afterAll(async () => {
  await database.close();
  await env.teardown();
});

describe('proposal', () => {
  const run = Date.now();
  let count = 0;
  let queue: string;
  let dao: Assembly;
  /** Whether signals get through. */
  let deaf: boolean;
  let workers: { worker: Worker; running: Promise<void> }[];

  /** Pokes as src/adapters/temporal/gateway.ts does, on the test's own queue. */
  async function poke(daoId: string, n: number): Promise<void> {
    if (deaf) return;
    await client.workflow.signalWithStart<typeof proposal>(WORKFLOWS.proposal, {
      args: [{ version: 1, daoId, n }],
      signal: POKE_SIGNAL,
      workflowId: proposalWorkflowId(daoId, n),
      taskQueue: queue,
      workflowTaskTimeout: '5s',
    });
  }

  const ours = (): ProposalActivities => createProposalActivities({ proposals: dao.advancing });

  async function work(activities: object = ours(), options: Partial<WorkerOptions> = {}): Promise<Worker> {
    const worker = await Worker.create({
      ...{ taskQueue: queue, activities, connection: env.nativeConnection, shutdownForceTime: '5s' },
      workflowBundle: await workflowBundle(),
      stickyQueueScheduleToStartTimeout: '1s',
      ...options,
    });
    workers.push({ worker, running: worker.run() });
    return worker;
  }

  async function rest(): Promise<void> {
    for (const { worker, running } of workers.splice(0)) {
      worker.shutdown();
      await running;
    }
  }

  const handleOf = (n: number): WorkflowHandle<typeof proposal> =>
    client.workflow.getHandle(proposalWorkflowId(dao.daoId, n));

  /** How the workflow of a proposal ends. It begins a moment after what it is for. */
  async function endOf(n: number): Promise<Advanced['stage']> {
    await until(() =>
      handleOf(n)
        .describe()
        .then(() => true),
    );
    return handleOf(n).result();
  }

  beforeEach(async () => {
    queue = uniqueQueue('proposals');
    deaf = false;
    workers = [];
    dao = new Assembly(database, `dao-${run}-${(count += 1)}`, { pokeProposal: poke });
    const settings = { voting_hours: 2 * SECOND, quorum: 0, veto_hours: 2 * SECOND };
    await dao.found({ 'tg:1': ['admin'], 'tg:2': ['member'], 'tg:3': ['member'] }, settings);
  });
  afterEach(rest);

  const lateness = (from: Date | null, to: Date | null): number => (to?.getTime() ?? NaN) - (from?.getTime() ?? NaN);

  /** A proposal that says what the motto is. */
  const open = (): Promise<Proposal> =>
    dao.open('tg:2', { actions: [{ type: 'set_fact', name: 'motto', value: 'Eat.' }] });

  it('should close on time, and execute after the delay', async () => {
    await work();
    const { n } = await open();
    await dao.vote('tg:3', n, 'yes');
    expect(await endOf(n)).toBe('executed');
    const ended = await dao.get('tg:1', n);
    expect(ended).toMatchObject({ stage: 'executed', result: { yes: 1 } });
    for (const late of [lateness(ended.closes_at, ended.closed_at), lateness(ended.execute_at, ended.ended_at)]) {
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(3_000);
    }
    const { typedSearchAttributes } = await handleOf(n).describe();
    expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.Outcome)).toBe('executed');
  });

  it('should wait with a draft for good, and begin when it is opened', async () => {
    await work();
    const draft = await dao.proposals.create(dao.key('tg:2'), {}, { title: 'T', text: 'T', actions: [], open: false });
    await until(
      async () =>
        attributesOf(await handleOf(draft.n).fetchHistory(), 'activityTaskCompletedEventAttributes').length === 1,
    );
    expect(attributesOf(await handleOf(draft.n).fetchHistory(), 'timerStartedEventAttributes')).toEqual([]);
    await dao.proposals.open(dao.key('tg:2'), {}, draft.n);
    expect(await endOf(draft.n)).toBe('expired');
  });

  it('should end at once when what has passed is vetoed', async () => {
    await dao.settle({ voting_hours: SECOND, quorum: 0, veto_hours: 1 });
    await work();
    const { n } = await open();
    await dao.vote('tg:3', n, 'yes');
    await until(async () => (await dao.get('tg:1', n)).stage === 'passed');
    await dao.proposals.veto(dao.key('tg:1'), {}, n, 'No.');
    expect(await endOf(n)).toBe('vetoed');
  });

  it('should close when a worker comes back, and leave the whole delay for a veto', async () => {
    await dao.settle({ voting_hours: SECOND, quorum: 0, veto_hours: 2 * SECOND });
    await work();
    const { n, closes_at: closesAt } = await open();
    await dao.vote('tg:3', n, 'yes');
    await rest();
    // Votes need no worker, and nothing closes without one.
    await until(() => Date.now() > (closesAt?.getTime() ?? 0) + 500);
    await expect(dao.vote('tg:2', n, 'no')).rejects.toMatchObject({ code: 'VOTING_CLOSED' });
    expect((await dao.get('tg:1', n)).stage).toBe('open');
    await work();
    expect(await endOf(n)).toBe('executed');
    const { closed_at: closedAt, execute_at: executeAt, result } = await dao.get('tg:1', n);
    expect(lateness(closedAt, executeAt)).toBe(2_000);
    expect(result).toMatchObject({ yes: 1, no: 0 });
  });

  it('should be found when a signal was lost', async () => {
    await dao.settle({ voting_hours: SECOND, quorum: 0, veto_hours: 1 });
    await work();
    const { n } = await dao.proposals.create(dao.key('tg:2'), {}, { title: 'T', text: 'T', actions: [], open: false });
    await until(
      async () => attributesOf(await handleOf(n).fetchHistory(), 'activityTaskCompletedEventAttributes').length === 1,
    );
    deaf = true;
    await dao.proposals.open(dao.key('tg:2'), {}, n);
    deaf = false;
    await dao.elapse(n, 60_000);
    await dao.advancing.sweep();
    expect(await endOf(n)).toBe('expired');
  });

  it('should be started by the sweep where it never was, or is gone', async () => {
    deaf = true;
    const never = await open();
    await dao.vote('tg:3', never.n, 'yes');
    deaf = false;
    await dao.elapse(never.n, 60_000);
    await dao.advancing.sweep();
    await work();
    const gone = await open();
    await until(() =>
      handleOf(gone.n)
        .terminate()
        .then(() => true),
    );
    await dao.elapse(gone.n, 60_000);
    await dao.advancing.sweep();
    expect(await endOf(gone.n)).toBe('expired');
    expect(await endOf(never.n)).toBe('executed');
  });

  it('should go on when the database comes back', async () => {
    let away = 3;
    const { advanceProposal } = createProposalActivities({
      proposals: {
        advance: (daoId, n) => {
          away -= 1;
          return away >= 0 ? Promise.reject(new AppError('STORE_UNAVAILABLE')) : dao.advancing.advance(daoId, n);
        },
      },
    });
    await work({ advanceProposal });
    await dao.settle({ voting_hours: SECOND, quorum: 0, veto_hours: 1 });
    const { n } = await open();
    expect(await endOf(n)).toBe('expired');
  });

  it('should do nothing for a workflow that is not the proposal’s own', async () => {
    await work();
    const { n } = await dao.proposals.create(dao.key('tg:2'), {}, { title: 'T', text: 'T', actions: [], open: false });
    const input = { version: 1 as const, daoId: dao.daoId, n };
    const workflowId = `forged-${run}`;
    const forged = await client.workflow.start<typeof proposal>(WORKFLOWS.proposal, {
      args: [input],
      workflowId,
      taskQueue: queue,
    });
    await expect(forged.result()).rejects.toThrow();
  });

  it('should hold nothing in its history that grows with votes', async () => {
    await work();
    const { n } = await open();
    for (let vote = 0; vote < 20; vote += 1) await dao.vote('tg:3', n, vote % 2 ? 'yes' : 'no');
    expect(await endOf(n)).toBe('executed');
    const { events } = await handleOf(n).fetchHistory();
    expect(events?.length).toBeLessThan(50);
    expect(JSON.stringify(events)).not.toContain('Eat.');
  });

  it('should begin anew when its history is long, and lose no signal by it', async () => {
    const WAITING: Advanced = { stage: 'draft', remainingMs: null, final: false };
    // The server suggests it by the number of events, or by their size.
    const heavy = { ...WAITING, padding: 'x'.repeat(1_000_000) };
    let last = false;
    let asked = 0;
    await work({
      advanceProposal: () => {
        asked += 1;
        return Promise.resolve(last ? { ...WAITING, stage: 'withdrawn', final: true } : heavy);
      },
    });
    await poke(dao.daoId, 1);
    const first = (await handleOf(1).describe()).runId;
    while ((await handleOf(1).describe()).runId === first) {
      const before = asked;
      await poke(dao.daoId, 1);
      await until(() => asked > before);
    }
    last = true;
    await poke(dao.daoId, 1);
    expect(await endOf(1)).toBe('withdrawn');
    expect(asked).toBeGreaterThan(1);
  });
});

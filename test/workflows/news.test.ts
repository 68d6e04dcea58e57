import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createNewsActivities } from '../../activities/news.js';
import { newsWorkflowId, WORKFLOWS } from '../../src/contracts/ids.js';
import type { NewsStep } from '../../src/contracts/news.js';
import { AppError } from '../../src/errors/app-error.js';
import type { news } from '../../workflows/index.js';
import { POKE_NEWS_SIGNAL } from '../../workflows/news/messages.js';
import { until } from '../support/until.js';
import { connectTemporal, uniqueQueue, workflowBundle } from '../support/temporal.js';

jest.setTimeout(60_000);

let env: TestWorkflowEnvironment;
let client: Client;

beforeAll(async () => {
  [env] = await Promise.all([connectTemporal(), workflowBundle()]);
  client = new Client({ connection: env.nativeConnection });
});
afterAll(() => env.teardown());

const NOTHING: NewsStep = { isMore: false, waitMs: null };
const MORE: NewsStep = { isMore: true, waitMs: null };

describe('news', () => {
  let count = 0;
  let daoId: string;
  let queue: string;
  let steps: (() => Promise<NewsStep>)[];
  let done: number;

  beforeEach(() => {
    count += 1;
    [daoId, queue, steps, done] = [`dao-${process.pid}-${Date.now()}-${count}`, uniqueQueue('news'), [], 0];
  });

  /** A step that says so. */
  const says = (step: NewsStep) => () => Promise.resolve(step);

  function poke(workflowId = newsWorkflowId(daoId)): Promise<WorkflowHandle<typeof news>> {
    return client.workflow.signalWithStart<typeof news>(WORKFLOWS.news, {
      ...{ args: [{ version: 1, daoId }], signal: POKE_NEWS_SIGNAL, workflowId, taskQueue: queue },
      workflowTaskTimeout: '5s',
    });
  }

  async function whileWorking(play: () => Promise<void>): Promise<void> {
    const step = async (of: string): Promise<NewsStep> => {
      expect(of).toBe(daoId);
      const next = steps[done];
      done += 1;
      if (!next) throw new Error('more was asked than there is');
      return next();
    };
    const worker = await Worker.create({
      ...{ taskQueue: queue, connection: env.nativeConnection, shutdownForceTime: '5s' },
      ...{ activities: createNewsActivities({ news: { step } }), workflowBundle: await workflowBundle() },
    });
    await worker.runUntil(play());
  }

  it('should go on as long as there is more, and end', async () => {
    steps = [MORE, MORE, NOTHING].map(says);
    await whileWorking(async () => {
      await (await poke()).result();
    });
    expect(done).toBe(3);
  });

  it('should look again for what happened meanwhile', async () => {
    const begun = Promise.withResolvers<undefined>();
    const told = Promise.withResolvers<undefined>();
    const held = async (): Promise<NewsStep> => {
      begun.resolve(undefined);
      await told.promise;
      return NOTHING;
    };
    steps = [held, says(NOTHING)];
    await whileWorking(async () => {
      const handle = await poke();
      await begun.promise;
      await poke();
      told.resolve(undefined);
      await handle.result();
    });
    expect(done).toBe(2);
  });

  it('should wait as long as it is told, or until something happens', async () => {
    steps = [says({ isMore: false, waitMs: 50 }), says({ isMore: false, waitMs: 3_600_000 }), says(NOTHING)];
    await whileWorking(async () => {
      const handle = await poke();
      await until(() => done === 2);
      await poke();
      await handle.result();
    });
    expect(done).toBe(3);
  });

  it('should try again where the database is away', async () => {
    steps = [() => Promise.reject(new AppError('STORE_UNAVAILABLE')), says(NOTHING)];
    await whileWorking(async () => {
      await (await poke()).result();
    });
    expect(done).toBe(2);
  });

  it('should be refused under another name', async () => {
    await whileWorking(async () => {
      await expect((await poke(`news/other-${daoId}`)).result()).rejects.toThrow();
    });
    expect(done).toBe(0);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import type { PositionedEvent } from '../src/contracts/events.js';
import type { ToolCaller, ToolRequest, WriteJournal } from '../src/contracts/devtools.js';
import type { RunToolInput, RunToolResult } from '../src/contracts/request.js';
import type { RequestRecord, RequestsRepository, ToolJob } from '../src/adapters/store/requests.repository.js';
import { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { AppError } from '../src/errors/app-error.js';
import { strict } from '../test/factories/strict.js';
import { createDevtoolsActivities, type DevtoolsDependencies, type ToolRunner } from './devtools.js';

const RECORD = {
  ...{ id: 'r1', daoId: 'greenfood-dao', mode: 'devtools', status: 'running', generation: 2, timings: { gateway: 1 } },
  ...{ receivedAt: new Date(), answer: null, error: null, attempts: [], provider: null, usage: null },
  decision: { mode: 'devtools', rule: 'devtools', tool: 'fs_write', roles: [], entitlements: [] },
} as unknown as RequestRecord;

const REQUEST: ToolRequest = { tool: 'fs_write', params: { path: 'a.txt', content: 'x'.repeat(5_000) } };
const RESULT = { path: 'a.txt', hash: 'h', previous_hash: null, size: 5_000, created: true };
const JOURNAL: WriteJournal = { files: [{ path: 'a.txt', before: null, after: 'h' }] };

/** Does what a test wants of a tool. */
type Script = (caller: ToolCaller) => ReturnType<ToolRunner['run']>;

describe('runTool', () => {
  let bus: InProcessTokenBus;
  let published: PositionedEvent[];
  let claimTool: jest.MockedFunction<RequestsRepository['claimTool']>;
  let recordToolResult: jest.MockedFunction<RequestsRepository['recordToolResult']>;
  let denied: jest.MockedFunction<DevtoolsDependencies['denied']>;
  let runs: [string, ToolRequest][];

  const job = (part: Partial<ToolJob> = {}): ToolJob => ({ record: RECORD, request: REQUEST, journal: null, ...part });

  beforeEach(() => {
    bus = new InProcessTokenBus();
    published = [];
    runs = [];
    jest.spyOn(bus, 'publish').mockImplementation((_id, event) => published.push(event));
    claimTool = jest.fn<RequestsRepository['claimTool']>().mockResolvedValue(job());
    recordToolResult = jest.fn<RequestsRepository['recordToolResult']>().mockResolvedValue(true);
    denied = jest.fn<DevtoolsDependencies['denied']>().mockResolvedValue(undefined);
  });
  afterEach(() => {
    bus.close();
  });

  function run(
    script: Script,
    parts: Partial<RequestsRepository> = {},
    deadlineMs = 60_000,
    workflowId = 'devtools/r1',
  ) {
    const environment = new MockActivityEnvironment(
      { workflowExecution: { workflowId, runId: 'run' } },
      { logger: new DefaultLogger('ERROR') },
    );
    const log = pino({ level: 'silent' });
    const tools: ToolRunner = {
      run: (daoId, request, caller) => {
        runs.push([daoId, request]);
        return script(caller);
      },
    };
    const requests = strict<RequestsRepository>('requests', { claimTool, recordToolResult, ...parts });
    const now = Date.now();
    const input: RunToolInput = {
      ...{ requestId: 'r1', daoId: 'greenfood-dao', actor: 'tg:222' },
      ...{ deadlineAt: now + deadlineMs, scheduledAt: now - 40 },
    };
    const { runTool } = createDevtoolsActivities({ requests, tools, bus, log: () => log, denied });
    return { environment, result: environment.run<[RunToolInput], RunToolResult, typeof runTool>(runTool, input) };
  }

  const gives: Script = () => Promise.resolve(RESULT);
  const found = (record: Partial<RequestRecord> | undefined): Partial<RequestsRepository> => ({
    find: () => Promise.resolve(record && { ...RECORD, ...record }),
  });
  const fails =
    (error: Error): Script =>
    () =>
      Promise.reject(error);
  /** Waits until it is stopped, as a program does. */
  const untilStopped: Script = ({ signal }) =>
    new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });

  it('writes down what the tool gave, without the long texts of what was asked, and then tells it', async () => {
    expect(await run(gives).result).toEqual({ outcome: 'recorded' });
    expect(claimTool.mock.calls).toEqual([['r1', 'greenfood-dao']]);
    expect(runs).toEqual([['greenfood-dao', REQUEST]]);
    const kept = { tool: 'fs_write', params: { path: 'a.txt', content: { characters: 5_000 } } };
    expect(recordToolResult.mock.calls).toMatchObject([
      [
        'r1',
        'greenfood-dao',
        { result: RESULT, kept, generation: 2, timings: { gateway: 1, tool: expect.any(Number) } },
      ],
    ]);
    const data = { ok: true, status: 'completed', data: RESULT, origin: { step: 'tool' } };
    expect(published).toMatchObject([{ type: 'done', data, position: { generation: 2, offset: 0 } }]);
  });

  it('says how long it waited for a worker', async () => {
    await run(gives).result;
    const { timings } = recordToolResult.mock.calls[0]![2];
    expect(timings.queue).toBeGreaterThanOrEqual(40);
  });

  it('keeps nothing that the database cannot', async () => {
    await run(() => Promise.resolve({ ...RESULT, path: 'a\0\ud800' })).result;
    expect(recordToolResult.mock.calls[0]![2].result).toMatchObject({ path: 'a\ufffd' });
  });

  describe('of a request that has ended', () => {
    beforeEach(() => {
      claimTool.mockResolvedValue(undefined);
    });

    it('tells its result again, and runs nothing', async () => {
      const { result } = run(gives, found({ status: 'completed', result: RESULT }));
      expect(await result).toEqual({ outcome: 'recorded' });
      expect([runs, recordToolResult.mock.calls]).toEqual([[], []]);
      expect(published).toMatchObject([{ type: 'done', data: { ok: true, data: RESULT } }]);
    });

    it.each([
      ['cancelled', { status: 'cancelled' } as const, 'cancelled'],
      ['gone', undefined, 'failed'],
    ])('does nothing where it is %s', async (_name, record, status) => {
      expect(await run(gives, found(record)).result).toEqual({ outcome: 'superseded', status });
      expect([runs, published]).toEqual([[], []]);
    });
  });

  it('tells nothing of its own result where another end was first', async () => {
    recordToolResult.mockResolvedValue(false);
    const { result } = run(gives, found({ status: 'cancelled' }));
    expect(await result).toEqual({ outcome: 'superseded', status: 'cancelled' });
    expect(published).toEqual([]);
  });

  it('tells what its program prints while it runs, each piece at its place', async () => {
    await run(({ onOutput }) => {
      onOutput({ stream: 'stdout', text: 'one\n' });
      onOutput({ stream: 'stderr', text: 'two\n' });
      return Promise.resolve(RESULT);
    }).result;
    expect(published).toMatchObject([
      { type: 'output', data: { stream: 'stdout', text: 'one\n' }, position: { generation: 2, offset: 4 } },
      { type: 'output', data: { stream: 'stderr', text: 'two\n' }, position: { generation: 2, offset: 8 } },
      { type: 'done', position: { generation: 2, offset: 8 } },
    ]);
  });

  it('tells what was printed before it failed', async () => {
    const { result } = run(({ onOutput }) => {
      onOutput({ stream: 'stdout', text: 'half' });
      return Promise.reject(new AppError('TOOL_FAILED'));
    });
    await expect(result).rejects.toMatchObject({ type: 'ToolRefused' });
    expect(published.map(({ type }) => type)).toEqual(['output']);
  });

  describe('that writes', () => {
    const writes: Script = async ({ plan, mayWrite }) => {
      await plan(JOURNAL);
      await mayWrite();
      return RESULT;
    };

    it('keeps first what it is about to write, and asks before each change whether it still may', async () => {
      const keepJournal = jest.fn<RequestsRepository['keepJournal']>().mockResolvedValue(true);
      const isLatestRun = jest.fn<RequestsRepository['isLatestRun']>().mockResolvedValue(true);
      expect(await run(writes, { keepJournal, isLatestRun }).result).toEqual({ outcome: 'recorded' });
      expect(keepJournal.mock.calls).toEqual([['r1', 'greenfood-dao', { generation: 2, journal: JOURNAL }]]);
      expect(isLatestRun.mock.calls).toEqual([['r1', 'greenfood-dao', 2]]);
    });

    it('is given what an earlier run was about to write', async () => {
      claimTool.mockResolvedValue(job({ journal: JOURNAL }));
      let journal: WriteJournal | null = null;
      await run((caller) => {
        ({ journal } = caller);
        return Promise.resolve(RESULT);
      }).result;
      expect(journal).toEqual(JOURNAL);
    });

    it.each([
      ['plans', false, true],
      ['changes', true, false],
    ])('stops where another run has begun before it %s', async (_name, kept, latest) => {
      const parts = { keepJournal: () => Promise.resolve(kept), isLatestRun: () => Promise.resolve(latest) };
      // Temporal may repeat it: the request is decided by whoever is the latest.
      await expect(run(writes, parts).result).rejects.toMatchObject({ type: 'WorkerStopped', nonRetryable: false });
      expect(recordToolResult).not.toHaveBeenCalled();
    });

    it('changes nothing while the database cannot say whether it may', async () => {
      const parts = { keepJournal: () => Promise.reject(new AppError('STORE_UNAVAILABLE')) };
      await expect(run(writes, parts).result).rejects.toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
    });
  });

  it('asks Temporal to repeat it while the database is away', async () => {
    const away = { type: 'StoreUnavailable', nonRetryable: false };
    recordToolResult.mockRejectedValueOnce(new AppError('STORE_UNAVAILABLE'));
    await expect(run(gives).result).rejects.toMatchObject(away);
    expect(published).toEqual([]);
    expect(await run(gives).result).toEqual({ outcome: 'recorded' });
    claimTool.mockRejectedValue(new AppError('STORE_UNAVAILABLE'));
    await expect(run(gives).result).rejects.toMatchObject(away);
  });

  it('tells a refusal by its code, once and for all, and records nothing of it', async () => {
    const { result } = run(fails(new AppError('FILE_CHANGED', 'a.txt is another one by now.')));
    const failure = { type: 'ToolRefused', code: 'FILE_CHANGED', message: 'a.txt is another one by now.' };
    await expect(result).rejects.toMatchObject({ type: 'ToolRefused', nonRetryable: true, details: [failure] });
    expect([denied.mock.calls, recordToolResult.mock.calls]).toEqual([[], []]);
  });

  it('puts a path that leads out on the record before anybody is told', async () => {
    await expect(run(fails(new AppError('PATH_DENIED'))).result).rejects.toMatchObject({ type: 'ToolRefused' });
    const detail = { code: 'PATH_DENIED', tool: 'fs_write', request: 'r1' };
    expect(denied.mock.calls).toEqual([['greenfood-dao', 'tg:222', detail]]);
  });

  it('is repeated where the record cannot be written: no denial is forgotten', async () => {
    denied.mockRejectedValue(new AppError('STORE_UNAVAILABLE'));
    const { result } = run(fails(new AppError('PATH_DENIED')));
    await expect(result).rejects.toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
  });

  it.each([new TypeError('/home/secret is not a function'), new AppError('INTERNAL', '/home/secret')])(
    'tells nothing of a fault of ours: %s',
    async (error) => {
      const failed = await run(fails(error)).result.catch((one: unknown) => one);
      expect(failed).toMatchObject({ type: 'Internal', nonRetryable: true });
      expect(JSON.stringify(failed)).not.toContain('secret');
    },
  );

  it('ends with its request', async () => {
    const { result } = run((caller) => {
      bus.cancel('r1');
      return untilStopped(caller);
    });
    await expect(result).rejects.toMatchObject({ type: 'Cancelled' });
    expect(recordToolResult).not.toHaveBeenCalled();
  });

  it('ends with the activity', async () => {
    const { environment, result } = run((caller) => {
      environment.cancel('CANCELLED');
      return untilStopped(caller);
    });
    await expect(result).rejects.toMatchObject({ type: 'Cancelled' });
  });

  it('ends at the deadline of its request', async () => {
    await expect(run(untilStopped, {}, 5).result).rejects.toMatchObject({ type: 'DeadlineExceeded' });
  });

  it('serves no other workflow than that of the request', async () => {
    const { result } = run(gives, {}, 60_000, 'devtools/r2');
    await expect(result).rejects.toMatchObject({ type: 'Internal', nonRetryable: true });
    expect(claimTool).not.toHaveBeenCalled();
  });
});

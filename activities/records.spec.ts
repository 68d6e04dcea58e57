import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { END_OFFSET } from '../src/contracts/events.js';
import type { RecordFailureInput } from '../src/contracts/request.js';
import type { RequestRecord, RequestsRepository } from '../src/adapters/store/requests.repository.js';
import { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { AppError } from '../src/errors/app-error.js';
import { createRecordActivities } from './records.js';

const open = {
  ...{ id: 'r1', daoId: 'greenfood-dao', mode: 'chat', status: 'running', generation: 2, timings: { gateway: 1 } },
  ...{ receivedAt: new Date(), answer: null, error: null },
  decision: { rule: 'chat', roles: [], entitlements: [] },
} as unknown as RequestRecord;

const input: RecordFailureInput = {
  ...{ requestId: 'r1', daoId: 'greenfood-dao', actor: 'tg:12345', status: 'failed' },
  failure: { type: 'ProviderTimeout', message: 'too slow' },
  attempts: [{ provider: 'fake', status: 'failed', ms: 3, error: 'ProviderTimeout' }],
};

describe('recordFailure', () => {
  let bus: InProcessTokenBus;
  let publish: jest.SpiedFunction<InProcessTokenBus['publish']>;
  let recordEnding: jest.MockedFunction<RequestsRepository['recordEnding']>;

  beforeEach(() => {
    bus = new InProcessTokenBus();
    publish = jest.spyOn(bus, 'publish');
    recordEnding = jest.fn<RequestsRepository['recordEnding']>().mockResolvedValue(true);
  });
  afterEach(() => {
    bus.close();
  });

  function run(found: RequestRecord | undefined | Error, workflowId = 'route/r1'): Promise<void> {
    const environment = new MockActivityEnvironment(
      { workflowExecution: { workflowId, runId: 'run' } },
      { logger: new DefaultLogger('ERROR') },
    );
    const find = (): Promise<RequestRecord | undefined> =>
      found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    const requests: Partial<RequestsRepository> = { find, recordEnding };
    const log = pino({ level: 'silent' });
    const deps = { requests: requests as RequestsRepository, bus, log: () => log };
    return environment.run(createRecordActivities(deps).recordFailure, input);
  }

  it('writes the end down, then tells it, behind every text', async () => {
    await run(open);
    const ending = { status: 'failed', attempts: input.attempts, error: { code: 'PROVIDER_TIMEOUT' } };
    expect(recordEnding.mock.calls).toMatchObject([['r1', 'greenfood-dao', ending]]);
    const position = { generation: 2, offset: END_OFFSET };
    expect(publish.mock.calls).toMatchObject([['r1', { type: 'error', data: { ok: false }, position }]]);
  });

  it.each([
    ['ended', { ...open, status: 'completed' as const }],
    ['gone', undefined],
  ])('does nothing about a request that has %s', async (_name, found) => {
    await run(found);
    expect([recordEnding.mock.calls, publish.mock.calls]).toEqual([[], []]);
  });

  it('tells nothing that was not written down, since another end was first', async () => {
    recordEnding.mockResolvedValue(false);
    await run(open);
    expect(publish).not.toHaveBeenCalled();
  });

  it('asks Temporal to repeat it while the database is away', async () => {
    const away = { type: 'StoreUnavailable', nonRetryable: false };
    await expect(run(new AppError('STORE_UNAVAILABLE'))).rejects.toMatchObject(away);
    recordEnding.mockRejectedValue(new AppError('STORE_UNAVAILABLE'));
    await expect(run(open)).rejects.toMatchObject(away);
    expect(publish).not.toHaveBeenCalled();
  });

  it('serves no other workflow than that of the request', async () => {
    await expect(run(open, 'route/r2')).rejects.toMatchObject({ type: 'Internal', nonRetryable: true });
    expect([recordEnding.mock.calls, publish.mock.calls]).toEqual([[], []]);
  });
});

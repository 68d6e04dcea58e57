import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { aDecision } from '../../test/factories/requests.js';
import { strict } from '../../test/factories/strict.js';
import type { RefusalsRepository } from '../adapters/store/refusals.repository.js';
import type { OpenFilter } from '../adapters/store/find-requests.js';
import type { RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { RequestsService } from './requests.service.js';

/** Pauses between passes: each is over when the test says so. */
let pauses: { ms: number; end: () => void }[] = [];
jest.unstable_mockModule('node:timers/promises', () => ({
  setTimeout: (ms: number, _value: undefined, { signal }: { signal: AbortSignal }) =>
    new Promise<void>((resolve, reject) => {
      pauses.push({ ms, end: resolve });
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
}));
const { ReconcilerService } = await import('./reconciler.service.js');

type FindOpen = RequestsRepository['findOpen'];
type ForgetOld = RefusalsRepository['forgetOld'];
type Restart = RequestsService['restart'];

const row = (id: string): RequestRecord =>
  ({ id, daoId: 'greenfood-dao', actor: 'tg:12345', status: 'accepted', decision: aDecision() }) as RequestRecord;
const rows = (from: number, to: number): RequestRecord[] =>
  Array.from({ length: to - from }, (_, n) => row(`r${String(from + n).padStart(4, '0')}`));

/** Lets everything go on that is not waiting for the test. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('ReconcilerService', () => {
  let open: jest.MockedFunction<FindOpen>;
  let forgetOld: jest.MockedFunction<ForgetOld>;
  let restart: jest.MockedFunction<Restart>;
  let logged: Record<string, unknown>[];
  let sweep: InstanceType<typeof ReconcilerService>;

  beforeEach(() => {
    pauses = [];
    logged = [];
    open = jest.fn<FindOpen>().mockResolvedValue([]);
    forgetOld = jest.fn<ForgetOld>().mockResolvedValue(0);
    restart = jest.fn<Restart>().mockResolvedValue(undefined);
    const log = pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
    const refusals = strict<RefusalsRepository>('refusals', { forgetOld });
    const repository: Partial<RequestsRepository> = { findOpen: open, dropBulk: () => Promise.resolve(0) };
    const service: Partial<RequestsService> = { restart };
    sweep = new ReconcilerService(repository as RequestsRepository, service as RequestsService, log, refusals);
  });
  afterEach(() => {
    sweep.stop();
  });

  const filterOf = (call: number): OpenFilter => open.mock.calls[call]![0];
  const restarted = (): string[] => restart.mock.calls.map(([{ id }]) => id);
  const age = (date: Date | undefined): number => Date.now() - (date?.getTime() ?? NaN);
  async function nextPass(): Promise<void> {
    pauses.at(-1)?.end();
    await settle();
  }

  it('looks at every open request first, however young', async () => {
    open.mockResolvedValueOnce(rows(0, 2));
    sweep.start();
    await settle();
    expect(filterOf(0).overdueSince).toBeUndefined();
    expect(age(filterOf(0).receivedBefore)).toBeLessThan(5_000);
    expect(restarted()).toEqual(['r0000', 'r0001']);
  });

  it('looks at doubtful ones every 15 seconds afterwards', async () => {
    sweep.start();
    await settle();
    await nextPass();
    expect(open).toHaveBeenCalledTimes(2);
    expect(Math.abs(age(filterOf(1).receivedBefore) - 10_000)).toBeLessThan(5_000);
    expect(Math.abs(age(filterOf(1).overdueSince) - 60_000)).toBeLessThan(5_000);
    expect(pauses.map(({ ms }) => ms)).toEqual([15_000, 15_000]);
  });

  it('looks at all that are open every ten minutes, as a workflow may be gone that has no deadline', async () => {
    sweep.start();
    await settle();
    for (let pass = 1; pass <= 41; pass += 1) await nextPass();
    const all = open.mock.calls.flatMap(([filter], call) => (filter.overdueSince ? [] : [call]));
    expect(all).toEqual([0, 40]);
    expect(Math.abs(age(filterOf(40).receivedBefore) - 10_000)).toBeLessThan(5_000);
  });

  it('looks at all of them, page by page', async () => {
    open
      .mockResolvedValueOnce(rows(0, 200))
      .mockResolvedValueOnce(rows(200, 400))
      .mockResolvedValueOnce(rows(400, 401));
    sweep.start();
    await settle();
    expect(open.mock.calls.map(([, after, limit]) => [after, limit])).toEqual([
      ['', 200],
      ['r0199', 200],
      ['r0399', 200],
    ]);
    expect(restarted()).toEqual(rows(0, 401).map(({ id }) => id));
  });

  it('keeps no request from repair because of another that cannot be repaired', async () => {
    open.mockResolvedValueOnce(rows(0, 3));
    restart.mockRejectedValueOnce(new Error('this one is broken'));
    sweep.start();
    await settle();
    expect(restarted()).toEqual(['r0000', 'r0001', 'r0002']);
    expect(logged).toMatchObject([
      { level: 40, request_id: 'r0000', workflow_id: 'route/r0000', dao_id: 'greenfood-dao' },
      { level: 30, request_id: 'r0001' },
      { level: 30, request_id: 'r0002' },
    ]);
  });

  it('goes on with the next pass when the database was away', async () => {
    open.mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce(rows(0, 1));
    sweep.start();
    await settle();
    expect(logged).toMatchObject([{ level: 40 }]);
    await nextPass();
    expect(restarted()).toEqual(['r0000']);
  });

  it('deletes old refusals in each pass, and goes on when that fails', async () => {
    forgetOld.mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce(3);
    sweep.start();
    await settle();
    expect(logged).toMatchObject([{ level: 40, msg: expect.stringContaining('old refusals') as unknown }]);
    await nextPass();
    expect(logged.at(-1)).toMatchObject({ level: 30, count: 3, msg: 'old refusals deleted' });
    await nextPass();
    expect(forgetOld).toHaveBeenCalledTimes(3);
    expect(logged).toHaveLength(2);
  });

  it('begins no pass before the one before has ended', async () => {
    const slow = Promise.withResolvers<undefined>();
    open.mockResolvedValueOnce(rows(0, 1));
    restart.mockReturnValueOnce(slow.promise);
    sweep.start();
    await settle();
    expect(pauses).toEqual([]);
    slow.resolve(undefined);
    await settle();
    expect(pauses).toHaveLength(1);
    expect(open).toHaveBeenCalledTimes(1);
  });

  it('does nothing more after it was stopped in a pause', async () => {
    sweep.start();
    await settle();
    sweep.stop();
    await settle();
    expect(open).toHaveBeenCalledTimes(1);
    expect(pauses).toHaveLength(1);
  });

  it('does nothing more after it was stopped in a pass', async () => {
    const slow = Promise.withResolvers<undefined>();
    open.mockResolvedValueOnce(rows(0, 200));
    restart.mockReturnValueOnce(slow.promise);
    sweep.start();
    await settle();
    sweep.stop();
    slow.resolve(undefined);
    await settle();
    expect(restarted()).toEqual(['r0000']);
    expect(open).toHaveBeenCalledTimes(1);
  });
});

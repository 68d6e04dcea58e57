import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { McpRepository } from '../adapters/store/mcp.repository.js';
import type { CallerKey } from '../contracts/access.js';
import type { RouteSubmission } from '../contracts/request.js';
import type { Accepted } from './accepted.js';
import { DrainService } from './drain.service.js';
import { RepeatedCallsService, type RepeatableCall } from './repeated-calls.service.js';
import type { RequestsService } from './requests.service.js';
import type { Submission, SubmissionsService } from './submissions.service.js';

const KEY = { id: 'k' } as CallerKey;
const BODY = { prompt: 'How long?', mode: 'chat', metadata: { b: 2, a: 1 } } as unknown as RouteSubmission;
const accepted = (requestId: string): Accepted => ({ requestId, daoId: 'dao' }) as Accepted;

describe(RepeatedCallsService, () => {
  let keys: (string | undefined)[];
  let joined: string[];
  let letGo: string[];
  let abandoned: string[];
  let isLeft: boolean;
  let drain: DrainService;
  /** Which request a submission comes to; undefined: one of its own. */
  let earlier: string | undefined;
  let calls: RepeatedCallsService;

  beforeEach(() => {
    [keys, joined, letGo, abandoned, isLeft, earlier] = [[], [], [], [], true, undefined];
    drain = new DrainService();
    const submit = (
      _: CallerKey,
      __: RouteSubmission,
      { idempotencyKey, requestId }: Submission,
    ): Promise<Accepted> => {
      keys.push(idempotencyKey);
      return Promise.resolve(accepted(earlier ?? requestId));
    };
    const memory = {
      join: (id: string) => Promise.resolve(void joined.push(id)),
      isLeft: () => Promise.resolve(isLeft),
      letGo: (id: string) => Promise.resolve(void letGo.push(id)),
    };
    const requests = { abandon: ({ requestId }: Accepted) => void abandoned.push(requestId) };
    calls = new RepeatedCallsService({
      submissions: { submit } as unknown as SubmissionsService,
      requests: requests as unknown as RequestsService,
      ...{ drain, memory: memory as unknown as McpRepository, log: pino({ enabled: false }) },
    });
  });

  const call = (attach: boolean): RepeatableCall => ({
    ...{ key: KEY, requestId: 'new', receivedAt: new Date(), route: 'mcp:router_call', attach },
  });

  it('should name what is asked by itself, in whatever order it is written, where it may be joined', async () => {
    await calls.begin(call(true), BODY);
    await calls.begin(call(true), { ...BODY, metadata: { a: 1, b: 2 } });
    await calls.begin(call(true), { ...BODY, prompt: 'How much?' });
    await calls.begin(call(false), BODY);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
    expect(keys[3]).toBeUndefined();
  });

  it('should note who came back, and not who came first', async () => {
    await calls.begin(call(true), BODY);
    expect(joined).toEqual([]);
    earlier = 'old';
    expect((await calls.begin(call(true), BODY)).requestId).toBe('old');
    expect(joined).toEqual(['old']);
  });

  it('should begin nothing while the process stops', async () => {
    drain.refuse();
    await expect(calls.begin(call(true), BODY)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(keys).toEqual([]);
  });

  describe('of somebody who went away', () => {
    beforeEach(() => {
      jest.useFakeTimers();
    });

    /** What comes of it when the time for coming back is over. */
    const afterwards = async (): Promise<void> => {
      const leaving = calls.leave(accepted('r'));
      await jest.advanceTimersByTimeAsync(2_500);
      await leaving;
      jest.useRealTimers();
    };

    it('should stop the work, so that the same is a new request', async () => {
      await afterwards();
      expect([abandoned, letGo]).toEqual([['r'], ['r']]);
    });

    it('should leave it to whoever came back here meanwhile', async () => {
      let end: () => void = () => undefined;
      const other = calls.whileWaiting(accepted('r'), () => new Promise<void>((resolve) => (end = resolve)));
      await afterwards();
      end();
      await other;
      expect([abandoned, letGo]).toEqual([[], []]);
    });

    it('should leave it to whoever came back elsewhere', async () => {
      isLeft = false;
      await afterwards();
      expect(abandoned).toEqual([]);
    });

    it('should leave it alone where the process stops: it goes on in another', async () => {
      drain.stop();
      await afterwards();
      expect(abandoned).toEqual([]);
    });
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import type { ErrorObject } from '../contracts/bodies.js';
import type { RouteRequestInput, RouteSubmission } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type {
  Ending,
  Idempotency,
  NewRequest,
  RequestRecord,
  RequestsRepository,
} from '../adapters/store/requests.repository.js';
import type { StartOutcome, TemporalGateway } from '../adapters/temporal/gateway.js';
import { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { routeEvent } from '../domain/bodies.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { RequestsService, type Accepted, type Submission } from './requests.service.js';

/** A part that has only what a test gave it; anything else that is asked of it fails the test. */
function strict<T extends object>(name: string, parts: Partial<T>): T {
  return new Proxy(parts, {
    get(target, key) {
      if (key in target) return target[key as keyof typeof target];
      throw new Error(`${name}.${String(key)} was called unprepared`);
    },
  }) as T;
}

const key: CallerKey = { id: 'k1', daoId: null, principal: 'api:k1', gateway: true };

const policy = {
  shape: 'eager' as const,
  queue: 'orchestrator',
  timeoutMs: 30_000,
  queueTimeoutMs: 5_000,
  maxTokens: 128,
  maxAttempts: 2,
  retryDelayMs: 1_000,
};
const table: RoutingTable = {
  rules: [{ name: 'chat', priority: 1, conditions: { mode: 'chat' }, chain: ['fake'] }],
  providers: { fake: policy },
  requestTimeoutMs: 60_000,
  hash: 'h',
};

const acting = (part: Partial<Acting> = {}, entitlements = ['chat.write']): Acting => ({
  actor: 'tg:12345',
  daoId: 'greenfood-dao',
  facts: {
    dao: { id: 'greenfood-dao', name: 'GreenFood DAO' },
    roles: [{ name: 'member', entitlements }],
    platformAdmin: false,
  },
  rights: { roles: ['member'], entitlements: ['chat.write'] },
  ...part,
});

const body = (part: Partial<RouteSubmission> = {}): RouteSubmission => ({
  prompt: 'How long is a vote?',
  mode: 'chat',
  agent: undefined,
  daoId: undefined,
  userId: 'tg:12345',
  sessionId: 's1',
  source: 'telegram',
  metadata: { task_type: 'x' },
  ...part,
});

const submission = (part: Partial<Submission> = {}): Submission => ({
  requestId: 'r1',
  route: 'route',
  idempotencyKey: undefined,
  receivedAt: new Date(Date.now() - 5),
  ...part,
});

const record = (part: Partial<RequestRecord> = {}): RequestRecord => ({
  id: 'r1',
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  mode: 'chat',
  decision: {
    mode: 'chat',
    rule: 'chat',
    chain: [{ provider: 'fake', ...policy }],
    roles: ['member'],
    entitlements: ['chat.write'],
    deadlineMs: 60_000,
    configHash: 'h',
  },
  status: 'accepted',
  provider: null,
  usage: null,
  attempts: [],
  timings: { gateway: 1 },
  error: null,
  generation: 0,
  bodyHash: null,
  receivedAt: new Date(0),
  deadlineAt: new Date(60_000),
  answer: null,
  finishReason: null,
  ...part,
});

const code = (expected: string): unknown => expect.objectContaining({ name: 'AppError', code: expected });

describe('RequestsService', () => {
  let bus: InProcessTokenBus;
  let order: string[];
  let accepted: NewRequest[];
  let started: RouteRequestInput[];
  let endings: Ending[];
  let refused: [string, ErrorObject][];

  beforeEach(() => {
    [order, accepted, started, endings, refused] = [[], [], [], [], []];
    bus = new InProcessTokenBus();
  });
  afterEach(() => {
    bus.close();
  });

  const accepts = (isNew = true): Partial<RequestsRepository> => ({
    accept: (request) => {
      order.push('accept');
      accepted.push(request);
      return Promise.resolve(isNew);
    },
  });
  const ends = (ended: boolean): Partial<RequestsRepository> => ({
    recordEnding: (_id, _dao, ending) => {
      endings.push(ending);
      return Promise.resolve(ended);
    },
  });
  /** Each time the given outcome; after them the last one. */
  const refuses = (...outcomes: (boolean | Error)[]): Partial<RequestsRepository> => ({
    refuse: (id, error) => {
      const outcome = outcomes[Math.min(refused.length, outcomes.length - 1)]!;
      refused.push([id, error]);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  });
  const finds = (found: RequestRecord | undefined): Partial<RequestsRepository> => ({
    find: () => Promise.resolve(found),
  });
  const starts = (outcome: StartOutcome | Error): Partial<TemporalGateway> => ({
    start: (input) => {
      order.push('start');
      started.push(input);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  });
  const resolves = (who: Acting = acting()): Partial<AccessService> => ({ resolve: () => Promise.resolve(who) });

  const service = (
    requests: Partial<RequestsRepository> = {},
    temporal: Partial<TemporalGateway> = {},
    access: Partial<AccessService> = resolves(),
  ): RequestsService =>
    new RequestsService(
      strict<RequestsRepository>('requests', requests),
      strict<AccessService>('access', access),
      strict<TemporalGateway>('temporal', temporal),
      bus,
      table,
      pino({ level: 'silent' }),
    );

  describe('submit', () => {
    it('writes the request down before it starts it', async () => {
      const given = await service(accepts(), starts('eager')).submit(key, body(), submission());
      expect(order).toEqual(['accept', 'start']);
      expect(given).toEqual({
        requestId: 'r1',
        workflowId: 'route/r1',
        daoId: 'greenfood-dao',
        actor: 'tg:12345',
        here: true,
        route: routeEvent('r1', accepted[0]!.decision),
      } satisfies Accepted);
    });

    it('writes down who, what, the decision and the deadline', async () => {
      const receivedAt = new Date(Date.now() - 5);
      await service(accepts(), starts('eager')).submit(key, body(), submission({ receivedAt }));
      expect(accepted).toMatchObject([
        {
          id: 'r1',
          keyId: 'k1',
          daoId: 'greenfood-dao',
          actor: 'tg:12345',
          prompt: 'How long is a vote?',
          sessionId: 's1',
          source: 'telegram',
          metadata: { task_type: 'x' },
          decision: { rule: 'chat', configHash: 'h', roles: ['member'] },
          receivedAt,
          deadlineAt: new Date(receivedAt.getTime() + 60_000),
        },
      ]);
      expect(accepted[0]?.timings.gateway).toBeGreaterThanOrEqual(5);
      expect(accepted[0]?.idempotency).toBeUndefined();
    });

    it('tells Temporal ids, decision and deadline, and nothing that somebody wrote', async () => {
      await service(accepts(), starts('eager')).submit(key, body(), submission());
      const deadlineAt = accepted[0]?.deadlineAt.getTime();
      expect(started).toMatchObject([
        { version: 1, requestId: 'r1', daoId: 'greenfood-dao', actor: 'tg:12345', deadlineAt },
      ]);
      expect(JSON.stringify(started)).not.toContain('How long is a vote?');
    });

    it('publishes nothing: the route goes to the reader with the request', async () => {
      const publish = jest.spyOn(bus, 'publish');
      const { route } = await service(accepts(), starts('eager')).submit(key, body(), submission());
      expect(publish).not.toHaveBeenCalled();
      expect(route).toMatchObject({ type: 'route', data: { request_id: 'r1', providers: ['fake'] } });
    });

    it('knows that a start that was not eager runs elsewhere', async () => {
      expect((await service(accepts(), starts('queued')).submit(key, body(), submission())).here).toBe(false);
    });

    it('puts a denial on record and starts nothing', async () => {
      const denied = jest.fn<AccessService['denied']>().mockResolvedValue(undefined);
      const guest = acting({}, ['chat.read']);
      const submitting = service({}, {}, { ...resolves(guest), denied }).submit(key, body(), submission());
      await expect(submitting).rejects.toMatchObject({
        code: 'RBAC_PERMISSION_DENIED',
        detail: { required_entitlement: 'chat.write', roles: ['member'] },
      });
      expect(denied).toHaveBeenCalledWith(
        guest,
        expect.objectContaining({ required_entitlement: 'chat.write', mode: 'chat' }),
      );
    });

    it('starts nothing where nothing may or can take the request', async () => {
      const crew = acting({}, ['agent.crew']);
      await expect(service({}, {}, resolves(crew)).submit(key, body({ mode: 'crew' }), submission())).rejects.toEqual(
        code('MODE_UNAVAILABLE'),
      );
    });

    it('takes a request back when Temporal refuses, lets go of its idempotency key, and passes the error on', async () => {
      const requests = { ...accepts(), ...refuses(true) };
      const submitting = service(requests, starts(new AppError('TEMPORAL_UNAVAILABLE'))).submit(
        key,
        body(),
        submission(),
      );
      await expect(submitting).rejects.toEqual(code('TEMPORAL_UNAVAILABLE'));
      expect(refused).toEqual([['r1', { code: 'TEMPORAL_UNAVAILABLE', message: expect.any(String) }]]);
    });

    it('passes the error on while the database is away, and takes the request back as soon as it can', async () => {
      const away = new AppError('STORE_UNAVAILABLE');
      const requests = { ...accepts(), ...refuses(away, away, true) };
      const submitting = service(requests, starts(new AppError('TEMPORAL_UNAVAILABLE'))).submit(
        key,
        body(),
        submission(),
      );
      await expect(submitting).rejects.toEqual(code('TEMPORAL_UNAVAILABLE'));
      while (refused.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(refused.map(([id]) => id)).toEqual(['r1', 'r1', 'r1']);
    });

    it('stands by a request that looked refused but runs', async () => {
      const requests = { ...accepts(), ...refuses(false) };
      const given = await service(requests, starts(new AppError('TEMPORAL_UNAVAILABLE'))).submit(
        key,
        body(),
        submission(),
      );
      expect(given).toMatchObject({ requestId: 'r1', here: false });
    });
  });

  describe('submit with an Idempotency-Key', () => {
    const asked = submission({ idempotencyKey: 'once' });

    /** The idempotency that a submission is written down with. */
    async function idempotencyOf(
      part: Partial<RouteSubmission>,
      who = acting(),
      by = key,
      sub = asked,
    ): Promise<Idempotency> {
      const requests = { ...accepts(), findByIdempotency: () => Promise.resolve(undefined) };
      await service(requests, starts('eager'), resolves(who)).submit(by, body(part), sub);
      return accepted.at(-1)!.idempotency!;
    }

    it('belongs to key, actor and route', async () => {
      const scopes = [
        await idempotencyOf({}),
        await idempotencyOf({}, acting({ actor: 'tg:1' })),
        await idempotencyOf({}, acting(), { ...key, id: 'k2' }),
        await idempotencyOf({}, acting(), key, { ...asked, route: 'v1' }),
      ].map(({ scope }) => scope);
      expect(new Set(scopes).size).toBe(4);
    });

    it('knows the same body by its content, and every other as another', async () => {
      const first = await idempotencyOf({ metadata: { a: 1, b: 2 } });
      expect((await idempotencyOf({ metadata: { b: 2, a: 1 } })).bodyHash).toBe(first.bodyHash);
      expect((await idempotencyOf({ metadata: { a: 1, b: 3 } })).bodyHash).not.toBe(first.bodyHash);
      expect((await idempotencyOf({ metadata: { a: 1, b: 2 }, prompt: 'other' })).bodyHash).not.toBe(first.bodyHash);
    });

    it('joins the first run of the same body, and starts nothing when it has ended', async () => {
      const { bodyHash } = await idempotencyOf({});
      const earlier = record({ id: 'r0', status: 'completed', bodyHash });
      const given = await service({ findByIdempotency: () => Promise.resolve(earlier) }).submit(key, body(), asked);
      expect(given).toMatchObject({ requestId: 'r0', workflowId: 'route/r0', here: false });
    });

    it('starts the first run again if it may never have been started', async () => {
      const { bodyHash } = await idempotencyOf({});
      const earlier = record({ id: 'r0', bodyHash });
      const requests = { findByIdempotency: () => Promise.resolve(earlier) };
      await service(requests, starts('queued')).submit(key, body(), asked);
      expect(started.at(-1)).toEqual({
        version: 1,
        requestId: 'r0',
        daoId: 'greenfood-dao',
        actor: 'tg:12345',
        deadlineAt: 60_000,
        decision: earlier.decision,
      });
    });

    it('joins the winner when two calls come at once', async () => {
      const { bodyHash } = await idempotencyOf({});
      const findByIdempotency = jest
        .fn<RequestsRepository['findByIdempotency']>()
        .mockResolvedValueOnce(undefined)
        .mockResolvedValue(record({ id: 'r0', status: 'running', bodyHash }));
      const given = await service({ ...accepts(false), findByIdempotency }, starts('queued')).submit(
        key,
        body(),
        asked,
      );
      expect(given.requestId).toBe('r0');
    });

    it('refuses another body', async () => {
      const requests = { findByIdempotency: () => Promise.resolve(record({ bodyHash: 'of another body' })) };
      await expect(service(requests).submit(key, body(), asked)).rejects.toEqual(code('IDEMPOTENCY_CONFLICT'));
    });

    it('takes runs of the last 24 hours', async () => {
      const findByIdempotency = jest.fn<RequestsRepository['findByIdempotency']>().mockResolvedValue(undefined);
      await service({ ...accepts(), findByIdempotency }, starts('eager')).submit(key, body(), asked);
      const since = findByIdempotency.mock.calls[0]![1].getTime();
      expect(Math.abs(Date.now() - 24 * 3_600_000 - since)).toBeLessThan(5_000);
    });

    it('takes an empty one for none', async () => {
      await service(accepts(), starts('eager')).submit(key, body(), submission({ idempotencyKey: '' }));
      expect(accepted[0]?.idempotency).toBeUndefined();
    });
  });

  describe('visible', () => {
    const sees = (found: RequestRecord | undefined, who: Acting, by = key): Promise<RequestRecord> =>
      service(finds(found), {}, resolves(who)).visible(by, 'r1', {});

    it('shows a request to its actor and to admins of its DAO', async () => {
      const found = record();
      expect(await sees(found, acting())).toBe(found);
      expect(await sees(found, acting({ actor: 'tg:1', rights: { roles: ['admin'], entitlements: [] } }))).toBe(found);
    });

    it('hides it from everybody else, and from keys of other DAOs, as if it were not there', async () => {
      const expected = code('REQUEST_NOT_FOUND');
      await expect(sees(record(), acting({ actor: 'tg:222' }))).rejects.toEqual(expected);
      await expect(sees(record(), acting(), { ...key, daoId: 'other-dao' })).rejects.toEqual(expected);
      await expect(sees(undefined, acting())).rejects.toEqual(expected);
    });

    it('judges the caller in the DAO of the request', async () => {
      const resolve = jest.fn<(by: CallerKey, named: Named) => Promise<Acting>>().mockResolvedValue(acting());
      await service(finds(record({ daoId: 'other-dao' })), {}, { resolve }).visible(key, 'r1', { userId: 'tg:12345' });
      expect(resolve).toHaveBeenCalledWith(key, { daoId: 'other-dao', userId: 'tg:12345' });
    });
  });

  describe('cancel', () => {
    it('stops the workflow and the call in this process', async () => {
      const stopped = jest.fn();
      bus.onCancel('r1', stopped);
      const cancel = jest.fn<TemporalGateway['cancel']>().mockResolvedValue(true);
      await service(finds(record({ status: 'running' })), { cancel }).cancel(key, 'r1', {});
      expect(cancel).toHaveBeenCalledWith('r1');
      expect(stopped).toHaveBeenCalledTimes(1);
    });

    it('ends a request itself that has no workflow, with what is known of it', async () => {
      const attempts = [{ provider: 'fake', status: 'failed' as const, ms: 3, error: 'RateLimited' }];
      const requests = { ...finds(record({ attempts })), ...ends(true) };
      await service(requests, { cancel: () => Promise.resolve(false) }).cancel(key, 'r1', {});
      const error = expect.objectContaining({ code: 'REQUEST_CANCELLED' });
      expect(endings).toEqual([{ status: 'cancelled', error, attempts, timings: { gateway: 1 } }]);
    });

    it('writes nothing down when Temporal does not tell whether there is a workflow', async () => {
      const cancel = (): Promise<boolean> => Promise.reject(new AppError('TEMPORAL_UNAVAILABLE'));
      const cancelling = service(finds(record()), { cancel }).cancel(key, 'r1', {});
      await expect(cancelling).rejects.toEqual(code('TEMPORAL_UNAVAILABLE'));
    });

    it.each(['completed', 'failed', 'cancelled'] as const)(
      'has nothing to stop when the request is %s',
      async (status) => {
        await expect(service(finds(record({ status }))).cancel(key, 'r1', {})).rejects.toMatchObject({
          code: 'REQUEST_ENDED',
          detail: { status },
        });
      },
    );

    it('stops nothing for whoever may not see it', async () => {
      const other = resolves(acting({ actor: 'tg:222' }));
      await expect(service(finds(record()), {}, other).cancel(key, 'r1', {})).rejects.toEqual(
        code('REQUEST_NOT_FOUND'),
      );
    });
  });

  describe('restart', () => {
    it('leaves a request alone whose workflow runs', async () => {
      await service({}, starts('queued')).restart(record());
      expect(endings).toEqual([]);
    });

    it('closes a request whose workflow has closed without a word', async () => {
      await service({ ...finds(record({ status: 'running' })), ...ends(true) }, starts('already-closed')).restart(
        record(),
      );
      expect(endings).toMatchObject([{ status: 'failed', error: { code: 'INTERNAL' } }]);
    });

    it('closes nothing that has ended meanwhile', async () => {
      await service(finds(record({ status: 'completed' })), starts('already-closed')).restart(record());
      expect(endings).toEqual([]);
    });
  });
});

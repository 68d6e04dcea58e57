import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { ErrorObject } from '../contracts/bodies.js';
import type { RouteRequestInput, RouteSubmission, Unavailable } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { NewRefusal, RefusalsRepository } from '../adapters/store/refusals.repository.js';
import type { Idempotency, NewRequest, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { StartOutcome, TemporalGateway } from '../adapters/temporal/gateway.js';
import { routeEvent } from '../domain/bodies.js';
import { AppError } from '../errors/app-error.js';
import { aCaller } from '../../test/factories/access.js';
import { aDecision } from '../../test/factories/requests.js';
import { acting, policy, record } from '../../test/factories/submissions.js';
import { strict } from '../../test/factories/strict.js';
import { toAccepted, inputOf, type Accepted } from './accepted.js';
import type { AccessService, Acting } from './access.service.js';
import type { AvailabilityService } from './availability.service.js';
import type { CrewStarts } from './crew-starts.js';
import type { HeadStarts } from './head-starts.js';
import type { LimitsService } from './limits.service.js';
import type { RequestsService } from './requests.service.js';
import { SubmissionsService, type Submission } from './submissions.service.js';

const key = aCaller();

const table: RoutingTable = {
  rules: [
    {
      name: 'chat',
      priority: 1,
      condition: { kind: 'equals', key: 'mode', values: ['chat'] },
      use: { kind: 'chain', providers: ['fake'] },
      fallbacks: [],
    },
  ],
  answers: [],
  weights: {},
  providers: { fake: policy },
  requestTimeoutMs: 60_000,
  hash: 'h',
};

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

const code = (expected: string): unknown => expect.objectContaining({ name: 'AppError', code: expected });

describe('SubmissionsService', () => {
  let order: string[];
  let accepted: NewRequest[];
  let started: RouteRequestInput[];
  let refused: [string, ErrorObject][];
  let refusals: NewRefusal[];
  let withdrawn: string[];
  let givenBack: string[];

  beforeEach(() => {
    [order, accepted, started, refused, refusals, withdrawn, givenBack] = [[], [], [], [], [], [], []];
  });

  const accepts = (isNew = true): Partial<RequestsRepository> => ({
    accept: (request) => {
      order.push('accept');
      accepted.push(request);
      return Promise.resolve(isNew);
    },
  });
  /** Each time the given outcome; after them the last one. */
  const refuses = (...outcomes: (boolean | Error)[]): Partial<RequestsRepository> => ({
    refuse: (id, _daoId, error) => {
      const outcome = outcomes[Math.min(refused.length, outcomes.length - 1)]!;
      refused.push([id, error]);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  });
  const starts = (outcome: StartOutcome | Error): Partial<TemporalGateway> => ({
    start: (input) => {
      order.push('start');
      started.push(input);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  });
  const resolves = (who: Acting = acting()): Partial<AccessService> => ({ resolve: () => Promise.resolve(who) });

  const plans = (outcome: Unavailable[] | Error = []): Partial<AvailabilityService> => ({
    plan: () => {
      order.push('plan');
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
    withdraw: ({ requestId }) => {
      withdrawn.push(requestId);
      return Promise.resolve();
    },
  });

  const told =
    (what: string) =>
    (...[, here]: unknown[]): Promise<void> => {
      order.push(here === undefined ? what : `${what} ${here === true ? 'here' : 'elsewhere'}`);
      return Promise.resolve();
    };
  /** No call may begin beside the start. */
  const none: Partial<HeadStarts> = {
    stepFor: () => undefined,
    begin: () => Promise.resolve(),
    accepted: () => Promise.resolve(),
    takeBack: () => false,
    startFailed: () => undefined,
  };
  /** The call to the first provider may. */
  const early: Partial<HeadStarts> = {
    stepFor: ({ decision }) => decision.chain[0],
    begin: async (_input, row) => void order.push(`begin at ${String(row.begunAt)}`),
    accepted: told('accepted'),
    takeBack: () => order.push('taken back') > 0,
    startFailed: () => undefined,
  };

  const service = (
    requests: Partial<RequestsRepository> = {},
    temporal: Partial<TemporalGateway> = {},
    access: Partial<AccessService> = resolves(),
    availability: Partial<AvailabilityService> = plans(),
    headStarts: Partial<HeadStarts> = none,
  ): SubmissionsService =>
    new SubmissionsService({
      requests: strict<RequestsRepository>('requests', requests),
      refusals: strict<RefusalsRepository>('refusals', {
        add: (refusal) => {
          refusals.push(refusal);
          return Promise.resolve();
        },
      }),
      access: strict<AccessService>('access', access),
      limits: strict<LimitsService>('limits', {
        admit: () => Promise.resolve([]),
        giveBack: (daoId) => {
          givenBack.push(daoId);
          return Promise.resolve();
        },
      }),
      availability: strict<AvailabilityService>('availability', availability),
      headStarts: strict<HeadStarts>('headStarts', headStarts),
      crews: strict<CrewStarts>('crews', {}),
      temporal: strict<TemporalGateway>('temporal', temporal),
      accepted: strict<RequestsService>('accepted', {
        restart: async (earlier) => {
          await temporal.start?.(inputOf(earlier));
        },
        joined: (earlier) => toAccepted(inputOf(earlier)),
      }),
      routing: () => table,
      log: pino({ level: 'silent' }),
    });

  describe('a call beside the start', () => {
    const submit = (
      requests: Partial<RequestsRepository>,
      temporal: Partial<TemporalGateway>,
      how: Parameters<typeof submission>[0] = {},
    ): Promise<Accepted> =>
      service(requests, temporal, resolves(), plans(), early).submit(key, body(), submission(how));

    it('begins before the row is written, and is let out when Temporal has accepted', async () => {
      await submit(accepts(), starts('eager'));
      expect(order).toEqual(['plan', 'begin at fake', 'accept', 'start', 'accepted here']);
      expect(accepted[0]?.begunAt).toBe('fake');
      // Taken over within the workflow's task, and recorded as it was decided.
      expect(started[0]?.decision.chain[0]?.shape).toBe('local');
      expect(accepted[0]?.decision.chain[0]?.shape).toBe('eager');
    });

    it('waits for its activity where the workflow may run elsewhere', async () => {
      await submit(accepts(), starts('queued'));
      expect(order.at(-1)).toBe('accepted elsewhere');
    });

    it('begins with an idempotency key only when the row is its own', async () => {
      const requests = { ...accepts(), findByIdempotency: () => Promise.resolve(undefined) };
      await submit(requests, starts('eager'), { idempotencyKey: 'once' });
      expect(order).toEqual(['plan', 'accept', 'begin at fake', 'start', 'accepted here']);
    });

    it('never begins for whoever came second with a key', async () => {
      const requests = { ...accepts(false), findByIdempotency: () => Promise.resolve(undefined) };
      await expect(submit(requests, {}, { idempotencyKey: 'once' })).rejects.toEqual(code('STORE_UNAVAILABLE'));
      expect(order).toEqual(['plan', 'accept']);
    });

    it('ends when the row cannot be written', async () => {
      const requests = { accept: () => Promise.reject(new AppError('STORE_UNAVAILABLE')) };
      await expect(submit(requests, {})).rejects.toEqual(code('STORE_UNAVAILABLE'));
      expect(order).toEqual(['plan', 'begin at fake', 'taken back']);
    });

    it('ends when Temporal refuses, and the row is taken back as one that a call owned', async () => {
      const refusing = jest.fn<RequestsRepository['refuse']>().mockResolvedValue(true);
      const temporal = starts(new AppError('TEMPORAL_UNAVAILABLE'));
      await expect(submit({ ...accepts(), refuse: refusing }, temporal)).rejects.toEqual(code('TEMPORAL_UNAVAILABLE'));
      expect(order).toEqual(['plan', 'begin at fake', 'accept', 'start', 'taken back', 'taken back']);
      expect(refusing).toHaveBeenCalledWith('r1', 'greenfood-dao', expect.anything(), true);
    });

    it('ends when the start looked refused and another call has the request', async () => {
      await submit({ ...accepts(), ...refuses(false) }, starts(new AppError('TEMPORAL_UNAVAILABLE')));
      expect(order.at(-1)).toBe('taken back');
    });

    it('is accepted after all when its activity has taken the call over, however the start looked', async () => {
      const adopted = { ...early, takeBack: () => false };
      const requests = { ...accepts() };
      const failing = starts(new AppError('TEMPORAL_UNAVAILABLE'));
      const given = await service(requests, failing, resolves(), plans(), adopted).submit(key, body(), submission());
      expect([given.requestId, given.here]).toEqual(['r1', false]);
    });
  });

  describe('submit', () => {
    it('writes the request down before it starts it', async () => {
      const given = await service(accepts(), starts('eager')).submit(key, body(), submission());
      expect(order).toEqual(['plan', 'accept', 'start']);
      expect(given).toEqual({
        requestId: 'r1',
        workflowId: 'route/r1',
        daoId: 'greenfood-dao',
        actor: 'tg:12345',
        here: true,
        route: routeEvent('r1', accepted[0]!.decision),
        headers: {},
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

    it('hands the route to the reader with the request', async () => {
      const { route } = await service(accepts(), starts('eager')).submit(key, body(), submission());
      expect(route).toMatchObject({ type: 'route', data: { request_id: 'r1', providers: ['fake'] } });
    });

    it('knows that a start that was not eager runs elsewhere', async () => {
      expect((await service(accepts(), starts('queued')).submit(key, body(), submission())).here).toBe(false);
    });

    it('begins nothing for a caller who went away', async () => {
      const gone = AbortSignal.abort();
      await expect(service().submit(key, body(), submission({ gone }))).rejects.toEqual(code('REQUEST_CANCELLED'));
      expect(order).toEqual([]);
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

    it('records what a refused request was decided on', async () => {
      const guest = acting({}, ['chat.read']);
      const access = { ...resolves(guest), denied: () => Promise.resolve() };
      await expect(service({}, {}, access).submit(key, body(), submission())).rejects.toEqual(
        code('RBAC_PERMISSION_DENIED'),
      );
      expect(givenBack).toEqual(['greenfood-dao']);
      expect(refusals).toMatchObject([
        {
          id: 'r1',
          daoId: 'greenfood-dao',
          actor: 'tg:12345',
          code: 'RBAC_PERMISSION_DENIED',
          configHash: 'h',
          inputs: { mode: 'chat', promptHead: 'How long is a vote?', promptLength: 19, access: guest.facts },
        },
      ]);
    });

    it('accepts nothing where no provider can answer in time', async () => {
      const full = plans(new AppError('QUEUE_FULL'));
      await expect(service({}, {}, resolves(), full).submit(key, body(), submission())).rejects.toEqual(
        code('QUEUE_FULL'),
      );
    });

    it('tells the workflow which providers cannot be asked', async () => {
      const skipped: Unavailable[] = [{ provider: 'fake', reason: 'CoolingDown', retryAfterMs: 5 }];
      await service(accepts(), starts('eager'), resolves(), plans(skipped)).submit(key, body(), submission());
      expect(started).toMatchObject([{ skipped }]);
    });

    it('gives the reserved place back when the request cannot be written down', async () => {
      const requests = { accept: () => Promise.reject(new AppError('STORE_UNAVAILABLE')) };
      await expect(service(requests).submit(key, body(), submission())).rejects.toEqual(code('STORE_UNAVAILABLE'));
      expect(withdrawn).toEqual(['r1']);
    });

    it('starts nothing where nothing may or can take the request', async () => {
      const crew = acting({}, ['agent.crew']);
      await expect(service({}, {}, resolves(crew)).submit(key, body({ mode: 'crew' }), submission())).rejects.toEqual(
        code('CREW_NOT_FOUND'),
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

    it('is for nobody who may not ask any more', async () => {
      const { bodyHash } = await idempotencyOf({});
      const denied = jest.fn<AccessService['denied']>().mockResolvedValue(undefined);
      const earlier = record({ id: 'r0', status: 'completed', bodyHash, decision: aDecision() });
      const requests = { findByIdempotency: () => Promise.resolve(earlier) };
      const lost = { ...resolves(acting({}, ['chat.read'])), denied };
      const again = service(requests, {}, lost).submit(key, body(), asked);
      await expect(again).rejects.toMatchObject({
        code: 'RBAC_PERMISSION_DENIED',
        detail: { required_entitlement: 'chat.write' },
      });
      expect(denied).toHaveBeenCalledTimes(1);
    });

    it('is for everybody where no model was asked', async () => {
      const { bodyHash } = await idempotencyOf({});
      const known = record({ id: 'r0', status: 'completed', bodyHash });
      const earlier = { ...known, decision: { ...known.decision, chain: [] } };
      const requests = { findByIdempotency: () => Promise.resolve(earlier) };
      const guest = resolves(acting({}, ['chat.read']));
      expect(await service(requests, {}, guest).submit(key, body(), asked)).toMatchObject({ requestId: 'r0' });
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
      const [daoId, , since] = findByIdempotency.mock.calls[0]!;
      expect(daoId).toBe('greenfood-dao');
      expect(Math.abs(Date.now() - 24 * 3_600_000 - since.getTime())).toBeLessThan(5_000);
    });

    it('takes an empty one for none', async () => {
      await service(accepts(), starts('eager')).submit(key, body(), submission({ idempotencyKey: '' }));
      expect(accepted[0]?.idempotency).toBeUndefined();
    });
  });
});

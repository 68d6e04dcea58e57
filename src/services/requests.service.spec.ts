import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import type { Ending, RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { StartOutcome, TemporalGateway } from '../adapters/temporal/gateway.js';
import { MemorySharedState } from '../adapters/store/shared-state.js';
import { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { resolveActor } from '../domain/acting.js';
import { AppError } from '../errors/app-error.js';
import { aCaller } from '../../test/factories/access.js';
import { acting, record } from '../../test/factories/submissions.js';
import { strict } from '../../test/factories/strict.js';
import { until } from '../../test/fakes/generation-stage.js';
import { inputOf, toAccepted } from './accepted.js';
import type { AccessService, Acting, Named } from './access.service.js';
import type { AvailabilityService } from './availability.service.js';
import { Cancels } from './cancels.js';
import { RequestsService } from './requests.service.js';

const key = aCaller();

const code = (expected: string): unknown => expect.objectContaining({ name: 'AppError', code: expected });

describe('RequestsService', () => {
  let bus: InProcessTokenBus;
  let endings: Ending[];
  let withdrawn: string[];

  beforeEach(() => {
    [endings, withdrawn] = [[], []];
    bus = new InProcessTokenBus();
  });
  afterEach(() => {
    bus.close();
  });

  const ends = (ended: boolean): Partial<RequestsRepository> => ({
    recordEnding: (_id, _dao, ending) => {
      endings.push(ending);
      return Promise.resolve(ended);
    },
  });
  const finds = (found: RequestRecord | undefined): Partial<RequestsRepository> => ({
    find: (_id, daoId) => Promise.resolve(daoId === null || daoId === found?.daoId ? found : undefined),
  });
  const starts = (outcome: StartOutcome): Partial<TemporalGateway> => ({ start: () => Promise.resolve(outcome) });
  const resolves = (who: Acting = acting()): Partial<AccessService> => ({
    resolve: () => Promise.resolve(who),
    actorOf: async (by, userId) => Promise.resolve(resolveActor(by, userId)),
  });

  const service = (
    requests: Partial<RequestsRepository> = {},
    temporal: Partial<TemporalGateway> = {},
    access: Partial<AccessService> = resolves(),
  ): RequestsService =>
    new RequestsService(
      strict<RequestsRepository>('requests', requests),
      strict<AccessService>('access', access),
      strict<TemporalGateway>('temporal', temporal),
      new Cancels(new MemorySharedState(), bus, pino({ level: 'silent' })),
      strict<AvailabilityService>('availability', {
        withdraw: ({ requestId }) => {
          withdrawn.push(requestId);
          return Promise.resolve();
        },
      }),
      pino({ level: 'silent' }),
    );

  describe('abandon', () => {
    const abandoned = toAccepted(inputOf(record()));

    it('stops the call that runs here at once, and the workflow wherever it runs', async () => {
      let stopped = 0;
      bus.onCancel('r1', () => (stopped += 1));
      const cancel = jest.fn<TemporalGateway['cancel']>().mockResolvedValue(true);
      service({}, { cancel }).abandon(abandoned);
      expect(stopped).toBe(1);
      await until(() => cancel.mock.calls.length === 1);
    });

    it('asks again while Temporal is away', async () => {
      const away = new AppError('TEMPORAL_UNAVAILABLE');
      const cancel = jest.fn<TemporalGateway['cancel']>().mockRejectedValueOnce(away).mockResolvedValue(true);
      service({}, { cancel }).abandon(abandoned);
      await until(() => cancel.mock.calls.length === 2);
    });

    it('ends what has no workflow, and leaves what has ended as it is', async () => {
      const ended: string[] = [];
      const recordEnding: RequestsRepository['recordEnding'] = async (id) => ended.push(id) > 0;
      const cancel = jest.fn<TemporalGateway['cancel']>().mockResolvedValue(false);
      const find = jest
        .fn<RequestsRepository['find']>()
        .mockResolvedValueOnce(record({ status: 'completed' }))
        .mockResolvedValue(record({ status: 'accepted' }));
      const requests = service({ find, recordEnding }, { cancel });
      requests.abandon(abandoned);
      await until(() => find.mock.calls.length === 1);
      requests.abandon(abandoned);
      await until(() => ended.length === 1);
    });
  });

  describe('visible', () => {
    const sees = (found: RequestRecord | undefined, who: Acting, by = key): Promise<RequestRecord> =>
      service(finds(found), {}, resolves(who)).visible(by, 'r1', {});

    it('shows a request to its actor and to admins of its DAO', async () => {
      const found = record();
      expect(await sees(found, acting())).toBe(found);
      expect(
        await sees(found, acting({ actor: 'tg:1', rights: { roles: ['admin'], entitlements: ['ops.read'] } })),
      ).toBe(found);
    });

    it('hides it from an admin whose key lets other things through', async () => {
      const narrowed = acting({
        actor: 'tg:1',
        rights: { roles: ['admin'], entitlements: ['chat.read', 'chat.write'] },
      });
      await expect(sees(record(), narrowed)).rejects.toEqual(code('REQUEST_NOT_FOUND'));
    });

    it('hides it from everybody else, and from keys of other DAOs, as if it were not there', async () => {
      const expected = code('REQUEST_NOT_FOUND');
      await expect(sees(record(), acting({ actor: 'tg:222' }))).rejects.toEqual(expected);
      await expect(sees(record(), acting(), { ...key, daoId: 'other-dao' })).rejects.toEqual(expected);
      await expect(sees(undefined, acting())).rejects.toEqual(expected);
    });

    it('judges the caller in the DAO of the request', async () => {
      const resolve = jest.fn<(by: CallerKey, named: Named) => Promise<Acting>>().mockResolvedValue(acting());
      const access = { ...resolves(), resolve };
      await service(finds(record({ daoId: 'other-dao' })), {}, access).visible(key, 'r1', { userId: 'tg:12345' });
      expect(resolve).toHaveBeenCalledWith(key, { daoId: 'other-dao', userId: 'tg:12345' });
    });
  });

  describe('cancel', () => {
    it('stops the workflow and the call in this process', async () => {
      const stopped = jest.fn();
      bus.onCancel('r1', stopped);
      const cancel = jest.fn<TemporalGateway['cancel']>().mockResolvedValue(true);
      await service(finds(record({ status: 'running' })), { cancel }).cancel(key, 'r1', {});
      expect(cancel).toHaveBeenCalledWith('route/r1');
      expect(stopped).toHaveBeenCalledTimes(1);
      expect(withdrawn).toEqual(['r1']);
    });

    it('stops the run of a step', async () => {
      const step = record({ id: 'r1.plan-1.1.1', runId: 'r1', status: 'running' });
      const decision = { ...record().decision, mode: 'crew' as const, crew: { id: 'planning', version: 'v' } };
      const run = record({ status: 'running', decision });
      const find: RequestsRepository['find'] = (id) => Promise.resolve(id === step.id ? step : run);
      const cancel = jest.fn<TemporalGateway['cancel']>().mockResolvedValue(true);
      expect(await service({ find }, { cancel }).cancel(key, step.id, {})).toBe(run);
      expect(cancel.mock.calls).toEqual([['crew/planning/r1']]);
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

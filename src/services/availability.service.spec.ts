import { describe, expect, it } from '@jest/globals';
import type { CallOptions, ModelCall } from '../contracts/chat.js';
import type { Admission, PlaceRequest } from '../contracts/admission.js';
import type { ProviderStates } from '../contracts/providers.js';
import type { Decision, ProviderStep, RouteRequestInput, Unavailable } from '../contracts/request.js';
import { AppError } from '../errors/app-error.js';
import { policy } from '../../test/factories/submissions.js';
import { strict } from '../../test/factories/strict.js';
import { AvailabilityService, type Abilities } from './availability.service.js';

const pool = { name: 'ollama:gpu:11434', slots: 3, maxWaiting: 10, maxWaitMs: 30_000 };
const pooled: ProviderStep = { provider: 'local', ...policy, pool };
const remote: ProviderStep = { provider: 'remote', ...policy };

const input = (part: Partial<Decision>): RouteRequestInput => ({
  version: 1,
  requestId: 'r1',
  daoId: 'd1',
  actor: 'tg:1',
  deadlineAt: 60_000,
  decision: {
    mode: 'chat',
    rule: 'chat',
    chain: [pooled, remote],
    roles: [],
    entitlements: [],
    deadlineMs: 60_000,
    configHash: 'h',
    ...part,
  },
});

const cooling = (provider: string, retryAfterMs = 4_200): Unavailable => ({
  provider,
  reason: 'CoolingDown',
  retryAfterMs,
});

describe('AvailabilityService', () => {
  const service = (
    away: Unavailable[],
    refusal?: Omit<Unavailable, 'provider'>,
    reserved: PlaceRequest[] = [],
    abilities: Partial<Abilities> = {},
  ): AvailabilityService =>
    new AvailabilityService(
      strict<ProviderStates>('states', { unavailable: () => Promise.resolve(away) }),
      strict<Admission>('admission', {
        reserve: (request) => {
          reserved.push(request);
          return Promise.resolve(refusal);
        },
      }),
      strict<Abilities>('abilities', abilities),
    );

  it('reserves a place at the first provider, in the order of the mode and with the share of the DAO', async () => {
    const reserved: PlaceRequest[] = [];
    expect(await service([], undefined, reserved).plan(input({ weight: 2 }))).toEqual([]);
    expect(reserved).toEqual([
      {
        requestId: 'r1',
        daoId: 'd1',
        actor: 'tg:1',
        deadlineAt: 60_000,
        provider: 'local',
        pool,
        weight: 2,
        priority: 1,
      },
    ]);
  });

  it('passes over a provider that cools down, and reserves nothing there', async () => {
    const reserved: PlaceRequest[] = [];
    expect(await service([cooling('local')], undefined, reserved).plan(input({}))).toEqual([cooling('local')]);
    expect(reserved).toEqual([]);
  });

  it('passes over a provider whose queue has no place', async () => {
    const refusal = { reason: 'WaitTooLong', retryAfterMs: 1_000 } as const;
    expect(await service([], refusal).plan(input({}))).toEqual([{ provider: 'local', ...refusal }]);
  });

  it('refuses when nobody is left, with the earliest moment at which it is worth coming back', async () => {
    const refusal = { reason: 'QueueFull', retryAfterMs: 2_100 } as const;
    await expect(service([cooling('remote', 9_000)], refusal).plan(input({}))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      retryAfterSeconds: 3,
      detail: {
        attempts: [
          { provider: 'local', status: 'skipped', error: 'QueueFull' },
          { provider: 'remote', status: 'skipped', error: 'CoolingDown' },
        ],
      },
    });
  });

  it.each([
    ['CoolingDown', 'PROVIDERS_COOLING'],
    ['QueueFull', 'QUEUE_FULL'],
    ['WaitTooLong', 'QUEUE_FULL'],
    ['ShareFull', 'QUEUE_SHARE_FULL'],
  ] as const)('tells %s as %s', async (reason, code) => {
    const refusing = service([], { reason, retryAfterMs: 0 }).plan(input({ chain: [pooled] }));
    await expect(refusing).rejects.toMatchObject({ code, retryAfterSeconds: 1 });
  });

  it('refuses nothing that can be answered without a model', async () => {
    const away = [cooling('local'), cooling('remote')];
    expect(await service(away).plan(input({ answer: 'help' }))).toEqual(away);
    expect(await service(away).plan(input({ cache: { ttlMs: 1, maxEntries: 1 } }))).toEqual(away);
    expect(await service([]).plan(input({ chain: [], answer: 'dao' }))).toEqual([]);
  });

  it('needs no place for what can be answered otherwise, should the pool be out of reach', async () => {
    const admission = strict<Admission>('admission', {
      reserve: () => Promise.reject(new AppError('STORE_UNAVAILABLE')),
    });
    const states = strict<ProviderStates>('states', { unavailable: () => Promise.resolve([]) });
    const planning = new AvailabilityService(states, admission, strict<Abilities>('abilities', {}));
    expect(await planning.plan(input({ answer: 'help' }))).toEqual([]);
    await expect(planning.plan(input({}))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  describe('what a call asks for', () => {
    const chat = (options: CallOptions): ModelCall => ({
      kind: 'chat',
      messages: [{ role: 'user', content: 'Vote.' }],
      options,
    });
    const withTools = chat({ tools: [{ name: 'vote' }] });
    const facts = (able: readonly string[]): Partial<Abilities> => ({
      facts: (provider) =>
        Promise.resolve({
          model: 'm',
          contextLength: null,
          maxTokens: 100,
          capabilities: able.includes(provider) ? ['completion', 'tools'] : ['completion'],
          lacks: able.includes(provider) ? [] : ['logprobs'],
        }),
    });

    it('passes over a provider that cannot do it', async () => {
      const planning = service([], undefined, [], facts([remote.provider]));
      expect(await planning.plan(input({}), withTools)).toEqual([
        { provider: pooled.provider, reason: 'Unsupported', retryAfterMs: 0 },
      ]);
    });

    it('refuses what no provider can do, and names the parameter', async () => {
      const planning = service([], undefined, [], facts([]));
      const refusal = (param: string) => ({ code: 'PARAMETER_UNSUPPORTED', status: 400, detail: { param } });
      await expect(planning.plan(input({}), withTools)).rejects.toMatchObject(refusal('tools'));
      await expect(planning.plan(input({}), chat({ logprobs: 2 }))).rejects.toMatchObject(refusal('logprobs'));
    });

    it('says what is lacking where the parameter alone would not tell', async () => {
      const planning = service([], undefined, [], facts([]));
      const vectors = planning.plan(input({}), { kind: 'embeddings', input: ['x'] });
      await expect(vectors).rejects.toThrow(/^\w+ makes no embeddings, nor can any other .* GET \/v1\/models/);
    });

    it('tells when it is worth coming back to the one that could, and rests', async () => {
      const planning = service([cooling(remote.provider)], undefined, [], facts([remote.provider]));
      await expect(planning.plan(input({}), withTools)).rejects.toMatchObject({
        code: 'PROVIDERS_COOLING',
        retryAfterSeconds: 5,
      });
    });

    it('asks nobody what they can do where nothing is asked for', async () => {
      expect(await service([]).plan(input({ chain: [remote] }), chat({ temperature: 1 }))).toEqual([]);
    });
  });

  it('takes a request out of each pool of its chain once', async () => {
    const calls: unknown[] = [];
    const admission = strict<Admission>('admission', {
      withdraw: (...call) => {
        calls.push(call);
        return Promise.resolve();
      },
    });
    const withdrawing = new AvailabilityService(
      strict<ProviderStates>('states', {}),
      admission,
      strict<Abilities>('abilities', {}),
    );
    await withdrawing.withdraw(input({ chain: [pooled, remote, pooled] }));
    await withdrawing.withdraw(input({ chain: [remote] }));
    expect(calls).toEqual([['r1', ['ollama:gpu:11434']]]);
  });
});

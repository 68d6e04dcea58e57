import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { MemorySharedState } from '../../src/adapters/store/shared-state.js';
import type { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { GenerateCall, LlmProvider } from '../../src/adapters/llm/provider.js';
import type { PoolPolicy } from '../../src/contracts/request.js';
import { AppError } from '../../src/errors/app-error.js';
import { AdmissionService } from '../../src/services/admission.service.js';
import { strict } from '../../test/factories/strict.js';
import { aRecord } from '../../test/factories/requests.js';
import {
  aJob,
  asked,
  end,
  GenerationStage,
  hangs,
  says,
  text,
  until,
  type Script,
  type StageParts,
} from '../../test/fakes/generation-stage.js';

const SLOTS = 3;
const pool: PoolPolicy = { name: 'http://ollama:11434', slots: SLOTS, maxWaiting: 50, maxWaitMs: 60_000 };

describe('many calls of one pool', () => {
  let shared: MemorySharedState;
  let admission: AdmissionService;
  let stages: GenerationStage[];
  /** Calls at the provider, and the most there ever were at once. */
  let running: number;
  let most: number;

  beforeEach(() => {
    shared = new MemorySharedState();
    admission = new AdmissionService(shared, pino({ level: 'silent' }));
    [stages, running, most] = [[], 0, 0];
  });
  afterEach(async () => {
    for (const { bus } of stages) bus.close();
    await admission.close();
    await shared.close();
  });

  const counted = (script: Script): Script =>
    async function* (call) {
      running += 1;
      most = Math.max(most, running);
      try {
        yield* script(call);
      } finally {
        running -= 1;
      }
    };

  /** One request in a process's worker, with everything that it did. */
  function start(
    requestId: string,
    script: Script,
    parts: Omit<StageParts, 'admission'> = {},
  ): { stage: GenerationStage; ended: Promise<string> } {
    const stage = new GenerationStage();
    stages.push(stage);
    stage.environment = GenerationStage.environmentOf(`route/${requestId}`);
    const requests: Partial<RequestsRepository> = stage.writes(aJob({ record: aRecord({ id: requestId }) }));
    const input = asked({ requestId, step: { pool } });
    const call = stage.run(requests, counted(script), input, { ...parts, admission });
    const ended = call.then(
      ({ outcome }) => outcome,
      (error: unknown) => (error as { type: string }).type,
    );
    return { stage, ended };
  }

  it('are never more at once than it has slots, whoever is cancelled when', async () => {
    const slow: Script = async function* (call) {
      await new Promise((resolve) => setImmediate(resolve));
      yield* says(text('x'), end)(call);
    };
    const calls = Array.from({ length: 24 }, (_, at) => start(`r${at}`, at % 4 === 0 ? hangs(text('half')) : slow));
    const stuck = calls.filter((_, at) => at % 4 === 0);
    // Some are cancelled while they generate, some while they wait, when the first ones have filled the pool.
    for (const [at, { stage }] of stuck.entries()) {
      await until(() => at % 2 === 1 || stage.order.includes('token'));
      stage.bus.cancel(`r${at * 4}`);
    }
    const ends = await Promise.all(calls.map(({ ended }) => ended));
    expect(ends.filter((one) => one === 'recorded')).toHaveLength(18);
    expect(ends.filter((one) => one === 'Cancelled')).toHaveLength(6);
    expect(most).toBe(SLOTS);
    expect(running).toBe(0);
    expect(await admission.pools()).toMatchObject([{ running: 0, waiting: 0 }]);
  });

  it('tell where they stand, and those cancelled while they wait never reach the provider', async () => {
    const held = [1, 2, 3].map((at) => start(`held${at}`, hangs(text('x'))));
    for (const { stage } of held) await until(() => stage.order.includes('token'));
    const waiting = start('waiting', says(text('x'), end));
    await until(() => stages.at(-1)!.events.length > 0);
    expect(waiting.stage.events[0]).toMatchObject({
      type: 'queue',
      data: { provider: 'fake', position: 1, expected_wait_ms: expect.any(Number) },
    });
    await admission.withdraw('waiting', [pool.name]);
    expect(await waiting.ended).toBe('Cancelled');
    expect(waiting.stage.calls).toEqual([]);
    for (const [at, { stage, ended }] of held.entries()) {
      stage.bus.cancel(`held${at + 1}`);
      expect(await ended).toBe('Cancelled');
    }
  });

  /** As the API does before it accepts a request. */
  const reserve = (requestId: string) => {
    const { daoId, actor, weight, priority, deadlineAt } = asked();
    return admission.reserve({ requestId, provider: 'fake', pool, daoId, actor, weight, priority, deadlineAt });
  };
  const poolNamed = async (name: string) => (await admission.pools()).find((one) => one.name === name);

  describe('that a place was reserved for', () => {
    const away = { provider: 'fake', reason: 'CoolingDown' as const, retryAfterMs: 4_000 };

    it('leave it when they are not made, so that it is nobody’s', async () => {
      await reserve('r1');
      expect(await poolNamed(pool.name)).toMatchObject({ waiting: 1 });
      const { ended } = start('r1', hangs(), { states: { enter: async () => away } });
      expect(await ended).toBe('CoolingDown');
      expect(await poolNamed(pool.name)).toMatchObject({ waiting: 0, running: 0 });
    });

    it('leave it when they are cancelled before they stand in the queue', async () => {
      await reserve('r1');
      const enter = async () => {
        stages[0]?.bus.cancel('r1');
        return undefined;
      };
      expect(await start('r1', hangs(), { states: { enter } }).ended).toBe('Cancelled');
      expect(await poolNamed(pool.name)).toMatchObject({ waiting: 0, running: 0 });
    });

    it('keep it for the run that Temporal makes instead', async () => {
      await reserve('r1');
      const enter = () => Promise.reject(new AppError('STORE_UNAVAILABLE'));
      expect(await start('r1', hangs(), { states: { enter } }).ended).toBe('StoreUnavailable');
      expect(await poolNamed(pool.name)).toMatchObject({ waiting: 1 });
      expect(await start('r1', says(text('x'), end)).ended).toBe('recorded');
      expect(await poolNamed(pool.name)).toMatchObject({ waiting: 0, running: 0 });
    });
  });

  describe('of a provider whose address changes', () => {
    const moved: PoolPolicy = { ...pool, name: 'http://elsewhere:11434' };
    /** What the worker is configured to call. */
    let current: PoolPolicy;
    let addresses: Map<PoolPolicy, Address>;

    beforeEach(() => {
      current = pool;
      addresses = new Map([pool, moved].map((one) => [one, new Address()]));
    });

    const follows: Omit<StageParts, 'admission'> = {
      pool: () => current,
      provider: () => addresses.get(current)!.provider,
    };
    const begin = (ids: string[]) => ids.map((id) => start(id, hangs(), follows));
    const calls = async (address: PoolPolicy, count: number) =>
      until(() => addresses.get(address)!.calls.length === count);

    it('wait for the new one, and never run there without a slot of it', async () => {
      const first = begin(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
      await calls(pool, SLOTS);
      await until(() => stages.filter(({ order }) => order.includes('queue')).length === SLOTS);
      current = moved;
      const later = begin(['b1', 'b2', 'b3', 'b4']);
      await calls(moved, SLOTS);
      addresses.get(pool)!.answer();
      await calls(pool, SLOTS);
      const endings = Promise.all([...first, ...later].map(({ ended }) => ended));
      await until(() => stages.filter(({ order }) => order.includes('done')).length === SLOTS);
      addresses.get(moved)!.answer();
      expect(new Set(await endings)).toEqual(new Set(['recorded']));
      expect([pool, moved].map((one) => addresses.get(one)!.calls.length)).toEqual([3, 7]);
      expect([pool, moved].map((one) => addresses.get(one)!.most)).toEqual([SLOTS, SLOTS]);
      for (const { name } of [pool, moved]) expect(await poolNamed(name)).toMatchObject({ waiting: 0, running: 0 });
    });

    it('leave the place that was reserved under the old one', async () => {
      await reserve('r1');
      current = moved;
      const { ended } = start('r1', hangs(), follows);
      await calls(moved, 1);
      expect(await poolNamed(pool.name)).toMatchObject({ waiting: 0, running: 0 });
      expect(await poolNamed(moved.name)).toMatchObject({ waiting: 0, running: 1 });
      addresses.get(moved)!.answer();
      expect(await ended).toBe('recorded');
    });

    it('go to the one whose slot they hold, though it changes at the last moment', async () => {
      const stage = new GenerationStage();
      stages.push(stage);
      const claim: RequestsRepository['claim'] = async () => {
        current = moved;
        return aJob();
      };
      const parts = { ...follows, admission };
      const running = stage.run({ ...stage.writes(), claim }, hangs(), asked({ step: { pool } }), parts);
      await calls(pool, 1);
      addresses.get(pool)!.answer();
      expect(await running).toMatchObject({ outcome: 'recorded' });
      expect(addresses.get(moved)!.calls).toEqual([]);
    });
  });
});

/** An endpoint that answers when it is told to, and counts its calls. */
class Address {
  readonly calls: GenerateCall[] = [];
  most = 0;
  private running = 0;
  private readonly gate = Promise.withResolvers<undefined>();

  readonly provider = strict<LlmProvider>('provider', { generate: (call) => this.generate(call) });

  answer(): void {
    this.gate.resolve(undefined);
  }

  private async *generate(call: GenerateCall): ReturnType<Script> {
    this.calls.push(call);
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await this.gate.promise;
    try {
      yield* [text('x'), end];
    } finally {
      this.running -= 1;
    }
  }
}

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { aDecision, aRecord, aRequest } from '../../test/factories/requests.js';
import { strict } from '../../test/factories/strict.js';
import { asked, until } from '../../test/fakes/generation-stage.js';
import type { LlmRegistry } from '../adapters/llm/registry.js';
import { ProviderError, type GenerateCall, type GenerateChunk, type LlmProvider } from '../adapters/llm/provider.js';
import type { NewRequest, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { Spent } from '../adapters/store/usage.repository.js';
import { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import type { PositionedEvent } from '../contracts/events.js';
import type { Failure } from '../contracts/failures.js';
import type { ProviderStates } from '../contracts/providers.js';
import type { PoolPolicy, RouteRequestInput, Unavailable } from '../contracts/request.js';
import { HeadStarts } from './head-starts.js';

const USAGE = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
const POOL: PoolPolicy = { name: 'p', slots: 3, maxWaiting: 9, maxWaitMs: 1_000 };

/** A model that says what it is told to, when it is told to. */
class Puppet {
  readonly calls: GenerateCall[] = [];
  private readonly said: GenerateChunk[] = [];
  private failure: Error | undefined;
  private wake = (): void => undefined;

  says(...chunks: GenerateChunk[]): void {
    this.said.push(...chunks);
    this.wake();
  }

  fails(error: Error): void {
    this.failure = error;
    this.wake();
  }

  async *generate(call: GenerateCall): AsyncGenerator<GenerateChunk> {
    this.calls.push(call);
    call.onSent?.();
    call.signal.addEventListener('abort', () => {
      this.wake();
    });
    for (;;) {
      const next = this.said.shift();
      if (next) yield next;
      if (next?.type === 'end') return;
      if (next) continue;
      call.signal.throwIfAborted();
      if (this.failure) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

const text = (part: string): GenerateChunk => ({ type: 'text', text: part });
const end: GenerateChunk = { type: 'end', finishReason: 'stop', usage: USAGE };

describe('HeadStarts', () => {
  let bus: InProcessTokenBus;
  let puppet: Puppet;
  let events: PositionedEvent[];
  let spent: [string, Spent][];
  let failures: Failure[];
  let well: boolean;
  let pool: PoolPolicy | undefined;
  let enabled: boolean;
  let readingMs: number;
  let connected: boolean;
  /** The row as another call may have claimed it. */
  let found: ReturnType<typeof aRecord> | undefined;
  let starts: HeadStarts;

  const row = (part: Partial<NewRequest> = {}): NewRequest =>
    aRequest({ id: 'r1', begunAt: 'fake', prompt: 'How long is a vote?', ...part });
  const input = (part: Partial<RouteRequestInput> = {}): RouteRequestInput => ({
    version: 1,
    requestId: 'r1',
    daoId: 'greenfood-dao',
    actor: 'tg:12345',
    deadlineAt: Date.now() + 60_000,
    decision: aDecision(),
    ...part,
  });
  /** The first call of a request, as its workflow asks for it. */
  const first = () => asked({ attempts: [] });
  const types = (): string[] => events.map((event) => (event.type === 'token' ? event.data.text : event.type));

  beforeEach(() => {
    [events, spent, failures, well, pool, enabled, found] = [[], [], [], true, undefined, true, undefined];
    [readingMs, connected] = [0, true];
    bus = new InProcessTokenBus();
    bus.publish = (_id, event) => void events.push(event);
    puppet = new Puppet();
    starts = new HeadStarts({
      requests: strict<RequestsRepository>('requests', {
        background: () =>
          sleep(readingMs, {
            daoName: 'GreenFood DAO',
            daoFacts: { voting: 'Seven days.' },
            history: [],
            summary: null,
          }),
        find: () => Promise.resolve(found),
        recordUnwanted: async ({ daoId }, used) => void spent.push([daoId, used]),
        recordSpent: async (id, daoId, _generation, used) =>
          void spent.push([`${daoId} ${id}`, { ...used, requests: 0 }]),
      }),
      registry: strict<LlmRegistry>('registry', {
        get: () => strict<LlmProvider>('provider', { generate: (call) => puppet.generate(call) }),
        pool: () => pool,
        sampling: () => ({ temperature: 0.3, topP: 0.9 }),
      }),
      states: strict<ProviderStates>('states', {
        isWell: () => Promise.resolve(well),
        failed: async (_provider, failure) => void failures.push(failure),
      }),
      bus,
      temporal: {
        get isConnected() {
          return connected;
        },
      },
      log: pino({ level: 'silent' }),
      settings: () => ({ enabled, historyTokens: 1_000 }),
    });
  });
  afterEach(async () => {
    await starts.close();
    bus.close();
    jest.useRealTimers();
  });

  /** Begins, and waits until the model was asked. */
  const begin = async (part: Partial<NewRequest> = {}): Promise<void> => {
    void starts.begin(input(), row(part));
    await until(() => puppet.calls.length === 1);
  };

  describe('whose call may begin', () => {
    it('is that of the first provider that can be asked', () => {
      const [step] = aDecision().chain;
      const decision = aDecision({ chain: [{ ...step!, provider: 'other' }, step!] });
      const away: Unavailable = { provider: 'other', reason: 'CoolingDown', retryAfterMs: 1 };
      expect(starts.stepFor(input({ decision, skipped: [away] }))?.provider).toBe('fake');
      expect(starts.stepFor(input({ decision }))?.provider).toBe('other');
    });

    it('is nobody’s while Temporal was not found', () => {
      connected = false;
      expect(starts.stepFor(input())).toBeUndefined();
      connected = true;
      expect(starts.stepFor(input())).toBeDefined();
    });

    it.each([
      ['it must queue', { pool: POOL }, {}],
      ['it runs on another queue', { shape: 'queue' as const }, {}],
      ['a kept answer may come before it', {}, { cache: { ttlMs: 1, maxEntries: 1 } }],
      ['there is no provider', {}, { chain: [] }],
    ])('is nobody’s where %s', (_why, step, decision) => {
      const chain = aDecision().chain.map((one) => ({ ...one, ...step }));
      expect(starts.stepFor(input({ decision: aDecision({ chain, ...decision }) }))).toBeUndefined();
    });

    it('is nobody’s where the endpoint has got a pool since, or the profile says so', () => {
      pool = POOL;
      expect(starts.stepFor(input())).toBeUndefined();
      [pool, enabled] = [undefined, false];
      expect(starts.stepFor(input())).toBeUndefined();
    });

    it('is nobody’s for a while after a refused start, and after one that was not eager', async () => {
      jest.useFakeTimers();
      starts.startFailed();
      expect(starts.stepFor(input())).toBeUndefined();
      jest.advanceTimersByTime(5_000);
      expect(starts.stepFor(input())).toBeDefined();
      await starts.accepted('r9', false);
      expect(starts.stepFor(input())).toBeUndefined();
      jest.advanceTimersByTime(1_000);
      expect(starts.stepFor(input())).toBeDefined();
    });
  });

  describe('what is asked', () => {
    it('is the conversation of the stack', async () => {
      await begin();
      expect(puppet.calls[0]).toMatchObject({ maxTokens: 128, temperature: 0.3, topP: 0.9 });
      expect(puppet.calls[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user']);
      expect(JSON.stringify(puppet.calls[0]?.messages)).toContain('Seven days.');
    });

    it('is the client’s own conversation as it is, no longer than the provider may', async () => {
      const messages = [{ role: 'user' as const, content: 'As it is.' }];
      const options = { maxTokens: 9_999, temperature: 0, stop: ['x'] };
      await begin({ call: { kind: 'chat', messages, options } });
      expect(puppet.calls[0]).toMatchObject({ messages, options, maxTokens: 128, temperature: 0, topP: 0.9 });
    });

    it('is nothing where the provider has failed of late, or got a pool meanwhile', async () => {
      well = false;
      void starts.begin(input(), row());
      expect(await starts.adopt(first())).toBeUndefined();
      [well, pool] = [true, POOL];
      void starts.begin(input(), row());
      expect(await starts.adopt(first())).toBeUndefined();
      expect(puppet.calls).toEqual([]);
    });
  });

  describe('accept, first token, end, adoption in every order', () => {
    type Step = 'token' | 'end' | 'accept' | 'adopt';
    const orders: Step[][] = [
      ['token', 'end', 'accept', 'adopt'],
      ['token', 'accept', 'end', 'adopt'],
      ['token', 'accept', 'adopt', 'end'],
      ['accept', 'token', 'end', 'adopt'],
      ['accept', 'token', 'adopt', 'end'],
      ['accept', 'adopt', 'token', 'end'],
      // The activity may come before the start has been answered.
      ['token', 'end', 'adopt', 'accept'],
      ['token', 'adopt', 'end', 'accept'],
      ['adopt', 'token', 'end', 'accept'],
      ['adopt', 'accept', 'token', 'end'],
      ['token', 'adopt', 'accept', 'end'],
      ['adopt', 'token', 'accept', 'end'],
    ];

    it.each(orders.flatMap((order) => [true, false].map((here) => ({ order, here }))))(
      'gives one answer, and nothing before acceptance: $order, here $here',
      async ({ order, here }) => {
        await begin();
        let adopted: Awaited<ReturnType<HeadStarts['adopt']>>;
        let mayShow = false;
        const steps: Record<Step, () => Promise<void>> = {
          token: async () => puppet.says(text('Seven days.')),
          end: async () => puppet.says(end),
          accept: async () => {
            mayShow ||= here;
            await starts.accepted('r1', here);
          },
          adopt: async () => {
            mayShow = true;
            adopted = await starts.adopt(first());
            adopted?.call.release();
          },
        };
        for (const step of order) {
          await steps[step]();
          await new Promise((resolve) => setImmediate(resolve));
          if (!mayShow) expect(events).toEqual([]);
        }
        expect(await adopted?.call.ended).toMatchObject({ finishReason: 'stop', usage: USAGE });
        expect(adopted?.call.text).toBe('Seven days.');
        expect(adopted?.record).toMatchObject({ id: 'r1', generation: 1, provider: 'fake' });
        await until(() => types().length === 2);
        expect(types()).toEqual(['attempt', 'Seven days.']);
        expect([puppet.calls.length, spent]).toEqual([1, []]);
        expect(await starts.adopt(first())).toBeUndefined();
      },
    );
  });

  describe('a start that is refused', () => {
    it('ends the call, shows nothing and counts what was said', async () => {
      await begin();
      puppet.says(text('Seven'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(starts.takeBack('r1')).toBe(true);
      await until(() => spent.length === 1);
      expect(puppet.calls[0]?.signal.aborted).toBe(true);
      expect([events, await starts.adopt(first())]).toEqual([[], undefined]);
      expect(spent).toMatchObject([['greenfood-dao', { provider: 'fake', usage: { estimated: true } }]]);
    });

    it('counts nothing of a call that had not said anything', async () => {
      await begin();
      starts.takeBack('r1');
      await until(() => puppet.calls[0]!.signal.aborted);
      await starts.close();
      expect(spent).toEqual([]);
    });

    it('counts the whole answer, as its provider did, if that had come', async () => {
      await begin();
      puppet.says(text('Seven days.'), end);
      await new Promise((resolve) => setImmediate(resolve));
      starts.takeBack('r1');
      await until(() => spent.length === 1);
      expect(spent).toEqual([['greenfood-dao', { provider: 'fake', usage: USAGE }]]);
    });

    it('has no call to take back once the activity has it', async () => {
      await begin();
      const adopted = await starts.adopt(first());
      expect(starts.takeBack('r1')).toBe(false);
      expect(puppet.calls[0]?.signal.aborted).toBe(false);
      adopted?.call.stop(new Error('the test is over'));
    });
  });

  describe('a cancel', () => {
    const cancelled = { failure: { type: 'Cancelled' } };

    it('before the adoption stops the model at once, and is what the activity meets', async () => {
      await begin();
      await starts.accepted('r1', true);
      bus.cancel('r1');
      expect(puppet.calls[0]?.signal.aborted).toBe(true);
      const adopted = await starts.adopt(first());
      await expect(adopted?.call.ended).rejects.toMatchObject(cancelled);
    });

    it('counts what was sent where nobody takes the call over: going away is not free', async () => {
      await begin();
      bus.cancel('r1');
      starts.takeBack('r1');
      await until(() => spent.length === 1);
      const [[, { usage }]] = spent as [[string, Spent]];
      expect(usage).toMatchObject({ completion_tokens: 0, estimated: true });
      expect(usage.prompt_tokens).toBeGreaterThan(10);
    });

    it('before the call was made keeps it from being made, here and by the activity', async () => {
      void starts.begin(input(), row());
      bus.cancel('r1');
      await expect(starts.adopt(first())).rejects.toMatchObject(cancelled);
      expect(puppet.calls).toEqual([]);
    });

    it('after the adoption is the activity’s business', async () => {
      await begin();
      const adopted = await starts.adopt(first());
      bus.cancel('r1');
      expect(puppet.calls[0]?.signal.aborted).toBe(false);
      adopted?.call.stop(new Error('the test is over'));
    });
  });

  describe('a failure of the model before the adoption', () => {
    it('is what the activity meets', async () => {
      await begin();
      puppet.fails(new ProviderError('RateLimited', 'slower', 1_234));
      const adopted = await starts.adopt(first());
      await expect(adopted?.call.ended).rejects.toMatchObject({ type: 'RateLimited', retryAfterMs: 1_234 });
    });

    it('is told of the provider where nobody comes', async () => {
      await begin();
      puppet.fails(new ProviderError('ProviderUnavailable', 'away'));
      await new Promise((resolve) => setImmediate(resolve));
      starts.takeBack('r1');
      await until(() => failures.length === 1);
      expect(failures).toMatchObject([{ type: 'ProviderUnavailable' }]);
    });
  });

  describe('an activity that does not come', () => {
    it('because another call has claimed the request: the call ends within a moment, and is counted', async () => {
      await begin();
      puppet.says(text('Seven'));
      found = aRecord({ id: 'r1', generation: 2 });
      await starts.accepted('r1', true);
      await until(() => spent.length === 1);
      expect(puppet.calls[0]?.signal.aborted).toBe(true);
    });

    it.each([
      ['unless a reader sees it', false, true],
      ['but not one that a reader sees', true, false],
    ])('at all: the call ends after five seconds, %s', async (_which, here, ends) => {
      await begin();
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
      found = aRecord({ id: 'r1', generation: 1 });
      await starts.accepted('r1', here);
      await jest.advanceTimersByTimeAsync(4_900);
      expect(puppet.calls[0]?.signal.aborted).toBe(false);
      await jest.advanceTimersByTimeAsync(700);
      expect(puppet.calls[0]?.signal.aborted).toBe(ends);
      // The next ones wait for their activities.
      expect(starts.stepFor(input())).toBeUndefined();
    });

    it('since there are as many calls as activities have room for: no more begin early', async () => {
      for (let n = 0; n < 200; n += 1) void starts.begin({ ...input(), requestId: `r${n}` }, row({ id: `r${n}` }));
      expect(starts.stepFor(input())).toBeUndefined();
      starts.takeBack('r7');
      expect(starts.stepFor(input())).toBeDefined();
    });

    it('before the provider’s own time is over: the call is too slow', async () => {
      const chain = aDecision().chain.map((step) => ({ ...step, timeoutMs: 30 }));
      void starts.begin(input({ decision: aDecision({ chain }) }), row());
      await until(() => puppet.calls.length === 1);
      await until(() => puppet.calls[0]!.signal.aborted);
      expect(puppet.calls[0]?.signal.reason).toMatchObject({ failure: { type: 'ProviderTimeout' } });
    });

    it('before its own time is over, which is its own: what is read first does not count', async () => {
      readingMs = 60;
      const chain = aDecision().chain.map((one) => ({ ...one, timeoutMs: 50 }));
      void starts.begin(input({ decision: aDecision({ chain }) }), row());
      await until(() => puppet.calls.length === 1);
      const calledAt = performance.now();
      await until(() => puppet.calls[0]!.signal.aborted);
      // Timers may be a moment early.
      expect(performance.now() - calledAt).toBeGreaterThan(45);
    });
  });

  it('gives no call to an activity that is to ask another provider, or asks again', async () => {
    await begin();
    expect(await starts.adopt(asked({ attempts: [], step: { provider: 'other' } }))).toBeUndefined();
    expect(puppet.calls[0]?.signal.aborted).toBe(true);
    void starts.begin(input(), row());
    await until(() => puppet.calls.length === 2);
    expect(await starts.adopt(asked())).toBeUndefined();
    expect(puppet.calls[1]?.signal.aborted).toBe(true);
  });

  it('lets calls be taken over before the process ends, and begins no more', async () => {
    await begin();
    let drained = false;
    const draining = starts.drain().then(() => (drained = true));
    expect(starts.stepFor(input())).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(drained).toBe(false);
    const adopted = await starts.adopt(first());
    await draining;
    adopted?.call.stop(new Error('the test is over'));
    await starts.drain();
  });

  it('stops everything that nobody has taken over when the process ends', async () => {
    await begin();
    await starts.close();
    expect(puppet.calls[0]?.signal.aborted).toBe(true);
  });

  describe('of a step of a crew', () => {
    const step = () => ({ ...row({ id: 'r1' }), runId: 'run' });

    it('is handed over with its run, and says nothing before', async () => {
      await starts.beginStep(input(), step());
      await until(() => puppet.calls.length === 1);
      puppet.says(text('Seven'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(types()).not.toContain('Seven');
      const adopted = await starts.adopt(first());
      expect(adopted?.record).toMatchObject({ id: 'r1', runId: 'run', generation: 1 });
      adopted?.call.stop(new Error('the test is over'));
    });

    it('ends where nobody takes it over, and what it used is its run’s', async () => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
      void starts.beginStep(input(), step());
      await until(() => puppet.calls.length === 1);
      puppet.says(text('Seven'));
      await jest.advanceTimersByTimeAsync(5_500);
      expect(puppet.calls[0]?.signal.aborted).toBe(true);
      puppet.says(end);
      await jest.advanceTimersByTimeAsync(2_000);
      expect(spent).toMatchObject([['greenfood-dao r1', { provider: 'fake' }]]);
    });

    it('ends once another call has the step', async () => {
      await starts.beginStep(input(), step());
      await until(() => puppet.calls.length === 1);
      found = aRecord({ generation: 2, status: 'running' });
      await until(() => puppet.calls[0]?.signal.aborted === true);
      expect(await starts.adopt(first())).toBeUndefined();
    });
  });
});

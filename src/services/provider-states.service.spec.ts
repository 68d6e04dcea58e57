import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { Failure, FailureType } from '../contracts/failures.js';
import type { SharedState } from '../contracts/shared-state.js';
import { ProviderStatesService } from './provider-states.service.js';

/** Values in memory, as several processes see them, with a clock of their own. */
class Values {
  readonly kept = new Map<string, string>();
  readonly alive = new Set<string>();
  reads = 0;
  changes = 0;
  writes = 0;
  now = 1_000_000_000_000;
  broken: 'away' | 'silent' | undefined;

  of(processId: string): SharedState {
    this.alive.add(processId);
    return {
      processId,
      change: async (name, change) => {
        this.changes += 1;
        await this.trouble();
        const kept = this.kept.get(name);
        const before = kept === undefined ? undefined : (JSON.parse(kept) as never);
        const { state, result } = change(before, { now: this.now, alive: this.alive });
        if (state !== before) this.writes += 1;
        if (state !== before) this.kept.set(name, JSON.stringify(state));
        return result;
      },
      read: async (prefix) => {
        this.reads += 1;
        await this.trouble();
        const fitting = [...this.kept].filter(([name]) => name.startsWith(prefix));
        return new Map(fitting.map(([name, value]) => [name, JSON.parse(value) as unknown]));
      },
      onChange: () => {
        throw new Error('not used');
      },
      close: () => Promise.resolve(),
    };
  }

  private async trouble(): Promise<void> {
    if (this.broken === 'away') throw new Error('away');
    if (this.broken === 'silent') await new Promise(() => undefined);
  }
}

const failure = (type: FailureType = 'ProviderUnavailable', retryAfterMs?: number): Failure => ({
  type,
  message: 'why',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

describe('ProviderStatesService', () => {
  let values: Values;
  let lines: string[];
  let passedMs: number;
  let first: ProviderStatesService;
  let second: ProviderStatesService;

  beforeEach(() => {
    [values, lines, passedMs] = [new Values(), [], 0];
    jest.spyOn(performance, 'now').mockImplementation(() => passedMs);
    jest.spyOn(Date, 'now').mockImplementation(() => 2_000 + passedMs);
    [first, second] = [service('first'), service('second')];
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  function service(id: string, patienceMs?: number): ProviderStatesService {
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    return new ProviderStatesService(values.of(id), log, patienceMs);
  }

  function pass(ms: number): void {
    passedMs += ms;
    values.now += ms;
  }

  async function cool(by = first): Promise<void> {
    for (const request of ['a', 'b', 'c']) await by.failed('x', failure(), request);
  }

  const cooling = (retryAfterMs: number): object => ({ provider: 'x', reason: 'CoolingDown', retryAfterMs });

  it('leaves a provider alone that failed, in every process, by the clock that all share', async () => {
    await cool();
    expect(await first.unavailable(['w', 'x'])).toEqual([cooling(5_000)]);
    pass(1_000);
    expect(await first.unavailable(['x', 'w'])).toEqual([cooling(4_000)]);
    expect(await first.enter('x', 'r')).toEqual(cooling(4_000));
    await second.failed('w', failure(), 'its clock is known now');
    expect(await second.unavailable(['x'])).toEqual([cooling(4_000)]);
    expect(await second.enter('w', 'r')).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining('left alone')]);
  });

  it('lets one call of all processes find out, and takes the provider back', async () => {
    await cool();
    await second.failed('w', failure(), 'its clock is known now');
    pass(5_000);
    expect(await second.unavailable(['x'])).toEqual([]);
    const entered = await Promise.all([first, second, first, second].map((one) => one.enter('x', 'r')));
    expect(entered.filter((one) => one === undefined)).toHaveLength(1);
    pass(1_000);
    expect(await first.unavailable(['x'])).toEqual([cooling(5_000)]);
    expect(await first.describe('x')).toMatchObject({ state: 'probing', cooldown: { failures: 3 } });
    await first.succeeded('x', 'r');
    pass(1_000);
    expect(await second.unavailable(['x'])).toEqual([]);
    expect(await second.describe('x')).toEqual({ state: 'ok', cooldown: null });
    expect(lines.at(-1)).toContain('answers again');
    expect(lines.at(-1)).toContain('"request_id":"r"');
  });

  it('frees a probe that was given up, or failed of something else', async () => {
    await cool();
    pass(5_000);
    for (const end of [() => first.abandoned('x', 'r'), () => first.failed('x', failure('Cancelled'), 'r')]) {
      expect(await first.enter('x', 'r')).toBeUndefined();
      expect(await first.enter('x', 'r')).toBeDefined();
      await end();
    }
    expect(await first.enter('x', 'r')).toBeUndefined();
  });

  it('keeps a probe whatever older calls of its process come to', async () => {
    await cool();
    pass(5_000);
    expect(await first.enter('x', 'probe')).toBeUndefined();
    await first.abandoned('x', 'older');
    await first.failed('x', failure('Cancelled'), 'older');
    await first.failed('x', failure('ProviderTimeout'), 'older');
    expect(await first.enter('x', 'other')).toEqual(cooling(5_000));
    await first.failed('x', failure('ProviderTimeout'), 'probe');
    expect(await first.unavailable(['x'])).toEqual([cooling(10_000)]);
  });

  it('frees the probe of a process that died', async () => {
    await cool();
    await second.failed('w', failure(), 'its clock is known now');
    pass(5_000);
    expect(await second.enter('x', 'r')).toBeUndefined();
    pass(1_000);
    expect(await first.enter('x', 'r')).toBeDefined();
    values.alive.delete('second');
    pass(1_000);
    expect(await first.enter('x', 'r')).toBeUndefined();
  });

  it('writes nothing while others wait for a probe', async () => {
    await cool();
    await second.failed('w', failure(), 'its clock is known now');
    pass(5_000);
    expect(await second.enter('x', 'r')).toBeUndefined();
    const { writes } = values;
    for (let call = 0; call < 5; call += 1) {
      pass(1_000);
      expect(await first.enter('x', 'r')).toBeDefined();
    }
    expect(values.writes).toBe(writes);
  });

  it('tells what it failed of', async () => {
    for (const request of ['a', 'b']) await first.failed('x', failure('RateLimited', 60_000), request);
    expect(await first.describe('x')).toEqual({
      state: 'cooling',
      cooldown: { until: new Date(values.now + 60_000).toISOString(), failures: 2, reason: 'RateLimited' },
    });
  });

  it('neither reads nor writes while all is well and known', async () => {
    for (let call = 0; call < 5; call += 1) {
      expect(await first.unavailable(['x', 'y'])).toEqual([]);
      expect(await first.enter('x', 'r')).toBeUndefined();
      await first.succeeded('x', 'r');
      await first.failed('x', failure('ContextLengthExceeded'), 'a');
      await first.abandoned('x', 'r');
      pass(99);
    }
    expect([values.reads, values.changes]).toEqual([1, 0]);
  });

  it('renews what it knows behind the answer, before anybody has to wait for it', async () => {
    await first.unavailable([]);
    pass(600);
    values.broken = 'silent';
    expect(await first.unavailable(['x'])).toEqual([]);
    expect(values.reads).toBe(2);
  });

  it('hears within a second of what another process met', async () => {
    await first.unavailable([]);
    await cool(second);
    pass(1_000);
    await first.failed('w', failure(), 'its clock is known now');
    expect(await first.unavailable(['x'])).toEqual([cooling(4_000)]);
  });

  it.each(['away', 'silent'] as const)('stops no call, and says so once, while the values are %s', async (broken) => {
    const sut = service('third', 1);
    await cool(sut);
    pass(1_000);
    values.broken = broken;
    for (let call = 0; call < 3; call += 1) {
      expect(await sut.unavailable(['x'])).toEqual([]);
      expect(await sut.enter('x', 'r')).toBeUndefined();
      await sut.failed('x', failure(), 'a');
      await sut.succeeded('x', 'r');
      pass(1_000);
    }
    expect(lines.filter((line) => line.includes('every provider is asked'))).toHaveLength(1);
    values.broken = undefined;
    expect(await sut.unavailable(['x'])).toEqual([cooling(1_000)]);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { DeliveryError } from '../../errors/delivery-error.js';
import { Pace, type PaceSettings, type Turn } from './pace.js';

const private_ = (chat: string): Turn => ({ place: { chat, kind: 'private' } });
const group = (chat: string): Turn => ({ place: { chat, kind: 'group' } });
const tooMany = (seconds: number) => new DeliveryError('limited', 'no', { retryAfterMs: seconds * 1_000 });

/** Calls through a pace, and when each was made, in milliseconds since the beginning. */
class Calls {
  readonly made: { name: string; at: number }[] = [];
  readonly refused: { name: string; at: number; retryAfterMs: number | undefined }[] = [];
  readonly pace: Pace;
  private readonly beganAt = Date.now();

  constructor(settings: PaceSettings = {}) {
    this.pace = new Pace(settings);
  }

  /** @param answer what the platform does with it */
  async call(turn: Turn, name: string, answer: () => Promise<void> = async () => {}): Promise<void> {
    try {
      await this.pace.run(turn, async () => {
        this.made.push({ name, at: this.now });
        await answer();
      });
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      this.refused.push({ name, at: this.now, retryAfterMs: error.detail.retryAfterMs });
    }
  }

  get now(): number {
    return Date.now() - this.beganAt;
  }

  get names(): string[] {
    return this.made.map(({ name }) => name);
  }

  get times(): number[] {
    return this.made.map(({ at }) => at);
  }
}

/** Most calls in any stretch of time of that length. */
const mostWithin = (times: readonly number[], ms: number): number =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));

describe(Pace.name, () => {
  let calls: Calls;

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_900_000_000_000 });
    calls = new Calls();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it('lets two calls go at once in a private chat, then one a second, in the order in which they came', async () => {
    for (const name of ['1', '2', '3', '4']) void calls.call(private_('a'), name);
    await pass(0);
    expect(calls.names).toEqual(['1', '2']);
    await pass(1_000);
    expect(calls.names).toEqual(['1', '2']);
    await pass(2_000);
    expect(calls.names).toEqual(['1', '2', '3', '4']);
    expect(calls.refused).toEqual([]);
  });

  it('tells a call that cannot go within three seconds when to come back', async () => {
    for (const name of ['1', '2', '3', '4', '5', '6', '7']) void calls.call(private_('a'), name);
    await pass(3_000);
    expect(calls.names).toEqual(['1', '2', '3', '4']);
    expect(calls.refused.map(({ name }) => name)).toEqual(['5', '6', '7']);
    for (const { at, retryAfterMs } of calls.refused) {
      expect(at).toBeLessThanOrEqual(3_000);
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(1_050);
    }
  });

  it('does not make one chat wait for another', async () => {
    for (const name of ['1', '2', '3']) void calls.call(private_('a'), name);
    void calls.call(private_('b'), 'other');
    await pass(100);
    expect(calls.names.toSorted()).toEqual(['1', '2', 'other']);
  });

  it('makes calls of a chat one after the other, and goes on after one that fails', async () => {
    let end = (): void => {};
    void calls.call(private_('a'), 'slow', () => new Promise((done) => (end = done)));
    void calls.call(private_('a'), 'failing', async () => Promise.reject(new DeliveryError('refused', 'no')));
    await pass(500);
    expect(calls.names).toEqual(['slow']);
    end();
    await pass(0);
    expect(calls.names).toEqual(['slow', 'failing']);
    await calls.call(private_('b'), 'next');
    expect(calls.refused).toMatchObject([{ name: 'failing' }]);
  });

  it('does not let a call wait longer for one that hangs', async () => {
    void calls.call(private_('a'), 'hanging', () => new Promise(() => {}));
    void calls.call(private_('a'), 'next');
    await pass(3_000);
    expect(calls.refused).toEqual([{ name: 'next', at: 3_000, retryAfterMs: 1_050 }]);
  });

  it('does not hold up typing and answers to presses for what is written in their chat', async () => {
    for (const name of ['1', '2', '3']) void calls.call(private_('a'), name);
    void calls.call({ ...private_('a'), light: true }, 'typing');
    void calls.call({}, 'answer');
    await pass(200);
    expect(calls.names.toSorted()).toEqual(['1', '2', 'answer', 'typing']);
  });

  it('Telegram case 9: makes at most 30 calls in any second, whoever calls', async () => {
    const chats = Array.from({ length: 50 }, (_, index) => `${index}`);
    for (const chat of chats) {
      void calls.call({ ...private_(chat), light: true }, 'typing');
      void calls.call(private_(chat), chat);
      void calls.call(private_(chat), chat);
    }
    await pass(10_000);
    expect(mostWithin(calls.times, 1_000)).toBeGreaterThan(24);
    expect(mostWithin(calls.times, 1_000)).toBeLessThanOrEqual(30);
    expect(calls.made.length + calls.refused.length).toBe(150);
    expect(Math.max(...calls.refused.map(({ at }) => at))).toBeLessThanOrEqual(3_000);
    expect(Math.max(...calls.times)).toBeLessThanOrEqual(3_000);
  });

  it.each([
    ['a private chat: 60', private_('a'), 60, 55],
    ['a group: 20', group('g'), 20, 15],
  ] as const)(
    'Telegram case 9: in any minute at most as many calls as fit, in %s',
    async (_what, turn, most, least) => {
      // Somebody who comes back as soon as it is worth it.
      const goOn = async (): Promise<void> => {
        while (calls.now < 600_000) {
          const before = calls.refused.length;
          await calls.call(turn, 'x');
          const wait = calls.refused[before]?.retryAfterMs;
          if (wait !== undefined) await new Promise((done) => setTimeout(done, wait));
        }
      };
      void goOn();
      await pass(600_000);
      expect(mostWithin(calls.times, 60_000)).toBeLessThanOrEqual(most);
      expect(calls.made.length / 10).toBeGreaterThan(least);
    },
  );

  it('Telegram case 8: leaves a chat alone for as long as it was told, and only that', async () => {
    await calls.call(private_('a'), 'told', async () => Promise.reject(tooMany(3)));
    void calls.call(private_('a'), 'next');
    void calls.call({ ...private_('a'), light: true }, 'typing');
    await calls.call(private_('b'), 'other');
    await pass(2_999);
    expect(calls.names).toEqual(['told', 'other']);
    await pass(1);
    expect(calls.names.slice(2).toSorted()).toEqual(['next', 'typing']);
    expect(calls.times).toEqual([0, 0, 3_000, 3_000]);
  });

  it('Telegram case 8: says at once when a chat is closed for longer than a call waits', async () => {
    await calls.call(group('g'), 'told', async () => Promise.reject(tooMany(40)));
    await pass(5_000);
    await calls.call(group('g'), 'next');
    expect(calls.refused.at(-1)).toEqual({ name: 'next', at: 5_000, retryAfterMs: 35_000 });
    await pass(35_000);
    await calls.call(group('g'), 'later');
    expect(calls.names).toEqual(['told', 'later']);
  });

  it('Telegram case 8: makes no call at all while the bot itself was told to wait', async () => {
    await calls.call({}, 'told', async () => Promise.reject(tooMany(2)));
    void calls.call(private_('a'), 'next');
    await pass(1_999);
    expect(calls.names).toEqual(['told']);
    await pass(1);
    expect(calls.names).toEqual(['told', 'next']);
  });

  it('Telegram case 8: closes a chat also for a call that waits already', async () => {
    let refuse = (): void => {};
    void calls.call(private_('a'), 'told', () => {
      return new Promise((_, reject) => {
        refuse = () => {
          reject(tooMany(1));
        };
      });
    });
    void calls.call(private_('a'), 'next');
    await pass(500);
    refuse();
    await pass(999);
    expect(calls.names).toEqual(['told']);
    await pass(1);
    expect(calls.names).toEqual(['told', 'next']);
  });

  it('keeps nothing of chats that are quiet', async () => {
    for (let chat = 0; chat < 200; chat += 1) void calls.call(private_(`${chat}`), 'x');
    await pass(10_000);
    expect((calls.pace as unknown as { lines: Map<string, unknown> }).lines.size).toBe(0);
    await pass(60_000);
    // What the limiters remember, they forget by timers.
    expect(jest.getTimerCount()).toBe(0);
  });

  it('makes or refuses every call, once, and each chat’s in their order, whatever comes', async () => {
    const step = fc.record({ chat: fc.nat(3), gap: fc.nat(1_500), ms: fc.nat(300), told: fc.nat(9) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const own = new Calls();
        for (const [index, { chat, gap, ms, told }] of steps.entries()) {
          void own.call(group(`${chat}`), `${chat} ${index}`, async () => {
            await new Promise((done) => setTimeout(done, ms));
            if (told === 0) throw tooMany(2);
          });
          await pass(gap);
        }
        await pass(20_000);
        const once = new Set([...own.names, ...own.refused.map(({ name }) => name)]);
        expect(once.size).toBe(steps.length);
        expect(new Set(own.names).size).toBe(own.names.length);
        for (const chat of [0, 1, 2, 3]) {
          const inChat = own.names
            .filter((name) => name.startsWith(`${chat} `))
            .map((name) => Number(name.split(' ')[1]));
          expect(inChat).toEqual(inChat.toSorted((one, other) => one - other));
        }
      }),
      { numRuns: 40 },
    );
  });
});

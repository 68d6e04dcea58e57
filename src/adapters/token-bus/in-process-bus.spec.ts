import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RequestBody } from '../../contracts/bodies.js';
import { END_OFFSET, type EventPosition, type PositionedEvent } from '../../contracts/events.js';
import { InProcessTokenBus } from './in-process-bus.js';

const at = (generation: number, offset: number): EventPosition => ({ generation, offset });

const attempt = (generation: number): PositionedEvent => ({
  type: 'attempt',
  data: { provider: 'p', generation },
  position: at(generation, 0),
});
const token = (text: string, position: EventPosition): PositionedEvent => ({ type: 'token', data: { text }, position });
const body = { ok: true, request_id: 'r1', status: 'completed' } as RequestBody;
const done = (position: EventPosition): PositionedEvent => ({ type: 'done', data: body, position });
const failed: PositionedEvent = { type: 'error', data: body, position: at(1, END_OFFSET) };

/** What the bus holds on to, to see that it lets go of it. */
interface Insides {
  channels: Map<string, { readers: number; waiting: Set<unknown>; events: unknown[] }>;
  cancels: Map<string, Set<unknown>>;
}
const insides = (bus: InProcessTokenBus): Insides => bus as unknown as Insides;

const never = new AbortController().signal;

async function read(
  bus: InProcessTokenBus,
  after?: EventPosition,
  signal: AbortSignal = never,
  onEvent: (event: PositionedEvent) => void = () => undefined,
): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of bus.follow('r1', after, signal)) {
    seen.push(`${event.type} ${event.position.generation}-${event.position.offset}`);
    onEvent(event);
  }
  return seen;
}

/** Resolves when a condition holds, looking after each turn of the loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('InProcessTokenBus', () => {
  let bus: InProcessTokenBus;

  const waiting = (): number => insides(bus).channels.get('r1')?.waiting.size ?? 0;
  const publish = (...events: PositionedEvent[]): void => {
    for (const event of events) bus.publish('r1', event);
  };

  beforeEach(() => {
    bus = new InProcessTokenBus();
  });
  afterEach(() => {
    bus.close();
  });

  it('gives a reader who was there from the start every event, as it comes, to the end', async () => {
    const live: string[] = [];
    const reader = read(bus, undefined, never, (event) => live.push(event.type));
    await until(() => waiting() === 1);
    publish(attempt(1));
    await until(() => live.length === 1);
    publish(token('ab', at(1, 2)));
    await until(() => live.length === 2);
    publish(token('c', at(1, 3)), done(at(1, 3)));
    expect(await reader).toEqual(['attempt 1-0', 'token 1-2', 'token 1-3', 'done 1-3']);
  });

  it('gives a reader who comes late everything from the beginning', async () => {
    publish(attempt(1), token('ab', at(1, 2)));
    const reader = read(bus);
    await until(() => waiting() === 1);
    publish(done(at(1, 2)));
    expect(await reader).toEqual(['attempt 1-0', 'token 1-2', 'done 1-2']);
  });

  it('gives a reader who comes after the end everything, and the end', async () => {
    publish(attempt(1), token('ab', at(1, 2)), done(at(1, 2)));
    expect(await read(bus)).toEqual(['attempt 1-0', 'token 1-2', 'done 1-2']);
  });

  describe('places in a queue', () => {
    const queue = (position: EventPosition): PositionedEvent => ({
      type: 'queue',
      data: { provider: 'p', position: 2, expected_wait_ms: 1_000 },
      position,
    });

    it('stand behind the newest event', () => {
      expect(bus.position('r1')).toEqual(at(0, 0));
      publish(attempt(1), token('ab', at(1, 2)));
      expect(bus.position('r1')).toEqual(at(1, 2));
      // A run that was taken for dead moves nothing.
      publish(token('old', at(0, 9)));
      expect(bus.position('r1')).toEqual(at(1, 2));
      expect(insides(bus).channels.has('r2')).toBe(false);
      expect(bus.position('r2')).toEqual(at(0, 0));
      expect(insides(bus).channels.has('r2')).toBe(false);
    });

    it('are told to a reader who comes back and has seen all before them', async () => {
      publish(attempt(1), token('ab', at(1, 2)), queue(at(1, 2)), attempt(2), done(at(2, 0)));
      expect(await read(bus, at(1, 2))).toEqual(['queue 1-2', 'attempt 2-0', 'done 2-0']);
      expect(await read(bus, at(2, 0))).toEqual(['done 2-0']);
    });
  });

  it('ends with an error event too', async () => {
    publish(attempt(1), failed);
    expect(await read(bus)).toEqual(['attempt 1-0', 'error 1-999999999']);
  });

  it('gives a reader who resumes only what comes after its position', async () => {
    publish(attempt(1), token('ab', at(1, 2)), token('cd', at(1, 4)), done(at(1, 4)));
    expect(await read(bus, at(1, 2))).toEqual(['token 1-4', 'done 1-4']);
    expect(await read(bus, at(0, 0))).toEqual(['attempt 1-0', 'token 1-2', 'token 1-4', 'done 1-4']);
  });

  it('repeats the end to a reader who has seen everything', async () => {
    publish(attempt(1), token('ab', at(1, 2)), done(at(1, 2)));
    expect(await read(bus, at(1, 2))).toEqual(['done 1-2']);
  });

  it('gives a reader of the first generation all of the second', async () => {
    publish(attempt(1), token('abc', at(1, 3)), attempt(2), token('x', at(2, 1)), done(at(2, 1)));
    expect(await read(bus, at(1, 3))).toEqual(['attempt 2-0', 'token 2-1', 'done 2-1']);
  });

  it('lets nobody hear an earlier run beside its successor', async () => {
    publish(attempt(1), token('abc', at(1, 3)), attempt(2), token('late', at(1, 7)), token('x', at(2, 1)));
    publish(done(at(1, 7)), failed, done(at(2, 1)));
    expect(await read(bus)).toEqual(['attempt 1-0', 'token 1-3', 'attempt 2-0', 'token 2-1', 'done 2-1']);
  });

  it('repeats no tokens to a reader who has seen the error', async () => {
    publish(attempt(1), token('ab', at(1, 2)), failed);
    expect(await read(bus, failed.position)).toEqual(['error 1-999999999']);
  });

  it('serves two readers at once, each at its own pace', async () => {
    const [first, second] = [read(bus), read(bus, at(1, 2))];
    await until(() => waiting() === 2);
    publish(attempt(1), token('ab', at(1, 2)), token('c', at(1, 3)), done(at(1, 3)));
    expect(await first).toEqual(['attempt 1-0', 'token 1-2', 'token 1-3', 'done 1-3']);
    expect(await second).toEqual(['token 1-3', 'done 1-3']);
  });

  it('keeps requests apart', async () => {
    bus.publish('r2', attempt(1));
    publish(done(at(1, 0)));
    expect(await read(bus)).toEqual(['done 1-0']);
  });

  it('takes nothing after the end', async () => {
    publish(done(at(1, 0)), token('late', at(1, 4)), failed);
    expect(await read(bus)).toEqual(['done 1-0']);
    expect(insides(bus).channels.get('r1')?.events).toHaveLength(1);
  });

  it('lets a reader go when its signal is aborted while it waits', async () => {
    const gone = new AbortController();
    publish(attempt(1));
    const reader = read(bus, undefined, gone.signal);
    await until(() => waiting() === 1);
    gone.abort();
    expect(await reader).toEqual(['attempt 1-0']);
    expect(insides(bus).channels.get('r1')).toMatchObject({ readers: 0 });
  });

  it('gives nothing to a reader whose signal was aborted before', async () => {
    publish(attempt(1));
    expect(await read(bus, undefined, AbortSignal.abort())).toEqual([]);
  });

  it('forgets who has waited, whether woken or gone', async () => {
    const gone = new AbortController();
    const [leaver, stayer] = [read(bus, undefined, gone.signal), read(bus)];
    await until(() => waiting() === 2);
    gone.abort();
    await leaver;
    expect(waiting()).toBe(1);
    publish(done(at(1, 0)));
    await stayer;
    expect(waiting()).toBe(0);
  });

  it('holds nothing for a request of which only readers knew', async () => {
    const gone = new AbortController();
    const readers = [read(bus, undefined, gone.signal), read(bus, undefined, gone.signal)];
    await until(() => waiting() === 2);
    gone.abort();
    await Promise.all(readers);
    expect(insides(bus).channels.size).toBe(0);
  });

  it('gives a reader of an answer beyond 1 MiB the end, without the text that did not fit', async () => {
    const half = 'x'.repeat(524_288);
    publish(attempt(1), token(half, at(1, 524_288)), token(half, at(1, 1_048_576)));
    publish(token('y', at(1, 1_048_577)), done(at(1, 1_048_577)));
    expect(await read(bus)).toEqual(['attempt 1-0', 'token 1-524288', 'token 1-1048576', 'done 1-1048577']);
  });

  it('tells the end once to a reader who waited while the buffer overflowed', async () => {
    const reader = read(bus);
    await until(() => waiting() === 1);
    publish(token('x'.repeat(1_048_577), at(1, 1_048_577)), token('y', at(1, 1_048_578)), done(at(1, 1_048_578)));
    expect(await reader).toEqual(['done 1-1048578']);
    expect(insides(bus).channels.get('r1')?.events).toHaveLength(1);
  });

  it('lets the request go that was silent longest when there are more than 10,000', () => {
    for (let n = 0; n < 10_000; n += 1) bus.publish(`many-${n}`, attempt(1));
    bus.publish('many-0', token('a', at(1, 1)));
    bus.publish('one more', attempt(1));
    const { channels } = insides(bus);
    expect(channels.size).toBe(10_000);
    expect(['many-0', 'many-1', 'many-2', 'one more'].map((id) => channels.has(id))).toEqual([true, false, true, true]);
  });

  it('keeps at most 32 Mi characters of all requests together', () => {
    const text = 'x'.repeat(1_048_000);
    for (let n = 0; n < 40; n += 1) bus.publish(`long-${n}`, token(text, at(1, text.length)));
    const { channels } = insides(bus);
    expect(channels.size).toBe(32);
    expect([channels.has('long-7'), channels.has('long-8'), channels.has('long-39')]).toEqual([false, true, true]);
  });

  it('counts events without text too', () => {
    for (let n = 0; n < 400; n += 1) for (let run = 1; run <= 1_000; run += 1) bus.publish(`runs-${n}`, attempt(run));
    // A thousand of them weigh a hundred thousand characters.
    expect(insides(bus).channels.size).toBe(335);
  });

  it('calls those who listen for a cancel of their request, and nobody else', () => {
    const [mine, too, other] = [jest.fn(), jest.fn(), jest.fn()];
    bus.onCancel('r1', mine);
    bus.onCancel('r1', too);
    bus.onCancel('r2', other);
    bus.cancel('r1');
    bus.cancel('unknown');
    expect([mine, too, other].map((one) => one.mock.calls.length)).toEqual([1, 1, 0]);
  });

  it('calls who begins to listen for a request that was cancelled at once', () => {
    const [late, other] = [jest.fn(), jest.fn()];
    bus.cancel('r1');
    bus.onCancel('r1', late);
    bus.onCancel('r2', other);
    expect([late, other].map((one) => one.mock.calls.length)).toEqual([1, 0]);
  });

  it('does not call a listener that has stopped listening, and holds nothing for it', () => {
    const [left, stays] = [jest.fn(), jest.fn()];
    const forget = bus.onCancel('r1', left);
    const forgetToo = bus.onCancel('r1', stays);
    forget();
    bus.cancel('r1');
    expect([left, stays].map((one) => one.mock.calls.length)).toEqual([0, 1]);
    forgetToo();
    expect(insides(bus).cancels.size).toBe(0);
  });

  describe('with time', () => {
    beforeEach(() => {
      jest.useFakeTimers({ doNotFake: ['performance'] });
      jest.spyOn(performance, 'now').mockImplementation(() => Date.now());
    });
    afterEach(() => {
      jest.useRealTimers();
      jest.restoreAllMocks();
    });

    const isKept = (): boolean => insides(bus).channels.has('r1');

    it('keeps the events of an ended request for a minute', () => {
      publish(attempt(1), done(at(1, 0)));
      jest.advanceTimersByTime(59_000);
      expect(isKept()).toBe(true);
      jest.advanceTimersByTime(2_000);
      expect(isKept()).toBe(false);
    });

    it('keeps the events of a request for fifteen minutes after its last one', () => {
      publish(attempt(1));
      jest.advanceTimersByTime(800_000);
      publish(token('a', at(1, 1)));
      jest.advanceTimersByTime(899_000);
      expect(isKept()).toBe(true);
      jest.advanceTimersByTime(2_000);
      expect(isKept()).toBe(false);
    });

    it('holds no timer and no request after it was closed', () => {
      publish(attempt(1), done(at(1, 0)));
      bus.close();
      // The cache remembers the time for a millisecond.
      jest.advanceTimersByTime(1);
      expect(jest.getTimerCount()).toBe(0);
      expect(insides(bus).channels.size).toBe(0);
    });
  });

  describe('of a tool', () => {
    const output = (text: string, position: EventPosition): PositionedEvent => ({
      ...{ type: 'output', data: { stream: 'stdout', text }, position },
    });

    it('gives what its program printed to whoever comes late, and from where a reader was to one who comes back', async () => {
      publish(output('ab', at(1, 2)), output('c', at(1, 3)), done(at(1, 3)));
      expect(await read(bus)).toEqual(['output 1-2', 'output 1-3', 'done 1-3']);
      expect(await read(bus, at(1, 2))).toEqual(['output 1-3', 'done 1-3']);
    });

    it('drops what is too much, and still tells the end', async () => {
      publish(output('a', at(1, 1)), output('x'.repeat(1_048_576), at(1, 1_048_577)));
      publish(output('late', at(1, 1_048_581)), done(at(1, 1_048_581)));
      expect(await read(bus)).toEqual(['output 1-1', 'done 1-1048581']);
    });

    it('hears nothing of a run that another one has taken the place of', async () => {
      publish(output('first run', at(1, 9)), output('second run', at(2, 10)));
      publish(output('first run again', at(1, 24)), done(at(2, 10)));
      expect(await read(bus)).toEqual(['output 1-9', 'output 2-10', 'done 2-10']);
    });
  });

  describe('of a run of a crew', () => {
    const crew = (offset: number, waits_for: 'approval' | null): PositionedEvent => ({
      type: 'crew',
      data: { task: 'plan', agent: 'planner', state: 'running', tokens: 0, waits_for },
      position: at(0, offset),
    });
    const turn = (offset: number): PositionedEvent => ({
      type: 'turn',
      data: { task: 'plan', tokens: offset },
      position: at(0, offset),
    });

    it('tells late readers what the run waits for now alone', async () => {
      publish(crew(1, 'approval'), crew(2, null), crew(3, 'approval'), done(at(0, 4)));
      const waits: unknown[] = [];
      await read(bus, undefined, never, (event) => waits.push('waits_for' in event.data && event.data.waits_for));
      expect(waits).toEqual([null, null, 'approval', false]);
    });

    it('tells how far a turn is while nothing came after it', async () => {
      const reading = read(bus);
      publish(turn(1));
      await until(() => waiting() === 1);
      publish(turn(2), turn(3), crew(4, null), done(at(0, 5)));
      expect(await reading).toEqual(['turn 0-1', 'crew 0-4', 'done 0-5']);
    });
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InProcessTokenBus } from './in-process-bus.js';
import type { PositionedEvent, RequestEvent } from '../../contracts/events.js';
import { TurnMeter } from './turn-meter.js';

const position = { generation: 1, offset: 0 };
const token = (text: string): PositionedEvent => ({ type: 'token', data: { text }, position });

describe(TurnMeter.name, () => {
  let bus: InProcessTokenBus;
  let now: number;

  beforeEach(() => {
    [bus, now] = [new InProcessTokenBus(), 0];
  });
  afterEach(() => {
    bus.close();
  });

  /** What is told of the run `r1` while these are heard, each so long after the one before. */
  async function told(events: [number, PositionedEvent][]): Promise<RequestEvent['data'][]> {
    const meter = TurnMeter.of(bus, 'r1.plan-1.1.2', () => now);
    const stop = new AbortController();
    const heard: RequestEvent['data'][] = [];
    const reading = (async () => {
      for await (const { data } of bus.follow('r1', undefined, stop.signal)) heard.push(data);
    })();
    for (const [ms, event] of events) {
      now += ms;
      meter?.hear(event);
      await new Promise((resolve) => setImmediate(resolve));
    }
    stop.abort();
    await reading;
    return heard;
  }

  it('should tell at the first word, and then about once a second', async () => {
    const events = await told([
      [0, { type: 'attempt', data: { provider: 'p', generation: 1 }, position }],
      [10, token('a'.repeat(30))],
      [500, token('b'.repeat(30))],
      [500, { type: 'reasoning', data: { text: 'c'.repeat(30) }, position }],
      [999, { type: 'tool_call', data: { index: 0, arguments: 'd'.repeat(30) }, position }],
      [1, token('e'.repeat(30))],
    ]);
    expect(events).toEqual([
      { task: 'plan', tokens: 10 },
      { task: 'plan', tokens: 30 },
      { task: 'plan', tokens: 50 },
    ]);
  });

  it('should be none of what is no step', () => {
    expect(TurnMeter.of(bus, 'r1')).toBeUndefined();
  });

  it('should hear what is published of a step, and of nothing else', () => {
    bus.publisherOf('r1.plan-1.1.2')(token('a'.repeat(30)));
    expect(bus.position('r1.plan-1.1.2')).toEqual(position);
    expect(bus.position('r1')).toEqual({ generation: 0, offset: 1 });
    bus.publisherOf('r2')(token('Seven'));
    expect(bus.position('r2')).toEqual(position);
  });
});

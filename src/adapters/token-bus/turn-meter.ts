import type { EventPosition, PositionedEvent } from '../../contracts/events.js';
import { runOf, taskOfStep } from '../../contracts/ids.js';
import { estimateTokens } from '../../contracts/text.js';

const TELL_EVERY_MS = 1_000;

/** Where it is told. */
interface Bus {
  position(requestId: string): EventPosition;
  publish(requestId: string, event: PositionedEvent): void;
}

/** Tells those who follow a run of a crew, about once a second, how much a turn of it has written. */
export class TurnMeter {
  private tokens = 0;
  private nextAt = 0;

  private constructor(
    private readonly bus: Bus,
    private readonly runId: string,
    private readonly task: string,
    private readonly now: () => number,
  ) {}

  /** The meter of a step; undefined: the request is none. */
  static of(bus: Bus, requestId: string, now = Date.now): TurnMeter | undefined {
    const runId = runOf(requestId);
    if (runId === undefined) return undefined;
    return new TurnMeter(bus, runId, taskOfStep(requestId.slice(runId.length + 1)), now);
  }

  /** Hears of an event of the turn. */
  hear(event: PositionedEvent): void {
    this.tokens += estimateTokens(textOf(event));
    const now = this.now();
    if (this.tokens === 0 || now < this.nextAt) return;
    this.nextAt = now + TELL_EVERY_MS;
    const { offset } = this.bus.position(this.runId);
    const data = { task: this.task, tokens: this.tokens };
    this.bus.publish(this.runId, { type: 'turn', data, position: { generation: 0, offset: offset + 1 } });
  }
}

function textOf(event: PositionedEvent): string {
  if (event.type === 'token' || event.type === 'reasoning') return event.data.text;
  return event.type === 'tool_call' ? event.data.arguments : '';
}

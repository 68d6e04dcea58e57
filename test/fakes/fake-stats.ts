/** One call, for as long as its connection is open. */
export interface FakeCall {
  marker: string;
  /** When it had come in whole, on the clock of `performance`. */
  beganAt: number;
  completed: boolean;
  closed: boolean;
  /** Ended by a fault, so that its end is not the client's doing. */
  spoiled: boolean;
  /** Hears what became of it. */
  tell?: ((what: 'answered' | 'broken') => void) | undefined;
}

export type Counts = Record<string, number>;

const count = (counts: Counts, marker: string, by = 1): void => {
  counts[marker] = (counts[marker] ?? 0) + by;
};

/** Counts what was asked for and what was delivered. A prompt that was started twice was bought twice. */
export class FakeStats {
  calls = 0;
  completed = 0;
  /** Closed by the client before the answer was complete. */
  aborted = 0;
  inFlight = 0;
  maxInFlight = 0;
  /** Calls received per marker, refusals by a fault included. */
  byPrompt: Counts = {};
  /** Answers that were begun, per marker. */
  startedByPrompt: Counts = {};
  completedByPrompt: Counts = {};
  /** Milliseconds that the model itself took over its complete answers, per marker. */
  msByPrompt: Counts = {};

  begin(marker: string, tell?: FakeCall['tell']): FakeCall {
    this.calls++;
    this.inFlight++;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    count(this.byPrompt, marker);
    return { marker, beganAt: performance.now(), completed: false, closed: false, spoiled: false, tell };
  }

  start(call: FakeCall): void {
    count(this.startedByPrompt, call.marker);
  }

  complete(call: FakeCall): void {
    call.completed = true;
    this.completed++;
    count(this.completedByPrompt, call.marker);
    count(this.msByPrompt, call.marker, performance.now() - call.beganAt);
    call.tell?.('answered');
  }

  /** The connection is gone, or the exchange is over. */
  close(call: FakeCall): void {
    call.closed = true;
    this.inFlight--;
    if (!call.completed && !call.spoiled) this.aborted++;
    call.tell?.('broken');
  }
}

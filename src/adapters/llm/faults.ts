/** An HTTP answer other than 2xx, kept whole so that its status and headers can be judged. */
export class HttpRefusal extends Error {
  constructor(
    readonly status: number,
    readonly headers: Headers,
    /** What the endpoint wrote: to be judged, never to be shown or logged. */
    readonly text: string,
  ) {
    super(`HTTP ${status}`);
    this.name = 'HttpRefusal';
  }
}

/** The endpoint ended, or sent what it should not have, before the answer was complete. */
export class BrokenAnswer extends Error {
  constructor(readonly reason: 'ended early' | 'not the protocol') {
    super(reason);
    this.name = 'BrokenAnswer';
  }
}

/** The answer is complete and holds nothing to read. */
export class NothingSaid extends Error {
  constructor(readonly finishReason: string) {
    super(`no text, finish reason ${finishReason}`);
    this.name = 'NothingSaid';
  }
}

export type EmbeddedReason =
  'aborted' | 'busy' | 'closed' | 'context' | 'crashed' | 'internal' | 'missing' | 'unloadable';

/** What went wrong with the embedded model's process. */
export class EmbeddedFault extends Error {
  constructor(
    readonly reason: EmbeddedReason,
    options?: { cause?: unknown },
  ) {
    super(reason, options);
    this.name = 'EmbeddedFault';
  }
}

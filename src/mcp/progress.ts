import type { ServerContext } from '@modelcontextprotocol/server';
import type { RequestEvent } from '../contracts/events.js';

/** Least time between two notices, in milliseconds. */
const LEAST_MS = 250;
/** With nothing to tell, it is told this often that the work goes on: clients then wait longer. */
const ALIVE_MS = 10_000;

/** Tells the caller of one call how its work goes on, if it wants to know; each notice has a higher number than the last. */
export class Progress {
  private readonly token: string | number | undefined;
  private told = 0;
  private toldAt = -Infinity;
  private readonly alive: NodeJS.Timeout | undefined;

  constructor(private readonly context: ServerContext) {
    this.token = context.mcpReq._meta?.progressToken;
    if (this.token === undefined) return;
    this.alive = setInterval(() => {
      this.tell('still at work');
    }, ALIVE_MS);
    this.alive.unref();
  }

  /** Whether anybody wants to know. */
  get isWanted(): boolean {
    return this.token !== undefined;
  }

  /** Tells of an event, unless something was told a moment ago. */
  show(event: RequestEvent): void {
    const message = wordsFor(event);
    if (message !== undefined && performance.now() - this.toldAt >= LEAST_MS) this.tell(message);
  }

  close(): void {
    clearInterval(this.alive);
  }

  private tell(message: string): void {
    if (this.token === undefined || this.context.mcpReq.signal.aborted) return;
    this.toldAt = performance.now();
    this.told += 1;
    const params = { progressToken: this.token, progress: this.told, message };
    // Whoever went away is found out elsewhere.
    this.context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  }
}

/** An event in words; undefined: it is none that a person waits for. */
function wordsFor(event: RequestEvent): string | undefined {
  switch (event.type) {
    case 'route':
      return `accepted as ${event.data.request_id}`;
    case 'queue':
      return `place ${event.data.position} in the queue of ${event.data.provider}, about ${Math.ceil(event.data.expected_wait_ms / 1_000)} s`;
    case 'attempt':
      return `asking ${event.data.provider}`;
    case 'token':
    case 'reasoning':
      return 'writing';
    case 'output':
      return 'the program runs';
    case 'crew':
      return event.data.waits_for === null
        ? `${event.data.agent}: ${event.data.task} ${event.data.state}`
        : `waits for a person: ${event.data.waits_for}`;
    case 'turn':
      return `${event.data.task}: about ${event.data.tokens} tokens written`;
    default:
      return undefined;
  }
}

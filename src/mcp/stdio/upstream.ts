import { setTimeout as sleep } from 'node:timers/promises';
import type { JSONRPCNotification, JSONRPCRequest } from '@modelcontextprotocol/server';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { z } from 'zod';
import { headersOf, type On, type Target } from './headers.js';
import { broken, httpRefusal, NoAnswer } from './refusals.js';
import { isRepeatable, wantsStop } from './giving-up.js';
import type { Answer } from './messages.js';

/** So long after a connection broke it is asked again, in milliseconds. */
const COME_BACK_MS = 60_000;
/** Pauses between tries: the first, and the longest. */
const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;
/** Most time that giving up a call may take; the server waits a moment whether it is asked again. */
const CANCEL_WITHIN_MS = 15_000;

export interface UpstreamOptions {
  /** Where the server is now: it may come back elsewhere. @throws where there is none */
  target: () => Promise<Target>;
  on: On;
  comeBackMs?: number;
  /** Told of what no client is told. */
  warn: (sentence: string) => void;
}

export interface CallOptions {
  signal: AbortSignal;
  /** Told what comes before the answer. */
  hear: (notice: JSONRPCNotification) => Promise<void>;
}

/** The server over HTTP: one request, one answer, however often the connection breaks meanwhile. */
export class Upstream {
  constructor(private readonly options: UpstreamOptions) {}

  /**
   * Asks, and comes back where the connection breaks: the same call joins what it has begun. Where the caller gives it up,
   * the server is told to stop.
   * @throws NoAnswer; or the reason of the signal
   */
  async call(request: JSONRPCRequest, options: CallOptions): Promise<Answer> {
    const { signal } = options;
    try {
      return await this.untilAnswered(request, options);
    } catch (error) {
      if (!signal.aborted) throw error;
      if (wantsStop(signal.reason)) void this.giveUp(request);
      throw signal.reason;
    }
  }

  /** Has the server stop what a call began. */
  async giveUp(request: JSONRPCRequest): Promise<void> {
    if (!isRepeatable(request) || request.method !== 'tools/call') return;
    const { on, target, warn } = this.options;
    try {
      const { url, key } = await target();
      const response = await fetch(url, {
        method: 'POST',
        headers: headersOf(request, { key }, on, true),
        body: JSON.stringify(request),
        signal: AbortSignal.timeout(CANCEL_WITHIN_MS),
      });
      await response.text();
      if (!response.ok) warn(`a call could not be cancelled: HTTP ${response.status}`);
    } catch (error) {
      warn(`a call could not be cancelled: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async untilAnswered(request: JSONRPCRequest, { signal, hear }: CallOptions): Promise<Answer> {
    const tries = new Tries(request, this.options.comeBackMs ?? COME_BACK_MS);
    const listen = async (notice: JSONRPCNotification): Promise<void> => {
      tries.heard = true;
      await hear(notice);
    };
    for (;;) {
      try {
        return await this.exchange(request, listen, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        await sleep(tries.pauseAfter(error), undefined, { signal });
      }
    }
  }

  private async exchange(request: JSONRPCRequest, hear: CallOptions['hear'], signal: AbortSignal): Promise<Answer> {
    const { target, on } = this.options;
    const { url, key } = await target();
    try {
      const init = { method: 'POST', headers: headersOf(request, { key }, on), body: JSON.stringify(request), signal };
      const response = await fetch(url, init);
      for await (const message of messagesOf(response, url)) {
        if ('method' in message) await hear(message);
        // An error in reading a message has no id.
        else return { ...message, id: request.id };
      }
    } catch (error) {
      throw signal.aborted || error instanceof NoAnswer ? error : broken(error, url);
    }
    throw new NoAnswer('UNREACHABLE', `The connection to ${url} ended before the answer.`, true);
  }
}

/** How often, and how long, one request is asked again. */
class Tries {
  /** Whether something came before the connection broke. */
  heard = false;
  private until: number | undefined;
  private pause = PAUSE_MS;

  constructor(
    private readonly request: JSONRPCRequest,
    private readonly comeBackMs: number,
  ) {}

  /** How long to wait before the next try, in milliseconds. @throws what was thrown, where there is none */
  pauseAfter(error: unknown): number {
    if (!(error instanceof NoAnswer) || !error.passes || !isRepeatable(this.request)) throw error;
    if (error.taken) this.breaks();
    // What was never begun is told at once.
    if (this.until === undefined || Date.now() > this.until) throw error;
    const { pause } = this;
    this.pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    return pause;
  }

  /** What stays open is tried as long again each time that it had worked; what ends, for a minute in all. */
  private breaks(): void {
    const hadWorked = this.heard && this.request.method === 'subscriptions/listen';
    this.heard = false;
    if (this.until !== undefined && !hadWorked) return;
    this.until = Date.now() + this.comeBackMs;
    this.pause = PAUSE_MS;
  }
}

const Shape = z.union([
  z.looseObject({ jsonrpc: z.literal('2.0'), method: z.string() }),
  z.looseObject({ jsonrpc: z.literal('2.0'), result: z.looseObject({}) }),
  z.looseObject({ jsonrpc: z.literal('2.0'), error: z.looseObject({ code: z.number(), message: z.string() }) }),
]);

/** Messages of an answer, as they arrive. @throws NoAnswer where it is none of the protocol */
async function* messagesOf(response: Response, url: string): AsyncGenerator<Answer | JSONRPCNotification> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') && response.body) {
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { data } of events) if (data !== '') yield parsed(data, response.status, url);
    return;
  }
  yield parsed(await response.text(), response.status, url);
}

function parsed(text: string, status: number, url: string): Answer | JSONRPCNotification {
  const body = jsonOf(text);
  if (!Shape.safeParse(body).success) throw httpRefusal(status, body, url);
  // Checked above as far as the bridge looks at it; the rest goes through as it is.
  return body as Answer | JSONRPCNotification;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

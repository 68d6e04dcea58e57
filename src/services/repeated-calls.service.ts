import { setTimeout as sleep } from 'node:timers/promises';
import stableStringify from 'safe-stable-stringify';
import type { Logger } from 'pino';
import type { CallerKey } from '../contracts/access.js';
import type { RouteSubmission } from '../contracts/request.js';
import { sha256 } from '../adapters/digest.js';
import type { McpRepository } from '../adapters/store/mcp.repository.js';
import type { Accepted } from './accepted.js';
import type { DrainService } from './drain.service.js';
import type { RequestsService } from './requests.service.js';
import type { SubmissionsService } from './submissions.service.js';

/** So long a caller who went away may come back before the work is stopped, in milliseconds. */
const COME_BACK_WITHIN_MS = 2_500;

/** A call that hands a request in. */
export interface RepeatableCall {
  key: CallerKey;
  /** Id of the call, which becomes that of the request. */
  requestId: string;
  receivedAt: Date;
  /** Through what it comes: the same over another way is another one. */
  route: string;
  /** Whether the same request of the same caller is joined whose end nobody has been given. */
  attach: boolean;
}

export interface RepeatedCallsParts {
  submissions: SubmissionsService;
  requests: RequestsService;
  drain: DrainService;
  memory: McpRepository;
  log: Logger;
}

/**
 * Requests of callers who give up too soon and ask the same again: they find the work going on, and its end, once. What
 * is asked is its idempotency key, until the end was given to somebody.
 */
export class RepeatedCallsService {
  /** How many wait here for a request, by its id. */
  private readonly waiting = new Map<string, number>();

  constructor(private readonly parts: RepeatedCallsParts) {}

  /** Hands a request in, or joins the same one. @throws AppError those of `SubmissionsService` */
  async begin(call: RepeatableCall, body: RouteSubmission): Promise<Accepted> {
    const { submissions, drain, memory } = this.parts;
    drain.refuseWhenStopping();
    const { key, requestId, receivedAt, route, attach } = call;
    const idempotencyKey = attach ? digestOf(body) : undefined;
    const accepted = await submissions.submit(key, body, { requestId, route, idempotencyKey, receivedAt });
    if (accepted.requestId !== requestId) await memory.join(accepted.requestId, accepted.daoId);
    return accepted;
  }

  /**
   * Stops what the same call began, unless somebody waits for it by then: what a client cancels it may ask again at once.
   * Nothing is begun.
   * @throws AppError those of access and database
   */
  async giveUp({ key, requestId, receivedAt, route }: RepeatableCall, body: RouteSubmission): Promise<void> {
    const { submissions, requests, memory } = this.parts;
    // It may have come in a moment ago, and not be written down yet.
    await sleep(COME_BACK_WITHIN_MS, undefined, { ref: false });
    const accepted = await submissions.find(key, body, {
      requestId,
      route,
      idempotencyKey: digestOf(body),
      receivedAt,
    });
    if (!accepted || !(await this.isLeft(accepted))) return;
    requests.abandon(accepted);
    await memory.letGo(accepted.requestId, accepted.daoId);
  }

  /** Waits for something of a request, which meanwhile counts as waited for. */
  async whileWaiting<T>({ requestId }: Accepted, wait: () => Promise<T>): Promise<T> {
    this.count(requestId, 1);
    try {
      return await wait();
    } finally {
      this.count(requestId, -1);
    }
  }

  /** Lets the same be asked anew. If that cannot be written down, the same call is given the old answer for a day. */
  async letGo({ requestId, daoId }: Pick<Accepted, 'requestId' | 'daoId'>): Promise<void> {
    const { memory, log } = this.parts;
    await memory.letGo(requestId, daoId).catch((error: unknown) => {
      log.warn({ subject: requestId, err: error }, 'a request that was answered could not let go of its key');
    });
  }

  /**
   * Stops a request whose caller went away, unless somebody comes back to it: a time that ran out looks like a cancel. Not
   * where the process is stopping, which takes every connection along.
   */
  async leave(accepted: Accepted): Promise<void> {
    const { drain, requests, log } = this.parts;
    const { requestId } = accepted;
    try {
      await sleep(COME_BACK_WITHIN_MS, undefined, { ref: false });
      if (drain.isStopping || !(await this.isLeft(accepted))) return;
      requests.abandon(accepted);
      await this.letGo(accepted);
    } catch (error) {
      log.warn({ subject: requestId, err: error }, 'a request that nobody waits for could not be stopped');
    }
  }

  /** Whether nobody waits for a request here, or has just come back to it elsewhere. */
  private async isLeft({ requestId, daoId }: Accepted): Promise<boolean> {
    return !this.waiting.has(requestId) && (await this.parts.memory.isLeft(requestId, daoId, COME_BACK_WITHIN_MS));
  }

  private count(requestId: string, by: 1 | -1): void {
    const now = (this.waiting.get(requestId) ?? 0) + by;
    if (now > 0) this.waiting.set(requestId, now);
    else this.waiting.delete(requestId);
  }
}

/** By which the same request is known. */
const digestOf = (body: RouteSubmission): string => sha256(stableStringify(body));

import type { ServerContext } from '@modelcontextprotocol/server';
import type { RequestBody } from '../contracts/bodies.js';
import { MCP_ROUTE_PREFIX } from '../contracts/ids.js';
import { requestFields } from '../contracts/log-fields.js';
import type { RequestStatus, RouteSubmission } from '../contracts/request.js';
import { AppError } from '../errors/app-error.js';
import type { Accepted } from '../services/accepted.js';
import type { DrainService } from '../services/drain.service.js';
import type { OutcomesService } from '../services/outcomes.service.js';
import type { RepeatedCallsService } from '../services/repeated-calls.service.js';
import type { McpCaller } from './caller.js';
import { Progress } from './progress.js';
import type { ToolCall } from './tool.js';

/**
 * A call is answered this long after it came in, in milliseconds: many clients give up after a minute, and throw away what
 * comes then.
 */
export const ANSWER_WITHIN_MS = 45_000;

/** Whether a request goes on. */
export const isOpen = (status: RequestStatus): boolean => status === 'accepted' || status === 'running';

/** Requests that tools make: handed in, waited for, given up. */
export class McpCalls {
  constructor(
    private readonly repeated: RepeatedCallsService,
    private readonly outcomes: OutcomesService,
    private readonly drain: DrainService,
  ) {}

  /**
   * Hands a request in, or joins the same one.
   * @throws AppError those of `SubmissionsService`; `REQUEST_CANCELLED` once the same one is given up, for a call that does that
   */
  async begin({ caller, name }: ToolCall, body: RouteSubmission, attach: boolean): Promise<Accepted> {
    const { key, requestId, receivedAt, fields, givesUp } = caller;
    const call = { key, requestId, receivedAt, route: `${MCP_ROUTE_PREFIX}${name}`, attach };
    if (givesUp) {
      await this.repeated.giveUp(call, body);
      throw new AppError('REQUEST_CANCELLED');
    }
    const accepted = await this.repeated.begin(call, body);
    Object.assign(fields, requestFields(accepted), { tool: name });
    return accepted;
  }

  /** Waits for the end, or until people must decide, as long as a call may take; tells how it goes on meanwhile. */
  async await(call: ToolCall, accepted: Accepted): Promise<RequestBody> {
    const { signal } = call.context.mcpReq;
    try {
      const end = await this.repeated.whileWaiting(accepted, () => this.follow(call, accepted));
      if (!isOpen(end.status)) void this.letGoOnceGiven(call.caller, accepted);
      return end;
    } finally {
      if (signal.aborted) void this.leave(call, accepted);
    }
  }

  private async follow({ caller, context }: ToolCall, accepted: Accepted): Promise<RequestBody> {
    const left = Math.max(0, ANSWER_WITHIN_MS - (Date.now() - caller.receivedAt.getTime()));
    const until = this.drain.orStopping(AbortSignal.any([context.mcpReq.signal, AbortSignal.timeout(left)]));
    const end = await this.end(context, accepted, until);
    return end ?? this.outcomes.body(accepted);
  }

  private async end(context: ServerContext, accepted: Accepted, until: AbortSignal): Promise<RequestBody | undefined> {
    const progress = new Progress(context);
    if (!progress.isWanted) return this.outcomes.wait(accepted, until);
    try {
      for await (const event of this.outcomes.eventsUntilPeople(accepted, until)) {
        progress.show(event);
        if (event.type === 'done' || event.type === 'error') return event.data;
      }
      return undefined;
    } finally {
      progress.close();
    }
  }

  /** The same is a new request once its end has been written to somebody. */
  private async letGoOnceGiven({ answered }: McpCaller, accepted: Accepted): Promise<void> {
    if (await answered) await this.repeated.letGo(accepted);
  }

  /** Of older clients, and of callers who say so, a broken connection means nothing. */
  private async leave({ caller, era }: ToolCall, accepted: Accepted): Promise<void> {
    if (era === 'legacy' || caller.detached || (await caller.answered)) return;
    await this.repeated.leave(accepted);
  }
}

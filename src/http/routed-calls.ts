import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestBody } from '../contracts/bodies.js';
import { requestFields } from '../contracts/log-fields.js';
import type { Mode, RouteSubmission } from '../contracts/request.js';
import { ERRORS, isErrorCode } from '../errors/catalogue.js';
import { contextOf, keyOf } from '../middleware/context.js';
import { preferredWaitMs } from '../schemas/common.js';
import type { Accepted } from '../services/accepted.js';
import { DrainService } from '../services/drain.service.js';
import { OutcomesService } from '../services/outcomes.service.js';
import { SubmissionsService } from '../services/submissions.service.js';

/** How long a caller waits who does not say how long, and the most that anybody may say, in milliseconds. */
const DEFAULT_WAIT_MS: Readonly<Record<Mode, number>> = { chat: 55_000, crew: 25_000, devtools: 25_000 };
const LONGEST_WAIT_MS = 600_000;

/** A call over HTTP that becomes a request of the product. */
export interface RoutedCall {
  request: FastifyRequest;
  reply: FastifyReply;
  body: RouteSubmission;
  /** Name of the route, to which an idempotency key belongs. */
  route: string;
  prefer: string | undefined;
  idempotencyKey: string | undefined;
}

/** What every route does that submits a request: hands it in, waits, and says how it stands in HTTP's terms. */
@Injectable()
export class RoutedCalls {
  constructor(
    private readonly submissions: SubmissionsService,
    private readonly outcomes: OutcomesService,
    private readonly drain: DrainService,
  ) {}

  /** Submits the request, and names it in the call's log line. @throws AppError those of `SubmissionsService` */
  async submit({ request, reply, body, route, idempotencyKey }: RoutedCall): Promise<Accepted> {
    this.drain.refuseWhenStopping();
    const context = contextOf(request);
    const { receivedAt } = context;
    const submission = { requestId: request.id, route, idempotencyKey, receivedAt };
    const accepted = await this.submissions.submit(keyOf(request), body, submission);
    Object.assign(context.fields, requestFields(accepted));
    void reply.headers(accepted.headers);
    return accepted;
  }

  /** Waits for the end, as long as the caller wants to; sets status and headers. @returns the body as it is then */
  async await({ reply, body, prefer }: RoutedCall, accepted: Accepted): Promise<RequestBody> {
    const waitMs = Math.min(preferredWaitMs(prefer) ?? DEFAULT_WAIT_MS[body.mode], LONGEST_WAIT_MS);
    const end = await this.outcomes.wait(accepted, this.drain.orStopping(AbortSignal.timeout(waitMs)));
    const { status, retryAfter } = statusOf(end);
    if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
    void reply.status(status).headers({ location: `/requests/${accepted.requestId}` });
    return end;
  }
}

/** 200 for an answer, 202 for one that is still to come, else what the error's code says. */
function statusOf(body: RequestBody): { status: number; retryAfter?: number } {
  if (body.ok) return { status: body.status === 'completed' ? 200 : 202 };
  const { code, retry_after_s: retryAfter } = body.error;
  const known = ERRORS[isErrorCode(code) ? code : 'INTERNAL'];
  return typeof retryAfter === 'number' ? { ...known, retryAfter } : known;
}

import { Body, Controller, Headers, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, type ErrorCode } from '../errors/catalogue.js';
import type { RequestBody } from '../contracts/bodies.js';
import { requestFields } from '../contracts/log-fields.js';
import type { RouteSubmission } from '../contracts/request.js';
import { contextOf, keyOf } from '../middleware/context.js';
import { preferredWaitMs } from '../schemas/common.js';
import { jsonSchema } from '../schemas/json-schema.js';
import { RouteBodySchema } from '../schemas/route.js';
import { DrainService } from '../services/drain.service.js';
import { OutcomesService } from '../services/outcomes.service.js';
import type { Accepted } from '../services/accepted.js';
import { SubmissionsService } from '../services/submissions.service.js';
import { Access } from './access.js';
import { sendEvents } from './sse.js';

/** How long a caller waits for a chat who does not say how long, and the most that anybody may say, in milliseconds. */
const DEFAULT_WAIT_MS = 55_000;
const LONGEST_WAIT_MS = 600_000;

/** `POST /route`: the door for everything that is routed. */
@ApiTags('requests')
@Controller()
export class RouteController {
  constructor(
    private readonly submissions: SubmissionsService,
    private readonly outcomes: OutcomesService,
    private readonly drain: DrainService,
  ) {}

  @Post('route')
  @Access('by-mode')
  @ApiOperation({ operationId: 'route', summary: 'Check, route, run and answer a request' })
  @ApiBody({ schema: jsonSchema(RouteBodySchema) })
  async route(
    @Body({ schema: RouteBodySchema }) body: RouteSubmission,
    @Headers('accept') accept: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    this.drain.refuseWhenStopping();
    const context = contextOf(request);
    const accepted = await this.submissions.submit(keyOf(request), body, {
      requestId: request.id,
      route: 'route',
      idempotencyKey,
      receivedAt: context.receivedAt,
    });
    Object.assign(context.fields, requestFields(accepted));
    void reply.headers(accepted.headers);
    if (accept?.includes('text/event-stream')) {
      await sendEvents(reply, (gone) => this.outcomes.events(accepted, undefined, this.drain.orStopping(gone)));
    } else {
      await this.answer(reply, accepted, preferredWaitMs(prefer) ?? DEFAULT_WAIT_MS);
    }
  }

  private async answer(reply: FastifyReply, accepted: Accepted, waitMs: number): Promise<void> {
    const limit = this.drain.orStopping(AbortSignal.timeout(Math.min(waitMs, LONGEST_WAIT_MS)));
    const body = await this.outcomes.wait(accepted, limit);
    const { status, retryAfter } = endOf(body);
    if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
    void reply
      .status(status)
      .headers({ location: `/requests/${accepted.requestId}` })
      .send(body);
  }
}

/** 200 for an answer, 202 for one that is still to come, else what the error's code says. */
function endOf(body: RequestBody): { status: number; retryAfter?: number } {
  if (body.ok) return { status: body.status === 'completed' ? 200 : 202 };
  const { code, retry_after_s: retryAfter } = body.error;
  const known = ERRORS[Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'INTERNAL'];
  return typeof retryAfter === 'number' ? { ...known, retryAfter } : known;
}

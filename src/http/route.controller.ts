import { Body, Controller, Headers, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, type ErrorCode } from '../errors/catalogue.js';
import type { RequestBody } from '../contracts/bodies.js';
import { requestFields } from '../contracts/log-fields.js';
import type { RouteSubmission } from '../contracts/request.js';
import { contextOf, keyOf } from '../middleware/context.js';
import { preferredWaitMs } from '../schemas/common.js';
import { RouteBodyOutline, RouteBodySchema } from '../schemas/route.js';
import { DrainService } from '../services/drain.service.js';
import { OutcomesService } from '../services/outcomes.service.js';
import type { Accepted } from '../services/accepted.js';
import { SubmissionsService } from '../services/submissions.service.js';
import { Access } from './access.js';
import { sendEvents } from './sse.js';
import { Operation } from './openapi/operation.js';

/** How long a caller waits for a chat who does not say how long, and the most that anybody may say, in milliseconds. */
const DEFAULT_WAIT_MS = 55_000;
const LONGEST_WAIT_MS = 600_000;

const EXAMPLES = {
  chat: {
    summary: 'A question',
    value: { prompt: 'How long do members vote?', mode: 'chat', metadata: { source: 'dify' } },
  },
  dialog: {
    summary: 'A turn of a conversation',
    value: { prompt: 'And who may vote?', mode: 'chat', session_id: 'garden-1', metadata: {} },
  },
  devtools: {
    summary: 'Work with a tool',
    value: { prompt: 'Add up the column "litres" of harvest.csv.', mode: 'devtools', metadata: { tool: 'notebook' } },
  },
};

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
  @Operation({
    id: 'route',
    summary: 'Check, route, run and answer a request',
    description: [
      'Ask the AI of a DAO. The request is checked against the rights of whoever asks, routed by rules to a model, and',
      'answered: the text is in data.text. An answer that takes longer than 55 seconds comes as 202 with status',
      '"accepted" or "running" and without data: call getRequest with its request_id until status is "completed",',
      '"failed" or "cancelled". With mode "devtools" metadata.tool names the tool, such as notebook, and the prompt says what is to be done.',
    ].join(' '),
    headers: ['Idempotency-Key', 'Prefer'],
    body: RouteBodyOutline,
    examples: EXAMPLES,
    answers: { 200: 'Request', 202: 'Request' },
    refuses: [
      'DAO_REQUIRED',
      'DAO_NOT_FOUND',
      'REQUEST_CANCELLED',
      'NO_ROUTE',
      'MODE_UNAVAILABLE',
      'PROMPT_TOO_LONG',
      'IDEMPOTENCY_CONFLICT',
      'RATE_LIMITED',
      'BUDGET_EXHAUSTED',
      'QUEUE_SHARE_FULL',
      'PROVIDER_FAILED',
      'STREAM_INTERRUPTED',
      'QUEUE_FULL',
      'PROVIDERS_COOLING',
      'TEMPORAL_UNAVAILABLE',
      'SHUTTING_DOWN',
      'PROVIDER_TIMEOUT',
      'DEADLINE_EXCEEDED',
    ],
  })
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

import { Body, Controller, Headers, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteSubmission } from '../contracts/request.js';
import { RouteBodyOutline, RouteBodySchema } from '../schemas/route.js';
import { DrainService } from '../services/drain.service.js';
import { OutcomesService } from '../services/outcomes.service.js';
import { Access } from '../middleware/access.js';
import { sendEvents } from './sse.js';
import { CREW_REFUSALS } from './openapi/crew-refusals.js';
import { TOOL_REFUSALS } from './openapi/devtools-operations.js';
import { Operation } from './openapi/operation.js';
import { RoutedCalls } from './routed-calls.js';

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
    value: { prompt: '', mode: 'devtools', metadata: { tool: 'fs_read', params: { path: 'README.md' } } },
  },
};

/** `POST /route`: the door for everything that is routed. */
@ApiTags('requests')
@Controller()
export class RouteController {
  constructor(
    private readonly calls: RoutedCalls,
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
      '"failed" or "cancelled". With mode "devtools" metadata.tool names the tool, such as fs_read, and metadata.params',
      'says what it is to do; data is then what the tool gave, and the prompt may be empty.',
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
      'PROMPT_TOO_LONG',
      ...TOOL_REFUSALS,
      ...CREW_REFUSALS,
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
    const call = { request, reply, body, route: 'route', prefer, idempotencyKey };
    const accepted = await this.calls.submit(call);
    if (accept?.includes('text/event-stream')) {
      await sendEvents(reply, (gone) => this.outcomes.events(accepted, undefined, this.drain.orStopping(gone)));
    } else {
      void reply.send(await this.calls.await(call, accepted));
    }
  }
}

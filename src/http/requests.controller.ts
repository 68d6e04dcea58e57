import { Controller, Delete, Get, Headers, HttpCode, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestBody } from '../contracts/bodies.js';
import { parseEventId } from '../contracts/events.js';
import { requestWorkflowId } from '../contracts/ids.js';
import { contextOf, keyOf } from '../middleware/context.js';
import { ActorQuerySchema, RequestIdSchema, type ActorQuery } from '../schemas/common.js';
import { DrainService } from '../services/drain.service.js';
import { OutcomesService } from '../services/outcomes.service.js';
import type { Accepted } from '../services/accepted.js';
import { RequestsService } from '../services/requests.service.js';
import { Access } from '../middleware/access.js';
import { sendEvents } from './sse.js';
import { Operation } from './openapi/operation.js';

/** How long a cancel waits for the request to have ended, in milliseconds. */
const CANCEL_WAIT_MS = 5_000;

/** A request after it was accepted: seen, followed, stopped. */
@ApiTags('requests')
@Controller('requests')
export class RequestsController {
  constructor(
    private readonly requests: RequestsService,
    private readonly outcomes: OutcomesService,
    private readonly drain: DrainService,
  ) {}

  @Get(':id')
  @Access('owner')
  @Operation({
    id: 'getRequest',
    summary: 'The body of a request, in whatever state it is',
    description: 'Asks how a request stands: its text is in data.text once status is "completed".',
    answers: { 200: 'Request' },
    refuses: ['REQUEST_NOT_FOUND'],
  })
  async get(
    @Param('id', { schema: RequestIdSchema }) id: string,
    @Query({ schema: ActorQuerySchema }) query: ActorQuery,
    @Req() request: FastifyRequest,
  ): Promise<RequestBody> {
    return this.outcomes.body(await this.see(request, id, query));
  }

  @Get(':id/events')
  @Access('owner')
  @Operation({
    id: 'followRequest',
    summary: 'Events of a request over SSE, resumable by Last-Event-ID',
    headers: ['Last-Event-ID'],
    answers: { 200: 'Events' },
    refuses: ['REQUEST_NOT_FOUND'],
  })
  async events(
    @Param('id', { schema: RequestIdSchema }) id: string,
    @Query({ schema: ActorQuerySchema }) query: ActorQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const accepted = await this.see(request, id, query);
    const after = lastEventId === undefined ? undefined : parseEventId(lastEventId);
    await sendEvents(reply, (gone) => this.outcomes.events(accepted, after, this.drain.orStopping(gone)));
  }

  @Delete(':id')
  @HttpCode(200)
  @Access('owner')
  @Operation({
    id: 'cancelRequest',
    summary: 'Stop a request, and the model that works on it',
    answers: { 200: 'Request' },
    refuses: ['REQUEST_NOT_FOUND', 'REQUEST_ENDED', 'TEMPORAL_UNAVAILABLE'],
  })
  async cancel(
    @Param('id', { schema: RequestIdSchema }) id: string,
    @Query({ schema: ActorQuerySchema }) query: ActorQuery,
    @Req() request: FastifyRequest,
  ): Promise<RequestBody> {
    const accepted = await this.see(request, id, query);
    await this.requests.cancel(keyOf(request), id, { userId: query.user_id });
    return this.outcomes.wait(accepted, AbortSignal.timeout(CANCEL_WAIT_MS));
  }

  /** Checks that the caller may see the request, and names it in the call's log line. */
  private async see(request: FastifyRequest, id: string, query: ActorQuery): Promise<Accepted> {
    const record = await this.requests.visible(keyOf(request), id, { userId: query.user_id });
    const { daoId, actor } = record;
    Object.assign(contextOf(request).fields, {
      subject: id,
      workflow_id: requestWorkflowId(id, record.decision),
      dao_id: daoId,
      user_id: actor,
    });
    return this.requests.joined(record);
  }
}

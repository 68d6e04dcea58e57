import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { RouteSubmission } from '../contracts/request.js';
import { keyOf } from '../middleware/context.js';
import { ExplainQuerySchema, RoutingQuerySchema, type RoutingQuery } from '../schemas/routing.js';
import { RoutingService, type Explanation, type TableDescription } from '../services/routing.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** The routing that runs, for operators. */
@ApiTags('operations')
@Controller('routing')
export class RoutingController {
  constructor(private readonly routing: RoutingService) {}

  @Get()
  @Access('ops.read')
  @Operation({
    id: 'describeRouting',
    summary: 'Rules in the order in which they are tried',
    answers: { 200: 'Routing' },
    refuses: ['DAO_REQUIRED'],
  })
  async describe(
    @Query({ schema: RoutingQuerySchema }) query: RoutingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & TableDescription> {
    return { ok: true, ...(await this.routing.describe(keyOf(request), query.dao_id)) };
  }

  @Get('explain')
  @Access('ops.read')
  @Operation({
    id: 'explainRouting',
    summary: 'Which rule a request would take, and why each other would not; nothing is sent',
    answers: { 200: 'Explanation' },
    refuses: ['DAO_REQUIRED', 'DAO_NOT_FOUND'],
  })
  async explain(
    @Query({ schema: ExplainQuerySchema }) query: RouteSubmission,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & Explanation> {
    return { ok: true, ...(await this.routing.explain(keyOf(request), query)) };
  }
}

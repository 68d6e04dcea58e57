import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { MODES, type RouteSubmission } from '../contracts/request.js';
import { keyOf } from '../middleware/context.js';
import { ExplainQuerySchema, RoutingQuerySchema, type RoutingQuery } from '../schemas/routing.js';
import { RoutingService, type Explanation, type TableDescription } from '../services/routing.service.js';
import { Access } from './access.js';

const text = (name: string, description: string): MethodDecorator =>
  ApiQuery({ name, description, required: false, schema: { type: 'string' } });

/** The routing that runs, for operators. */
@ApiTags('operations')
@Controller('routing')
export class RoutingController {
  constructor(private readonly routing: RoutingService) {}

  @Get()
  @Access('ops.read')
  @ApiOperation({ operationId: 'describeRouting', summary: 'Rules in the order in which they are tried' })
  @text('dao_id', 'the DAO in which ops.read is asked for')
  async describe(
    @Query({ schema: RoutingQuerySchema }) query: RoutingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & TableDescription> {
    return { ok: true, ...(await this.routing.describe(keyOf(request), query.dao_id)) };
  }

  @Get('explain')
  @Access('ops.read')
  @ApiOperation({
    operationId: 'explainRouting',
    summary: 'Which rule a request would take, and why each other would not; nothing is sent',
  })
  @text('prompt', 'the prompt; it is not repeated in the answer')
  @ApiQuery({ name: 'mode', required: false, schema: { type: 'string', enum: [...MODES], default: 'chat' } })
  @text('agent', 'the agent that the request names')
  @text('source', 'where it comes from, such as telegram')
  @text('dao_id', 'the DAO in which it acts')
  @text('user_id', 'whom it is about; only admins of the DAO may name somebody else')
  @text('metadata', 'the metadata, as a JSON object')
  async explain(
    @Query({ schema: ExplainQuerySchema }) query: RouteSubmission,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & Explanation> {
    return { ok: true, ...(await this.routing.explain(keyOf(request), query)) };
  }
}

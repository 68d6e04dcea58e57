import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { keyOf } from '../middleware/context.js';
import { UsageQuerySchema, type UsageQuery } from '../schemas/usage.js';
import { UsageService, type UsageReport } from '../services/usage.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** `GET /usage`: requests, tokens and cost. */
@ApiTags('operations')
@Controller('usage')
export class UsageController {
  constructor(private readonly usage: UsageService) {}

  @Get()
  @Access('ops.read')
  @Operation({
    id: 'usage',
    summary: 'Requests, tokens and cost of a DAO by day, provider or key, or of all DAOs for the administrator',
    answers: { 200: 'Usage' },
    refuses: ['DAO_REQUIRED'],
  })
  async report(
    @Query({ schema: UsageQuerySchema }) query: UsageQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & UsageReport> {
    const { dao_id: daoId, user_id: userId, ...rest } = query;
    return { ok: true, ...(await this.usage.report(keyOf(request), { daoId, userId, ...rest })) };
  }
}

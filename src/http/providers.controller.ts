import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { ProviderInfo } from '../contracts/providers.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, type ActingQuery } from '../schemas/common.js';
import { ProvidersService } from '../services/providers.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** How the providers do. Neither addresses nor keys are told. */
@ApiTags('operations')
@Controller('providers')
export class ProvidersController {
  constructor(private readonly providers: ProvidersService) {}

  @Get()
  @Access('ops.read')
  @Operation({
    id: 'listProviders',
    summary: 'State, queue, calls under way, and success and latency of the last hour, for each provider',
    answers: { 200: 'Providers' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; providers: ProviderInfo[] }> {
    const { dao_id: daoId, user_id: userId } = query;
    return { ok: true, providers: await this.providers.list(keyOf(request), { daoId, userId }) };
  }
}

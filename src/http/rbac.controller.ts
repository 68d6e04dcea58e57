import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import { ResolveSchema, type ResolveBody } from '../schemas/resolution.js';
import { ResolutionService, type Resolution } from '../services/resolution.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

type Answer = { ok: true } & Resolution;

/** Who is what, and may do what. `user_id` is who is asked about, not who asks. */
@ApiTags('access')
@Controller('rbac/resolve')
export class RbacController {
  constructor(private readonly resolution: ResolutionService) {}

  @Get()
  @Access('key')
  @Operation({
    id: 'resolveRights',
    summary: 'Roles and entitlements of a user in a DAO',
    answers: { 200: 'Rights' },
    refuses: ['DAO_REQUIRED', 'DAO_NOT_FOUND'],
  })
  get(@Query({ schema: ResolveSchema }) query: ResolveBody, @Req() request: FastifyRequest): Promise<Answer> {
    return this.answer(query, request);
  }

  @Post()
  @HttpCode(200)
  @Access('key')
  @Operation({
    id: 'resolveRightsOf',
    summary: 'The same, asked with a body',
    body: ResolveSchema,
    answers: { 200: 'Rights' },
    refuses: ['DAO_REQUIRED', 'DAO_NOT_FOUND'],
  })
  post(
    @Body({ schema: ResolveSchema }) body: ResolveBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<Answer> {
    return this.answer(body, request);
  }

  private async answer({ dao_id: daoId, user_id: userId }: ResolveBody, request: FastifyRequest): Promise<Answer> {
    return { ok: true, ...(await this.resolution.resolve(keyOf(request), { daoId, userId })) };
  }
}

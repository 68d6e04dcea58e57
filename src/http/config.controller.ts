import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { ConfigState } from '../contracts/config-state.js';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import { ApplyConfigSchema, type ApplyConfigBody } from '../schemas/config.js';
import { ConfigService } from '../services/config.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

type Answer = { ok: true } & ConfigState;

/** The running configuration: seen, read again, confirmed. */
@ApiTags('configuration')
@Controller('config')
export class ConfigController {
  constructor(private readonly config: ConfigService) {}

  @Get()
  @Access('platform.admin')
  @Operation({
    id: 'getConfig',
    summary: 'Which profile runs, and what waits to be confirmed',
    answers: { 200: 'Config' },
  })
  async state(@Query({ schema: NoQuerySchema }) _query: object, @Req() request: FastifyRequest): Promise<Answer> {
    return { ok: true, ...(await this.config.state(keyOf(request))) };
  }

  @Post('reload')
  @HttpCode(200)
  @Access('platform.admin')
  @Operation({ id: 'reloadConfig', summary: 'Read the profile again, as SIGHUP does', answers: { 200: 'Config' } })
  async reload(@Query({ schema: NoQuerySchema }) _query: object, @Req() request: FastifyRequest): Promise<Answer> {
    return { ok: true, ...(await this.config.reloadFor(keyOf(request))) };
  }

  @Post('apply')
  @HttpCode(200)
  @Access('platform.admin')
  @Operation({
    id: 'applyConfig',
    summary: 'Make active what waits, named by its hash',
    body: ApplyConfigSchema,
    answers: { 200: 'Config' },
    refuses: ['CONFIG_NOT_WAITING'],
  })
  async apply(
    @Body({ schema: ApplyConfigSchema }) body: ApplyConfigBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<Answer> {
    return { ok: true, ...(await this.config.apply(keyOf(request), body.confirm)) };
  }
}

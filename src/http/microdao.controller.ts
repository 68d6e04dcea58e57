import { Body, Controller, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import { jsonSchema } from '../schemas/json-schema.js';
import { MicrodaoQuerySchema, type MicrodaoQueryBody } from '../schemas/microdao.js';
import { MicrodaoService, type MicrodaoAnswer } from '../services/microdao.service.js';
import { Access } from './access.js';

/** `POST /microdao/query`: what there is in a DAO. */
@ApiTags('access')
@Controller('microdao')
export class MicrodaoController {
  constructor(private readonly microdao: MicrodaoService) {}

  @Post('query')
  @HttpCode(200)
  @Access('chat.read')
  @ApiOperation({ operationId: 'queryMicrodao', summary: 'Roles, members or proposals of a DAO' })
  @ApiBody({ schema: jsonSchema(MicrodaoQuerySchema) })
  async query(
    @Body({ schema: MicrodaoQuerySchema }) body: MicrodaoQueryBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & MicrodaoAnswer> {
    return { ok: true, ...(await this.microdao.query(keyOf(request), body)) };
  }
}

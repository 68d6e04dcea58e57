import { Body, Controller, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import { MicrodaoQueryOutline, MicrodaoQuerySchema, type MicrodaoQueryBody } from '../schemas/microdao.js';
import { MicrodaoService, type MicrodaoAnswer } from '../services/microdao.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** `POST /microdao/query`: what there is in a DAO. */
@ApiTags('access')
@Controller('microdao')
export class MicrodaoController {
  constructor(private readonly microdao: MicrodaoService) {}

  @Post('query')
  @HttpCode(200)
  @Access('chat.read')
  @Operation({
    id: 'queryMicrodao',
    summary: 'Roles, members or proposals of a DAO',
    description:
      'Asks the database and no model. query_type says which list; role narrows members, and stage narrows proposals.',
    examples: {
      open: { summary: 'Proposals that can be voted on', value: { query_type: 'proposals', stage: 'open' } },
      members: { summary: 'Members', value: { query_type: 'members' } },
      roles: { summary: 'Roles and their rights', value: { query_type: 'roles' } },
    },
    body: MicrodaoQueryOutline,
    answers: { 200: 'MicrodaoAnswer' },
    refuses: ['DAO_REQUIRED', 'DAO_NOT_FOUND', 'QUERY_UNAVAILABLE'],
  })
  async query(
    @Body({ schema: MicrodaoQuerySchema }) body: MicrodaoQueryBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & MicrodaoAnswer> {
    return { ok: true, ...(await this.microdao.query(keyOf(request), body)) };
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { KeyInfo } from '../contracts/access.js';
import { keyOf } from '../middleware/context.js';
import {
  ActingQuerySchema,
  NewKeySchema,
  NoQuerySchema,
  RequestIdSchema,
  type ActingQuery,
  type NewKeyBody,
} from '../schemas/common.js';
import { jsonSchema } from '../schemas/json-schema.js';
import type { Named } from '../services/access.service.js';
import { KeysService } from '../services/keys.service.js';
import { Access } from './access.js';

const namedIn = ({ dao_id: daoId, user_id: userId }: ActingQuery): Named => ({ daoId, userId });

/** API keys: created, listed, revoked. A key is shown once. */
@ApiTags('keys')
@Controller('keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Post()
  @Access('key.manage')
  @ApiOperation({ operationId: 'createKey', summary: 'Create a key; it is shown in this answer and never again' })
  @ApiBody({ schema: jsonSchema(NewKeySchema) })
  async create(
    @Body({ schema: NewKeySchema }) body: NewKeyBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & KeyInfo & { key: string }> {
    const { name, dao_id: daoId, principal } = body;
    return { ok: true, ...(await this.keys.create(keyOf(request), { name, daoId, principal })) };
  }

  @Get()
  @Access('key.manage')
  @ApiOperation({ operationId: 'listKeys', summary: 'Keys of a DAO, or all of them for the administrator' })
  async list(
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; keys: KeyInfo[] }> {
    return { ok: true, keys: await this.keys.list(keyOf(request), namedIn(query)) };
  }

  @Delete(':id')
  @HttpCode(200)
  @Access('key.manage')
  @ApiOperation({ operationId: 'revokeKey', summary: 'Revoke a key at once' })
  async revoke(
    @Param('id', { schema: RequestIdSchema }) id: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; id: string }> {
    await this.keys.revoke(keyOf(request), id, namedIn(query));
    return { ok: true, id };
  }
}

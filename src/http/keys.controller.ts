import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { KeyInfo } from '../contracts/access.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, NoQuerySchema, type ActingQuery } from '../schemas/common.js';
import {
  KeyIdSchema,
  KeysQuerySchema,
  NewKeySchema,
  RotateKeySchema,
  RotateQuerySchema,
  type KeysQuery,
  type NewKeyBody,
  type RotateKeyBody,
  type RotateQuery,
} from '../schemas/keys.js';
import { KeysService } from '../services/keys.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** API keys: created, listed, rotated, revoked. A key is shown once. */
@ApiTags('keys')
@Controller('keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Post()
  @Access('key.manage')
  @Operation({
    id: 'createKey',
    summary: 'Create a key; it is shown in this answer and never again',
    body: NewKeySchema,
    answers: { 201: 'NewKey' },
    refuses: ['DAO_NOT_FOUND'],
  })
  async create(
    @Body({ schema: NewKeySchema }) body: NewKeyBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & KeyInfo & { key: string }> {
    const { name, dao_id: daoId, principal, scopes } = body;
    return { ok: true, ...(await this.keys.create(keyOf(request), { name, daoId, principal, scopes })) };
  }

  @Post(':id/rotate')
  @Access('key.manage')
  @Operation({
    id: 'rotateKey',
    summary: 'Replace a key; the former one works on for a while',
    body: RotateKeySchema,
    answers: { 201: 'NewKey' },
    refuses: ['DAO_REQUIRED', 'KEY_NOT_FOUND', 'KEY_REPLACED'],
  })
  async rotate(
    @Param('id', { schema: KeyIdSchema }) id: string,
    @Query({ schema: RotateQuerySchema }) { dao_id: daoId }: RotateQuery,
    @Body({ schema: RotateKeySchema }) { overlap_seconds: overlapSeconds }: RotateKeyBody,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & KeyInfo & { key: string }> {
    return { ok: true, ...(await this.keys.rotate(keyOf(request), id, { overlapSeconds, daoId })) };
  }

  @Get()
  @Access('key.manage')
  @Operation({
    id: 'listKeys',
    summary: 'Keys of a DAO, or all of them for the administrator',
    answers: { 200: 'KeyPage' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: KeysQuerySchema }) query: KeysQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; keys: KeyInfo[]; next: string | null }> {
    const { dao_id: daoId, user_id: userId, ...page } = query;
    const { items: keys, next } = await this.keys.list(keyOf(request), { daoId, userId }, page);
    return { ok: true, keys, next };
  }

  @Delete(':id')
  @HttpCode(200)
  @Access('key.manage')
  @Operation({
    id: 'revokeKey',
    summary: 'Revoke a key at once',
    answers: { 200: 'Id' },
    refuses: ['DAO_REQUIRED', 'KEY_NOT_FOUND'],
  })
  async revoke(
    @Param('id', { schema: KeyIdSchema }) id: string,
    @Query({ schema: ActingQuerySchema }) { dao_id: daoId, user_id: userId }: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; id: string }> {
    await this.keys.revoke(keyOf(request), id, { daoId, userId });
    return { ok: true, id };
  }
}

import { Body, Controller, Get, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Dao } from '../contracts/dao.js';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import {
  DaoChangesSchema,
  DaoIdSchema,
  NewDaoSchema,
  PageQuerySchema,
  type DaoChangesBody,
  type NewDaoBody,
  type PageQuery,
} from '../schemas/daos.js';
import { DaosService } from '../services/daos.service.js';
import { Access } from '../middleware/access.js';
import { expectedVersions, tellVersion } from './etag.js';
import { Operation } from './openapi/operation.js';

type Answer = { ok: true } & Dao;

/** DAOs: listed, created, read, changed. */
@ApiTags('daos')
@Controller('daos')
export class DaosController {
  constructor(private readonly daos: DaosService) {}

  @Get()
  @Access('chat.read')
  @Operation({
    id: 'listDaos',
    summary: 'The DAO of the key, or all of them for the administrator',
    answers: { 200: 'DaoPage' },
  })
  async list(
    @Query({ schema: PageQuerySchema }) query: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; daos: Dao[]; next: string | null }> {
    const { items, next } = await this.daos.list(keyOf(request), query);
    return { ok: true, daos: items, next };
  }

  @Post()
  @Access('platform.admin')
  @Operation({
    id: 'createDao',
    summary: 'Create a DAO with the default roles, and its first admin',
    body: NewDaoSchema,
    answers: { 201: 'Dao' },
    refuses: ['DAO_EXISTS'],
  })
  async create(
    @Body({ schema: NewDaoSchema }) body: NewDaoBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer> {
    return this.shown(reply, await this.daos.create(keyOf(request), body));
  }

  @Get(':id')
  @Access('chat.read')
  @Operation({
    id: 'getDao',
    summary: 'A DAO with facts, profile, settings and limits',
    answers: { 200: 'Dao' },
    refuses: ['DAO_NOT_FOUND'],
  })
  async get(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer> {
    return this.shown(reply, await this.daos.get(keyOf(request), id));
  }

  @Patch(':id')
  @Access('config.update')
  @Operation({
    id: 'changeDao',
    summary: 'Change a DAO by name: null takes away, the rest stays',
    body: DaoChangesSchema,
    answers: { 200: 'Dao' },
    refuses: ['DAO_NOT_FOUND'],
    ifMatch: true,
  })
  async change(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Body({ schema: DaoChangesSchema }) body: DaoChangesBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer> {
    return this.shown(reply, await this.daos.change(keyOf(request), id, body, expectedVersions(request)));
  }

  private shown(reply: FastifyReply, dao: Dao): Answer {
    tellVersion(reply, dao.version);
    return { ok: true, ...dao };
  }
}

import { Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { SigningReport } from '../contracts/audit.js';
import { keyOf } from '../middleware/context.js';
import { AuditQuerySchema, HeadsQuerySchema, type AuditQuery, type HeadsQuery } from '../schemas/audit.js';
import { NoQuerySchema } from '../schemas/common.js';
import { AuditHeadsService, type HeadsPage, type KeysInUse } from '../services/audit-heads.service.js';
import { AuditService, type AuditPage } from '../services/audit.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** The record: who did, or was refused, what; and the signed heads that prove it. */
@ApiTags('audit')
@Controller('audit')
export class AuditController {
  constructor(
    private readonly audit: AuditService,
    private readonly heads: AuditHeadsService,
  ) {}

  @Get()
  @Access('audit.read')
  @Operation({
    id: 'readAudit',
    summary: 'Rows of the record of a DAO, or of the installation for the administrator, oldest first',
    answers: { 200: 'AuditPage' },
    refuses: ['DAO_REQUIRED'],
  })
  async page(
    @Query({ schema: AuditQuerySchema }) query: AuditQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & AuditPage> {
    const { dao_id: daoId, user_id: userId, ...rest } = query;
    return { ok: true, ...(await this.audit.page(keyOf(request), { daoId, userId, ...rest })) };
  }

  @Get('heads')
  @Access('audit.read')
  @Operation({
    id: 'listAuditHeads',
    summary: 'Signed heads of the chain of a DAO, day by day, and one that is signed for this answer',
    answers: { 200: 'HeadPage' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: HeadsQuerySchema }) query: HeadsQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & HeadsPage> {
    const { dao_id: daoId, user_id: userId, ...rest } = query;
    return { ok: true, ...(await this.heads.list(keyOf(request), { daoId, userId, ...rest })) };
  }

  @Post('heads')
  @HttpCode(200)
  @Access('platform.admin')
  @Operation({
    id: 'signAuditHeads',
    summary: 'Sign the heads of today now, where they are not signed yet',
    answers: { 200: 'Signing' },
  })
  async sign(
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & SigningReport> {
    return { ok: true, ...(await this.heads.signFor(keyOf(request))) };
  }

  @Get('key')
  @Access('key')
  @Operation({
    id: 'auditKey',
    summary: 'Public keys for the signatures of heads, the present one first',
    answers: { 200: 'PublicKeys' },
  })
  async key(@Query({ schema: NoQuerySchema }) _query: object): Promise<{ ok: true } & KeysInUse> {
    return { ok: true, ...(await this.heads.keys()) };
  }
}

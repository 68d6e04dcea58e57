import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { DialogSummary } from '../contracts/dialog-record.js';
import { keyOf } from '../middleware/context.js';
import {
  DialogIdSchema,
  DialogQuerySchema,
  DialogsQuerySchema,
  type DialogQuery,
  type DialogsQuery,
} from '../schemas/dialog-records.js';
import { DialogRecordsService, type DialogPart } from '../services/dialog-records.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** Dialogs of sessions and of chats with bots, as they are exported. */
@ApiTags('requests')
@Controller('dialogs')
export class DialogsController {
  constructor(private readonly dialogs: DialogRecordsService) {}

  @Get()
  @Access('chat.read')
  @Operation({
    id: 'listDialogs',
    summary: 'Your dialogs in a DAO, or as an admin everybody’s, oldest first',
    answers: { 200: 'DialogPage' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: DialogsQuerySchema }) query: DialogsQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; dialogs: DialogSummary[]; next: string | null }> {
    const { dao_id: daoId, user_id: userId, ...rest } = query;
    return { ok: true, ...(await this.dialogs.list(keyOf(request), { daoId, userId, ...rest })) };
  }

  @Get(':id')
  @Access('owner')
  @Operation({
    id: 'getDialog',
    summary: 'A dialog: what was written, how it was answered, and what members think of it',
    answers: { 200: 'Dialog' },
    refuses: ['DIALOG_NOT_FOUND', 'DAO_REQUIRED'],
  })
  async get(
    @Param('id', { schema: DialogIdSchema }) id: string,
    @Query({ schema: DialogQuerySchema }) query: DialogQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & DialogPart> {
    const { dao_id: daoId, user_id: userId, ...rest } = query;
    return { ok: true, ...(await this.dialogs.get(keyOf(request), id, { daoId, userId, ...rest })) };
  }
}

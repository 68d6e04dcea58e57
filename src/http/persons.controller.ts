import { Body, Controller, Delete, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Member } from '../contracts/dao.js';
import { keyOf } from '../middleware/context.js';
import { ActorQuerySchema, NoQuerySchema, type ActorQuery } from '../schemas/common.js';
import { DaoIdSchema } from '../schemas/daos.js';
import { MemberRefSchema, NewIdSchema, UserIdSchema, type NewIdBody } from '../schemas/members.js';
import { ForgettingService, type Remains } from '../services/forgetting.service.js';
import { InvitationsService } from '../services/invitations.service.js';
import { MembersService } from '../services/members.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** The person behind a member: ids by which platforms know them, and what is known of them at all. */
@ApiTags('members')
@Controller('daos/:id/members')
export class PersonsController {
  constructor(
    private readonly members: MembersService,
    private readonly invitations: InvitationsService,
    private readonly forgetting: ForgettingService,
  ) {}

  @Post('me/link')
  @HttpCode(201)
  @Access('key')
  @Operation({
    id: 'linkCode',
    summary: 'A code by which another id of the actor becomes the same member',
    answers: { 201: 'LinkCode' },
    refuses: ['MEMBER_NOT_FOUND', 'RATE_LIMITED'],
  })
  async linkCode(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Query({ schema: ActorQuerySchema }) query: ActorQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; code: string; expires_at: Date }> {
    return { ok: true, ...(await this.invitations.linkCode(keyOf(request), id, { userId: query.user_id })) };
  }

  @Post('me/forget')
  @HttpCode(200)
  @Access('key')
  @Operation({
    id: 'forgetMe',
    summary: 'Erase what the DAO knows of the actor, member or guest',
    answers: { 200: 'Forgotten' },
    refuses: ['MEMBER_NOT_FOUND', 'REQUESTS_RUNNING', 'LAST_ADMIN'],
  })
  async forgetMe(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Query({ schema: ActorQuerySchema }) query: ActorQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & Remains> {
    return { ok: true, ...(await this.forgetting.forgetMe(keyOf(request), id, { userId: query.user_id })) };
  }

  @Post(':member/forget')
  @HttpCode(200)
  @Access('member.remove')
  @Operation({
    id: 'forgetMember',
    summary: 'Erase what the DAO knows of a member',
    answers: { 200: 'Forgotten' },
    refuses: ['DAO_NOT_FOUND', 'MEMBER_NOT_FOUND', 'REQUESTS_RUNNING', 'LAST_ADMIN'],
  })
  async forget(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('member', { schema: MemberRefSchema }) member: string,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & Remains> {
    return { ok: true, ...(await this.forgetting.forgetMember(keyOf(request), id, member)) };
  }

  @Post(':member/ids')
  @HttpCode(200)
  @Access('member.invite')
  @Operation({
    id: 'linkId',
    summary: 'Link another id to a member, on the word of an admin',
    body: NewIdSchema,
    answers: { 200: 'Member' },
    refuses: ['DAO_NOT_FOUND', 'MEMBER_NOT_FOUND', 'ID_TAKEN'],
  })
  async link(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('member', { schema: MemberRefSchema }) member: string,
    @Body({ schema: NewIdSchema }) body: NewIdBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & Member> {
    return { ok: true, ...(await this.members.link(keyOf(request), id, member, body.user_id)) };
  }

  @Delete(':member/ids/:user')
  @HttpCode(200)
  @Access('key')
  @Operation({
    id: 'unlinkId',
    summary: 'Take an id off a member: by the member, or by an admin',
    answers: { 200: 'Member' },
    refuses: ['DAO_NOT_FOUND', 'MEMBER_NOT_FOUND', 'LAST_ID'],
  })
  async unlink(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('member', { schema: MemberRefSchema }) member: string,
    @Param('user', { schema: UserIdSchema }) user: string,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & Member> {
    return { ok: true, ...(await this.members.unlink(keyOf(request), id, member, user)) };
  }
}

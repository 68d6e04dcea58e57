import { Body, Controller, Delete, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Member } from '../contracts/dao.js';
import { keyOf } from '../middleware/context.js';
import { ActorQuerySchema, id as UserIdSchema, NoQuerySchema, type ActorQuery } from '../schemas/common.js';
import { DaoIdSchema } from '../schemas/daos.js';
import { jsonSchema } from '../schemas/json-schema.js';
import { MemberRefSchema, NewIdSchema, type NewIdBody } from '../schemas/members.js';
import { ForgettingService, type Remains } from '../services/forgetting.service.js';
import { InvitationsService } from '../services/invitations.service.js';
import { MembersService } from '../services/members.service.js';
import { Access } from './access.js';

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
  @ApiOperation({ operationId: 'linkCode', summary: 'A code by which another id of the actor becomes the same member' })
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
  @ApiOperation({ operationId: 'forgetMe', summary: 'Erase what the DAO knows of the actor, member or guest' })
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
  @ApiOperation({ operationId: 'forgetMember', summary: 'Erase what the DAO knows of a member' })
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
  @ApiOperation({ operationId: 'linkId', summary: 'Link another id to a member, on the word of an admin' })
  @ApiBody({ schema: jsonSchema(NewIdSchema) })
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
  @ApiOperation({ operationId: 'unlinkId', summary: 'Take an id off a member: by the member, or by an admin' })
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

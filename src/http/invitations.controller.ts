import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Member } from '../contracts/dao.js';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema, RequestIdSchema } from '../schemas/common.js';
import { DaoIdSchema, PageQuerySchema, type PageQuery } from '../schemas/daos.js';
import { jsonSchema } from '../schemas/json-schema.js';
import { NewInvitationSchema, RedeemSchema, type NewInvitationBody, type RedeemBody } from '../schemas/members.js';
import { InvitationsService, type Redemption, type SeenInvitation } from '../services/invitations.service.js';
import { Access } from './access.js';

/** Invitations: made and taken back by those who may invite, redeemed by whoever acts. */
@ApiTags('members')
@Controller()
export class InvitationsController {
  constructor(private readonly invitations: InvitationsService) {}

  @Get('daos/:id/invitations')
  @Access('member.invite')
  @ApiOperation({ operationId: 'listInvitations', summary: 'Invitations that can still be taken' })
  async list(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Query({ schema: PageQuerySchema }) query: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; invitations: SeenInvitation[]; next: string | null }> {
    const { items, next } = await this.invitations.list(keyOf(request), id, query);
    return { ok: true, invitations: items, next };
  }

  @Post('daos/:id/invitations')
  @Access('member.invite')
  @ApiOperation({ operationId: 'createInvitation', summary: 'Invite a named user, or whoever has the secret' })
  @ApiBody({ schema: jsonSchema(NewInvitationSchema) })
  async create(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Body({ schema: NewInvitationSchema }) body: NewInvitationBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & SeenInvitation & { secret?: string }> {
    const { roles, user_id: userId, uses, expires_in_hours: hours } = body;
    return { ok: true, ...(await this.invitations.create(keyOf(request), id, { roles, userId, uses, hours })) };
  }

  @Delete('daos/:id/invitations/:invitation')
  @HttpCode(200)
  @Access('member.invite')
  @ApiOperation({ operationId: 'withdrawInvitation', summary: 'Take an invitation back' })
  async withdraw(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('invitation', { schema: RequestIdSchema }) invitation: string,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; id: string }> {
    await this.invitations.withdraw(keyOf(request), id, invitation);
    return { ok: true, id: invitation };
  }

  @Post('invitations/redeem')
  @HttpCode(200)
  @Access('key')
  @ApiOperation({ operationId: 'redeemInvitation', summary: 'Join by an invitation, or link an id by a code' })
  @ApiBody({ schema: jsonSchema(RedeemSchema) })
  async redeem(
    @Body({ schema: RedeemSchema }) body: RedeemBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; dao_id: string; member: Member }> {
    const { daoId, member } = await this.invitations.redeem(keyOf(request), redemptionOf(body));
    return { ok: true, dao_id: daoId, member };
  }
}

const redemptionOf = ({ secret, dao_id: daoId = '', user_id: userId }: RedeemBody): Redemption =>
  secret === undefined ? { daoId, userId } : { secret, userId };

import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Member } from '../contracts/dao.js';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import { DaoIdSchema, PageQuerySchema, type PageQuery } from '../schemas/daos.js';
import {
  InvitationIdSchema,
  NewInvitationSchema,
  RedeemSchema,
  type NewInvitationBody,
  type RedeemBody,
} from '../schemas/members.js';
import { InvitationsService, type Redemption, type SeenInvitation } from '../services/invitations.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** Invitations: made and taken back by those who may invite, redeemed by whoever acts. */
@ApiTags('members')
@Controller()
export class InvitationsController {
  constructor(private readonly invitations: InvitationsService) {}

  @Get('daos/:id/invitations')
  @Access('member.invite')
  @Operation({
    id: 'listInvitations',
    summary: 'Invitations that can still be taken',
    answers: { 200: 'InvitationPage' },
    refuses: ['DAO_NOT_FOUND'],
  })
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
  @Operation({
    id: 'createInvitation',
    summary: 'Invite a named user, or whoever has the secret',
    body: NewInvitationSchema,
    answers: { 201: 'Invitation' },
    refuses: ['DAO_NOT_FOUND', 'ROLE_NOT_FOUND', 'MEMBER_EXISTS'],
  })
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
  @Operation({
    id: 'withdrawInvitation',
    summary: 'Take an invitation back',
    answers: { 200: 'Id' },
    refuses: ['DAO_NOT_FOUND', 'INVITATION_NOT_FOUND'],
  })
  async withdraw(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('invitation', { schema: InvitationIdSchema }) invitation: string,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; id: string }> {
    await this.invitations.withdraw(keyOf(request), id, invitation);
    return { ok: true, id: invitation };
  }

  @Post('invitations/redeem')
  @HttpCode(200)
  @Access('key')
  @Operation({
    id: 'redeemInvitation',
    summary: 'Join by an invitation, or link an id by a code',
    body: RedeemSchema,
    answers: { 200: 'Joined' },
    refuses: ['INVITATION_NOT_FOUND', 'INVITATION_ENDED', 'MEMBER_EXISTS', 'ID_TAKEN', 'RATE_LIMITED'],
  })
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

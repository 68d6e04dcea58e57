import { Body, Controller, Delete, Get, HttpCode, Put, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Delegation } from '../contracts/proposal.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, type ActingQuery } from '../schemas/common.js';
import { DelegationSchema, PartQuerySchema, type DelegationBody, type PartQuery } from '../schemas/proposals.js';
import { DelegationsService } from '../services/delegations.service.js';
import { Access } from '../middleware/access.js';
import { actingIn } from './acting.js';
import { Operation } from './openapi/operation.js';

/** Delegations: whose ballot counts for a member who casts none. `user_id` names who acts. */
@ApiTags('proposals')
@Controller('delegations')
export class DelegationsController {
  constructor(private readonly delegations: DelegationsService) {}

  @Get()
  @Access('chat.write')
  @Operation({
    id: 'listDelegations',
    summary: 'Delegations of a DAO, and one’s own',
    answers: { 200: 'DelegationPage' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: PartQuerySchema }) query: PartQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; delegations: Delegation[]; next: string | null; mine: Delegation | null }> {
    const { items: delegations, ...rest } = await this.delegations.list(keyOf(request), actingIn(query), query);
    return { ok: true, delegations, ...rest };
  }

  @Put()
  @Access('proposal.vote')
  @Operation({
    id: 'delegate',
    summary: 'Let another member vote where one does not; holds from the next opening on',
    body: DelegationSchema,
    answers: { 200: 'Delegation' },
    refuses: ['DAO_REQUIRED', 'DELEGATION_CYCLE', 'DELEGATE_INVALID', 'RATE_LIMITED'],
  })
  async delegate(
    @Body({ schema: DelegationSchema }) body: DelegationBody,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & Delegation> {
    return { ok: true, ...(await this.delegations.delegate(keyOf(request), actingIn(query, body), body.to)) };
  }

  @Delete()
  @HttpCode(200)
  @Access('proposal.vote')
  @Operation({
    id: 'takeBackDelegation',
    summary: 'Take back what one has delegated',
    answers: { 200: 'Done' },
    refuses: ['DAO_REQUIRED'],
  })
  async takeBack(
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true }> {
    await this.delegations.takeBack(keyOf(request), actingIn(query));
    return { ok: true };
  }
}

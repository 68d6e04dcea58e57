import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Proposal, ProposalSummary } from '../contracts/proposal.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, type ActingQuery } from '../schemas/common.js';
import {
  NewProposalSchema,
  ProposalActingSchema,
  ProposalChangesSchema,
  ProposalNumberSchema,
  ProposalsQuerySchema,
  VetoSchema,
  type NewProposalBody,
  type ProposalActingBody,
  type ProposalChangesBody,
  type ProposalsQuery,
  type VetoBody,
} from '../schemas/proposals.js';
import { proposalNumber, ProposalsService } from '../services/proposals.service.js';
import { Access } from '../middleware/access.js';
import { actingIn } from './acting.js';
import { expectedVersions, tellVersion } from './etag.js';
import { Operation } from './openapi/operation.js';

type Shown = { ok: true } & Proposal;

/** Refusals of a run that is named as a review. */
const REVIEW = ['RUN_NOT_FOUND', 'REVIEW_INVALID'] as const;

/** Proposals: drafted, shown, opened, withdrawn, vetoed. `user_id` names who acts. */
@ApiTags('proposals')
@Controller('proposals')
export class ProposalsController {
  constructor(private readonly proposals: ProposalsService) {}

  @Get()
  @Access('chat.read')
  @Operation({
    id: 'listProposals',
    summary: 'Proposals of a DAO, the newest ones first',
    answers: { 200: 'ProposalPage' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: ProposalsQuerySchema }) query: ProposalsQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; proposals: ProposalSummary[]; next: string | null }> {
    const { items: proposals, next } = await this.proposals.list(keyOf(request), actingIn(query), query);
    return { ok: true, proposals, next };
  }

  @Post()
  @Access('proposal.create')
  @Operation({
    id: 'createProposal',
    summary: 'Draft a proposal, or open one at once',
    body: NewProposalSchema,
    answers: { 201: 'Proposal' },
    refuses: [
      'DAO_REQUIRED',
      'ACTION_INVALID',
      'PROPOSAL_LIMIT',
      'ELECTORATE_EMPTY',
      ...REVIEW,
      'TEMPORAL_UNAVAILABLE',
    ],
  })
  async create(
    @Body({ schema: NewProposalSchema }) body: NewProposalBody,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Shown> {
    return shown(reply, await this.proposals.create(keyOf(request), actingIn(query, body), body));
  }

  @Get(':n')
  @Access('chat.read')
  @Operation({
    id: 'getProposal',
    summary: 'A proposal, with its rules and its result',
    answers: { 200: 'Proposal' },
    refuses: ['DAO_REQUIRED', 'PROPOSAL_NOT_FOUND'],
  })
  async get(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Shown> {
    return shown(reply, (await this.proposals.get(keyOf(request), actingIn(query), proposalNumber(n))).proposal);
  }

  @Patch(':n')
  @Access('proposal.create')
  @Operation({
    id: 'editProposal',
    summary: 'Change a draft of one’s own; If-Match is honoured',
    body: ProposalChangesSchema,
    answers: { 200: 'Proposal' },
    refuses: ['DAO_REQUIRED', 'PROPOSAL_NOT_FOUND', 'NOT_THE_AUTHOR', 'PROPOSAL_STAGE', 'ACTION_INVALID', ...REVIEW],
    ifMatch: true,
  })
  async edit(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Body({ schema: ProposalChangesSchema }) body: ProposalChangesBody,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Shown> {
    const { title, text, actions, review } = body;
    const changes = {
      ...(review !== undefined && { review }),
      ...(title !== undefined && { title }),
      ...(text !== undefined && { text }),
      ...(actions && { actions }),
    };
    const named = actingIn(query, body);
    const expected = expectedVersions(request);
    return shown(reply, await this.proposals.edit(keyOf(request), named, proposalNumber(n), changes, expected));
  }

  @Post(':n/open')
  @HttpCode(200)
  @Access('proposal.create')
  @Operation({
    id: 'openProposal',
    summary: 'Open a draft of one’s own: who may vote is fixed now',
    answers: { 200: 'Proposal' },
    refuses: [
      'BAD_JSON',
      'BODY_INVALID',
      'DAO_REQUIRED',
      'PROPOSAL_NOT_FOUND',
      'NOT_THE_AUTHOR',
      'PROPOSAL_STAGE',
      'ACTION_INVALID',
      'PROPOSAL_LIMIT',
      'ELECTORATE_EMPTY',
      'TEMPORAL_UNAVAILABLE',
    ],
  })
  async open(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Body({ schema: ProposalActingSchema }) body: ProposalActingBody,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Shown> {
    return shown(reply, await this.proposals.open(keyOf(request), actingIn(query, body ?? {}), proposalNumber(n)));
  }

  @Post(':n/withdraw')
  @HttpCode(200)
  @Access('proposal.create')
  @Operation({
    id: 'withdrawProposal',
    summary: 'Take back a proposal of one’s own before the first ballot',
    answers: { 200: 'Proposal' },
    refuses: ['BAD_JSON', 'BODY_INVALID', 'DAO_REQUIRED', 'PROPOSAL_NOT_FOUND', 'NOT_THE_AUTHOR', 'PROPOSAL_STAGE'],
  })
  async withdraw(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Body({ schema: ProposalActingSchema }) body: ProposalActingBody,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Shown> {
    return shown(reply, await this.proposals.withdraw(keyOf(request), actingIn(query, body ?? {}), proposalNumber(n)));
  }

  @Post(':n/veto')
  @HttpCode(200)
  @Access('proposal.execute')
  @Operation({
    id: 'vetoProposal',
    summary: 'Stop what has passed before it is executed',
    body: VetoSchema,
    answers: { 200: 'Proposal' },
    refuses: ['DAO_REQUIRED', 'PROPOSAL_NOT_FOUND', 'PROPOSAL_STAGE'],
  })
  async veto(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Body({ schema: VetoSchema }) body: VetoBody,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Shown> {
    const { reason } = body;
    return shown(reply, await this.proposals.veto(keyOf(request), actingIn(query, body), proposalNumber(n), reason));
  }
}

function shown(reply: FastifyReply, proposal: Proposal): Shown {
  tellVersion(reply, proposal.version);
  return { ok: true, ...proposal };
}

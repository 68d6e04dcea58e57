import { Body, Controller, Get, Param, Put, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Elector, ShownBallot, ShownTally } from '../contracts/proposal.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, type ActingQuery } from '../schemas/common.js';
import {
  PartQuerySchema,
  ProposalNumberSchema,
  VoteSchema,
  VotesQuerySchema,
  type PartQuery,
  type VoteBody,
  type VotesQuery,
} from '../schemas/proposals.js';
import { proposalNumber } from '../services/proposals.service.js';
import { VotesService, type CastBallot } from '../services/votes.service.js';
import { Access } from '../middleware/access.js';
import { actingIn } from './acting.js';
import { Operation } from './openapi/operation.js';

/** Votes on a proposal: cast, shown, counted. `user_id` names who acts. */
@ApiTags('proposals')
@Controller('proposals/:n')
export class VotesController {
  constructor(private readonly votes: VotesService) {}

  @Put('vote')
  @Access('proposal.vote')
  @Operation({
    id: 'vote',
    summary: 'Vote, or vote otherwise, until the closing time',
    body: VoteSchema,
    answers: { 200: 'Ballot' },
    refuses: [
      'DAO_REQUIRED',
      'PROPOSAL_NOT_FOUND',
      'NOT_IN_ELECTORATE',
      'IDENTITY_TOO_NEW',
      'VOTING_NOT_OPEN',
      'VOTING_CLOSED',
      'BALLOT_LIMIT',
      'IDEMPOTENCY_CONFLICT',
    ],
  })
  async vote(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Body({ schema: VoteSchema }) body: VoteBody,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & CastBallot> {
    const vote = { choice: body.choice, ballotId: body.ballot_id };
    return { ok: true, ...(await this.votes.cast(keyOf(request), actingIn(query, body), proposalNumber(n), vote)) };
  }

  @Get('votes')
  @Access('chat.write')
  @Operation({
    id: 'listVotes',
    summary: 'Ballots by voter; sealed ones do not say what they say before the close',
    answers: { 200: 'BallotPage' },
    refuses: ['DAO_REQUIRED', 'PROPOSAL_NOT_FOUND'],
  })
  async ballots(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Query({ schema: VotesQuerySchema }) query: VotesQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; votes: ShownBallot[]; next: string | null }> {
    const { after, limit, revisions } = query;
    const part = { after, limit, changed: revisions === 'all' };
    const page = await this.votes.ballots(keyOf(request), actingIn(query), proposalNumber(n), part);
    return { ok: true, votes: page.items, next: page.next };
  }

  @Get('tally')
  @Access('chat.read')
  @Operation({
    id: 'tally',
    summary: 'The result, or how it stands; null before the opening',
    answers: { 200: 'Tally' },
    refuses: ['DAO_REQUIRED', 'PROPOSAL_NOT_FOUND'],
  })
  async tally(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; tally: ShownTally | null }> {
    return { ok: true, tally: await this.votes.tally(keyOf(request), actingIn(query), proposalNumber(n)) };
  }

  @Get('voters')
  @Access('chat.write')
  @Operation({
    id: 'listVoters',
    summary: 'Who may vote, with weights and delegates, as of the opening',
    answers: { 200: 'ElectorPage' },
    refuses: ['DAO_REQUIRED', 'PROPOSAL_NOT_FOUND'],
  })
  async voters(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Query({ schema: PartQuerySchema }) query: PartQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; voters: Elector[]; next: string | null }> {
    const page = await this.votes.electors(keyOf(request), actingIn(query), proposalNumber(n), query);
    return { ok: true, voters: page.items, next: page.next };
  }
}

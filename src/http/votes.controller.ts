import { Body, Controller, Get, Param, Put, Query, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Elector, ShownBallot, ShownTally } from '../contracts/proposal.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, type ActingQuery } from '../schemas/common.js';
import { jsonSchema } from '../schemas/json-schema.js';
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
import { Access } from './access.js';
import { actingIn } from './acting.js';

/** Votes on a proposal: cast, shown, counted. `user_id` names who acts. */
@ApiTags('proposals')
@Controller('proposals/:n')
export class VotesController {
  constructor(private readonly votes: VotesService) {}

  @Put('vote')
  @Access('proposal.vote')
  @ApiOperation({ operationId: 'vote', summary: 'Vote, or vote otherwise, until the closing time' })
  @ApiBody({ schema: jsonSchema(VoteSchema) })
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
  @ApiOperation({
    operationId: 'listVotes',
    summary: 'Ballots by voter; sealed ones do not say what they say before the close',
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
  @ApiOperation({ operationId: 'tally', summary: 'The result, or how it stands; null before the opening' })
  async tally(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; tally: ShownTally | null }> {
    return { ok: true, tally: await this.votes.tally(keyOf(request), actingIn(query), proposalNumber(n)) };
  }

  @Get('voters')
  @Access('chat.write')
  @ApiOperation({ operationId: 'listVoters', summary: 'Who may vote, with weights and delegates, as of the opening' })
  async voters(
    @Param('n', { schema: ProposalNumberSchema }) n: string,
    @Query({ schema: PartQuerySchema }) query: PartQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; voters: Elector[]; next: string | null }> {
    const page = await this.votes.electors(keyOf(request), actingIn(query), proposalNumber(n), query);
    return { ok: true, voters: page.items, next: page.next };
  }
}

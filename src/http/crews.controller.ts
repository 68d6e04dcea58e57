import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CrewDefinition } from '../contracts/crew.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, type ActingQuery } from '../schemas/common.js';
import { CrewBodySchema, CrewIdSchema, type CrewBody } from '../schemas/crews.js';
import { CrewsService, type Crew } from '../services/crews.service.js';
import { Access } from '../middleware/access.js';
import { actingIn } from './acting.js';
import { expectedVersions, tellVersion } from './etag.js';
import { Operation } from './openapi/operation.js';

interface ShownCrew {
  id: string;
  name: string;
  description: string;
  process: string;
  inputs: object;
  agents: string[];
  tasks: string[];
  /** Whether it is the DAO's own. */
  own: boolean;
  version: string;
}

/** Crews of a DAO: what they are. */
@ApiTags('crews')
@Controller('crews')
export class CrewsController {
  constructor(private readonly crews: CrewsService) {}

  @Get()
  @Access('chat.read')
  @Operation({
    id: 'listCrews',
    summary: 'Crews of a DAO: those that come along, and its own',
    answers: { 200: 'CrewList' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; crews: ShownCrew[] }> {
    const crews = await this.crews.list(keyOf(request), actingIn(query));
    return { ok: true, crews: crews.map(shown) };
  }

  @Get(':id')
  @Access('chat.read')
  @Operation({
    id: 'getCrew',
    summary: 'A crew, with everything that it says',
    answers: { 200: 'Crew' },
    refuses: ['DAO_REQUIRED', 'CREW_NOT_FOUND'],
  })
  async get(
    @Param('id', { schema: CrewIdSchema }) id: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ ok: true; crew: CrewDefinition; own: boolean; version: string }> {
    return whole(reply, await this.crews.get(keyOf(request), actingIn(query), id));
  }

  @Put(':id')
  @Access('config.update')
  @Operation({
    id: 'putCrew',
    summary: 'Create or replace a crew of the DAO’s own; If-Match is honoured',
    description: 'Runs that are under way keep the crew that they began with.',
    body: CrewBodySchema,
    answers: { 200: 'Crew' },
    refuses: ['DAO_REQUIRED'],
    ifMatch: true,
  })
  async put(
    @Param('id', { schema: CrewIdSchema }) id: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Body({ schema: CrewBodySchema }) body: CrewBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ ok: true; crew: CrewDefinition; own: boolean; version: string }> {
    const where = { ...actingIn(query), expected: expectedVersions(request) };
    return whole(reply, await this.crews.put(keyOf(request), id, body, where));
  }

  @Delete(':id')
  @HttpCode(200)
  @Access('config.update')
  @Operation({
    id: 'deleteCrew',
    summary: 'Delete a crew of the DAO’s own; If-Match is honoured',
    answers: { 200: 'Id' },
    refuses: ['DAO_REQUIRED', 'CREW_NOT_FOUND'],
    ifMatch: true,
  })
  async delete(
    @Param('id', { schema: CrewIdSchema }) id: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; id: string }> {
    await this.crews.delete(keyOf(request), id, { ...actingIn(query), expected: expectedVersions(request) });
    return { ok: true, id };
  }
}

const shown = ({ definition, hash, version }: Crew): ShownCrew => {
  const { id, name, description, process, inputs, agents, tasks } = definition;
  const parts = { agents: Object.keys(agents), tasks: Object.keys(tasks) };
  return { id, name, description, process, inputs, ...parts, own: version !== null, version: hash };
};

function whole(
  reply: FastifyReply,
  { definition, hash, version }: Crew,
): { ok: true; crew: CrewDefinition; own: boolean; version: string } {
  if (version !== null) tellVersion(reply, version);
  return { ok: true, crew: definition, own: version !== null, version: hash };
}

import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { keyOf } from '../../middleware/context.js';
import { id } from '../../schemas/common.js';
import { model } from '../../schemas/openai-common.js';
import { ModelsService, type ModelEntry } from '../../services/models.service.js';
import { Access } from '../../middleware/access.js';
import { OpenAiOperation } from './operation.js';

/** A model in OpenAI's form, and what else is known of it. */
const told = ({ id, createdAt, ownedBy, facts }: ModelEntry): object => ({
  id,
  object: 'model',
  created: Math.floor(createdAt.getTime() / 1_000),
  owned_by: ownedBy,
  context_length: facts.contextLength,
  // A crew has none of its own: its agents do.
  max_output_tokens: facts.maxTokens === 0 ? null : facts.maxTokens,
  capabilities: facts.capabilities,
});

/** Where a key opens several DAOs, one can be named. */
const DaoQuerySchema = z.object({ dao_id: id.optional() });
type DaoQuery = z.infer<typeof DaoQuerySchema>;

/** `GET /v1/models`: the models that the caller may name. */
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly models: ModelsService) {}

  @Get()
  @Access('chat.write')
  @OpenAiOperation({ id: 'listModels', summary: 'The models that can be named' })
  async list(
    @Query({ schema: DaoQuerySchema }) { dao_id: daoId }: DaoQuery,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const models = await this.models.list(keyOf(request), { daoId });
    return { object: 'list', data: models.map(told) };
  }

  /** Also with the slash of a name escaped, or escaped twice. */
  @Get(':model')
  @Access('chat.write')
  @OpenAiOperation({ id: 'retrieveModel', summary: 'A model that can be named' })
  async find(
    @Param('model', { schema: model }) name: string,
    @Query({ schema: DaoQuerySchema }) { dao_id: daoId }: DaoQuery,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    return told(await this.models.find(keyOf(request), { daoId }, name));
  }

  /** The same with the slash as it is. */
  @Get(':kind/:model')
  @Access('chat.write')
  @OpenAiOperation({ id: 'retrieveModelOfKind', summary: 'A model that can be named, by the parts of its name' })
  async findOfKind(
    @Param('kind', { schema: model }) kind: string,
    @Param('model', { schema: model }) name: string,
    @Query({ schema: DaoQuerySchema }) { dao_id: daoId }: DaoQuery,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    return told(await this.models.find(keyOf(request), { daoId }, `${kind}/${name}`));
  }
}

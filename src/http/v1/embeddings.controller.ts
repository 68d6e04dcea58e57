import { Body, Controller, Headers, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EmbeddingsSchema, type EmbeddingsRequest } from '../../schemas/openai-embeddings.js';
import { Access } from '../../middleware/access.js';
import { OpenAiCalls } from './calls.js';
import { embeddingList } from './embeddings-answer.js';
import { OpenAiOperation } from './operation.js';

/** `POST /v1/embeddings`: texts as vectors. */
@Controller('v1/embeddings')
export class EmbeddingsController {
  constructor(private readonly calls: OpenAiCalls) {}

  @Post()
  @Access('by-mode')
  @OpenAiOperation({ id: 'createEmbedding', summary: 'Turn texts into vectors', body: EmbeddingsSchema })
  async create(
    @Body({ schema: EmbeddingsSchema }) { submission, style }: EmbeddingsRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const call = { request, reply, idempotencyKey, route: 'v1/embeddings', submission, ignored: style.ignored };
    return this.calls.answer(call, (answer) => embeddingList(answer, style));
  }
}

import { Body, Controller, Headers, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CompletionSchema, type CompletionRequest } from '../../schemas/openai-completions.js';
import { Access } from '../../middleware/access.js';
import { OpenAiCalls, type Call } from './calls.js';
import { Chunks } from './chunks.js';
import { CompletionChunks, textCompletion } from './completion-answer.js';
import { headOf } from './head.js';
import { OpenAiOperation } from './operation.js';

/** `POST /v1/completions`: a prompt, as it was before there were chats. */
@Controller('v1/completions')
export class CompletionsController {
  constructor(private readonly calls: OpenAiCalls) {}

  @Post()
  @Access('by-mode')
  @OpenAiOperation({ id: 'createCompletion', summary: 'Answer a prompt', body: CompletionSchema })
  async create(
    @Body({ schema: CompletionSchema }) { submission, style }: CompletionRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { model, ignored } = style;
    const call: Call = { request, reply, idempotencyKey, route: 'v1/completions', submission, ignored };
    if (!style.stream) {
      return this.calls.answer(call, (answer, accepted) => textCompletion(headOf('cmpl', accepted, model), answer));
    }
    return this.calls.stream(
      call,
      (accepted) => new Chunks(new CompletionChunks(headOf('cmpl', accepted, model)), style.includeUsage),
    );
  }
}

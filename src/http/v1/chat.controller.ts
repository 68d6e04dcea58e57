import { Body, Controller, Headers, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ChatCompletionSchema, type ChatRequest } from '../../schemas/openai-chat.js';
import { Access } from '../../middleware/access.js';
import { OpenAiCalls, type Call } from './calls.js';
import { chatCompletion } from './chat-answer.js';
import { ChatChunks } from './chat-chunks.js';
import { Chunks } from './chunks.js';
import { headOf } from './head.js';
import { OpenAiOperation } from './operation.js';

/** `POST /v1/chat/completions`: a client's own conversation. */
@Controller('v1/chat/completions')
export class ChatController {
  constructor(private readonly calls: OpenAiCalls) {}

  @Post()
  @Access('by-mode')
  @OpenAiOperation({ id: 'createChatCompletion', summary: 'Answer a conversation', body: ChatCompletionSchema })
  async create(
    @Body({ schema: ChatCompletionSchema }) { submission, style }: ChatRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { model, ignored } = style;
    const call: Call = { request, reply, idempotencyKey, route: 'v1/chat/completions', submission, ignored };
    if (!style.stream) {
      return this.calls.answer(call, (answer, accepted) =>
        chatCompletion(headOf('chatcmpl', accepted, model), answer, style),
      );
    }
    return this.calls.stream(
      call,
      (accepted) => new Chunks(new ChatChunks(headOf('chatcmpl', accepted, model), style), style.includeUsage),
    );
  }
}
